"""Predictions: right and wrong are told by symbol, by frame and by colour."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from convolens.plotting import plot_predictions
from convolens.plotting.style import BLUE, VERMILLION

PICTURES = np.zeros((2, 4, 4))
PROBABILITIES = [[0.9, 0.1, 0.0], [0.2, 0.25, 0.55]]
NAMES = ["bag", "shoe", "coat"]


def texts(figure):
    return [text.get_text() for text in figure.texts if text.get_text()]


def frame(axes):
    spine = axes.spines["left"]
    return to_hex(spine.get_edgecolor()), spine.get_linewidth()


def test_the_likeliest_class_its_probability_and_the_right_one():
    figure = plot_predictions(PICTURES, PROBABILITIES, [0, 1], NAMES)
    assert texts(figure) == ["1 of 2 right", "✓ 90 %", "bag", "✗ 55 %", "coat", "is shoe"]


def test_right_and_wrong_differ_in_colour_and_in_weight():
    figure = plot_predictions(PICTURES, PROBABILITIES, [0, 1], NAMES)
    right, wrong = map(frame, figure.axes)
    assert (right[0], wrong[0]) == (BLUE, VERMILLION)
    assert wrong[1] >= 2 * right[1]
    colours = {text.get_text(): text.get_color() for text in figure.texts}
    assert (colours["✓ 90 %"], colours["✗ 55 %"]) == (BLUE, VERMILLION)


def test_without_labels_nothing_is_called_right():
    figure = plot_predictions(PICTURES, PROBABILITIES, None, NAMES)
    assert texts(figure) == ["90 %", "bag", "55 %", "coat"]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.5, "50 %"), (0.994, "99 %"), (0.9961, "99.6 %"), (0.99999, ">99.9 %"), (1.0, "100 %")],
)
def test_only_certainty_is_called_certain(share, text):
    figure = plot_predictions(PICTURES[:1], [[share, 1 - share, 0]], None, NAMES)
    assert texts(figure)[0] == text


def test_a_names_list_and_an_array_give_the_same_figure():
    one = plot_predictions(PICTURES, PROBABILITIES, [0, 1], np.array(NAMES))
    assert texts(one) == texts(plot_predictions(PICTURES, PROBABILITIES, [0, 1], tuple(NAMES)))
