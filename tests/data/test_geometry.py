"""The shape that pictures are brought to, and which of them are unusual."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data.geometry import LONGEST_SIDE, choose_shape, unusual_sizes
from convolens.errors import ConfigError

sides = st.lists(st.integers(1, 5_000), min_size=1, max_size=30)


@given(sides, st.data())
def test_never_larger_than_the_limit_nor_than_the_largest_picture(heights, data):
    widths = [data.draw(st.integers(1, 5_000)) for _ in heights]
    grey = np.zeros(len(heights), bool)
    height, width, channels = choose_shape(np.array(heights), np.array(widths), grey)
    assert max(height, width) <= min(LONGEST_SIDE, max(heights + widths))
    assert min(height, width) >= 1
    assert channels == 3
    if len(set(zip(heights, widths, strict=True))) > 1:
        assert height == width


@given(st.integers(1, LONGEST_SIDE), st.integers(1, LONGEST_SIDE), st.integers(1, 9))
def test_pictures_of_one_size_keep_it(height, width, n):
    shape = choose_shape(np.full(n, height), np.full(n, width), np.ones(n, bool))
    assert shape == (height, width, 1)


def test_one_picture_in_colour_is_enough_for_colour():
    size = np.full(3, 10)
    assert choose_shape(size, size, np.array([True, True, False]))[2] == 3
    assert choose_shape(size, size, np.array([True, True, False]), channels=1)[2] == 1


@pytest.mark.parametrize("size", [0, -3, 1.5, "64", (3,), (1, 2, 3), (0, 4), 5_000, True])
def test_impossible_sizes_are_refused(size):
    one = np.ones(1, dtype=np.int64)
    with pytest.raises(ConfigError, match="size is"):
        choose_shape(one, one, np.ones(1, bool), size)


def test_only_what_is_far_from_the_usual_is_unusual():
    heights = np.array([100, 110, 90, 100, 500, 20, 100, 301])
    widths = np.array([100, 90, 110, 100, 500, 20, 29, 301])
    names = [f"{h}x{w}" for h, w in zip(heights, widths, strict=True)]
    found = {problem.path for problem in unusual_sizes(names, heights, widths)}
    assert found == {"500x500", "20x20", "100x29"}
    mixed = np.array([480, 640, 1080, 768])  # an ordinary folder of photographs
    assert not list(unusual_sizes(["a"] * 4, mixed, np.array([640, 480, 1920, 1024])))
