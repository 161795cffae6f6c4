import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import paddings

from convolens.errors import ConfigError
from convolens.ops import output_size, pad_amounts

small = st.integers(1, 9)


@given(st.integers(1, 40), small, st.integers(1, 5), st.integers(1, 4), st.data())
def test_the_output_size_is_the_number_of_windows_that_fit(size, window, stride, dilation, data):
    padding = data.draw(paddings((window, window)).filter(lambda p: not isinstance(p, tuple)))
    before, after = pad_amounts((size, size), window, stride, padding, dilation)[0]
    cells = np.arange(window) * dilation
    starts = range(-before, size + after, stride)
    fitting = [start for start in starts if (start + cells < size + after).all()]
    if fitting:
        assert output_size(size, window, stride, padding, dilation) == len(fitting)
    else:
        with pytest.raises(ConfigError, match="larger than the picture's"):
            output_size(size, window, stride, padding, dilation)


@given(st.integers(1, 40), small, st.integers(1, 5), st.integers(1, 4))
def test_same_gives_the_ceiling_with_the_odd_pixel_last(size, window, stride, dilation):
    assert output_size(size, window, stride, "same", dilation) == -(-size // stride)
    before, after = pad_amounts((size, size), window, stride, "same", dilation)[1]
    assert after - before in (0, 1)


@pytest.mark.parametrize(
    ("size", "window", "stride", "expected"),
    [
        (28, 7, 1, (3, 3)),
        (28, 2, 1, (0, 1)),
        (5, 2, 2, (0, 1)),
        (6, 3, 2, (0, 1)),
        (7, 3, 2, (1, 1)),
    ],
)
def test_same_pads_as_in_the_documentation_of_tensorflow(size, window, stride, expected):
    assert pad_amounts((size, size), window, stride, "SAME") == (expected, expected)


def test_each_side_has_its_own_padding():
    assert pad_amounts((5, 5), 3, padding=((1, 2), (3, 4))) == ((1, 2), (3, 4))
    assert pad_amounts((5, 9), (3, 1), (1, 2), "same") == ((1, 1), (0, 0))
    assert output_size(5, 3, padding=(1, 2)) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3), "size is 0; it must be a whole number of at least 1"),
        ((5, 0), "window is 0"),
        ((5, 3, 0), "stride is 0"),
        ((5, 3, 1, "valid", 0), "dilation is 0"),
        ((5, 3, 1, "SAM"), "padding is 'SAM'; it must be"),
        ((5, 3, 1, 1.0), r"padding is 1\.0"),
        ((5, 3, 1, (1, 2, 3)), r"padding is \(\(1, 2, 3\), \(1, 2, 3\)\)"),
        ((2, 3), "window's size of 3 is larger than the picture's 2"),
    ],
)
def test_impossible_sizes_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        output_size(*arguments)
