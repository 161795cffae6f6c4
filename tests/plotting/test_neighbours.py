"""Pictures and their neighbours: each in its place, with its class and its similarity."""

import numpy as np
import pytest

from convolens.errors import ConfigError
from convolens.plotting import plot_neighbours

RNG = np.random.default_rng(0)
PICTURES = RNG.random((2, 6, 6))
FOUND = RNG.random((2, 3, 6, 6))
COSINES = np.array([[0.99, 0.5, -0.25], [0.9, 0.8, 0.7]])


def words(figure):
    return [text.get_text() for text in figure.texts if text.get_text()]


def test_every_row_is_a_picture_and_its_neighbours_in_their_order():
    figure = plot_neighbours(PICTURES, FOUND, COSINES)
    drawn = [axes.images[0].get_array() for axes in figure.axes]
    expected = [image for row in range(2) for image in (PICTURES[row], *FOUND[row])]
    assert len(drawn) == 8
    for image, wanted in zip(drawn, expected, strict=True):
        assert np.allclose(image, wanted)
    tops = [round(axes.get_position().y1, 6) for axes in figure.axes]
    assert len(set(tops)) == 2
    lefts = [round(axes.get_position().x0, 6) for axes in figure.axes]
    assert lefts[:4] == sorted(lefts[:4]) == lefts[4:]


def test_class_and_similarity_stand_below_each():
    figure = plot_neighbours(
        PICTURES,
        FOUND,
        COSINES,
        labels=[[1, 0, 1], [0, 0, 1]],
        class_names=["bag", "shoe"],
        captions=["is bag", "is shoe"],
    )
    assert words(figure)[0] == "Each picture, and right of it the 3 nearest training pictures"
    assert words(figure)[2:] == [
        *("is bag", "shoe", "0.990", "bag", "0.500", "shoe", "−0.250"),
        *("is shoe", "bag", "0.900", "bag", "0.800", "shoe", "0.700"),
    ]


def test_of_many_the_first_are_drawn_and_the_title_says_so():
    figure = plot_neighbours(np.zeros((30, 4, 4)), np.zeros((30, 9, 4, 4)), np.zeros((30, 9)))
    assert len(figure.axes) == 12 * 8
    assert "7 nearest" in words(figure)[0]
    assert words(figure)[0].replace("\n", " ").endswith("first 12 of 30 pictures")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"similarities": [[1.0, 1.0, 1.0]]}, r"similarities have shape \(1, 3\) for 2 pictures"),
        ({"similarities": np.ones((2, 2))}, r"neighbours\[0\] has 3 pictures and similarities 2"),
        ({"neighbours": FOUND[:1]}, "there are neighbours of 1 pictures for 2"),
        ({"labels": [0, 1]}, r"labels have shape \(2,\); allowed: \(2, 3\)"),
        ({"labels": np.full((2, 3), 2), "class_names": ["a", "b"]}, "labels run from 2 to 2"),
        ({"class_names": ["a"]}, "class_names need labels"),
        ({"captions": ["a"]}, "captions has 1 entries for 2 pictures"),
    ],
)
def test_what_does_not_fit_is_refused(changed, said):
    given = {"pictures": PICTURES, "neighbours": FOUND, "similarities": COSINES} | changed
    with pytest.raises(ConfigError, match=said):
        plot_neighbours(**given)
