"""Poolings by name are the functions of that name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.errors import ConfigError
from convolens.ops import Pooling, avg_pool2d, depthwise_max_pool, max_pool2d, named_pooling

PICTURE = np.random.default_rng(0).random((12, 12, 6))


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_a_name_stands_for_its_function(size):
    for mode, function in (("max", max_pool2d), ("avg", avg_pool2d), ("depth", depthwise_max_pool)):
        np.testing.assert_array_equal(
            named_pooling(f"{mode}:{size}")(PICTURE), function(PICTURE, size)
        )


@given(st.text(max_size=12) | st.from_regex(r"(max|avg|depth):?-?[0-9. ]*", fullmatch=True))
def test_any_text_is_a_pooling_or_one_line_that_says_why_not(text):
    mode, colon, size = text.partition(":")
    known = mode in ("max", "avg", "depth") and colon
    if known and size.isascii() and size.isdigit() and 0 < int(size) < 10**6:
        assert named_pooling(text) == Pooling(mode, int(size))
        return
    with pytest.raises(ConfigError) as caught:
        named_pooling(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mx:2", "unknown pooling 'mx:2'; did you mean 'max'"),
        ("depth", "pooling 'depth' has no size; write depth:3"),
        ("max:0", "'0' is not a size; allowed: whole numbers from 1, as in max:2"),
        ("avg:2x2", "'2x2' is not a size"),
        ("max:9999999", "'9999999' is not a size"),
        ("max:²", "is not a size"),
    ],
)
def test_messages(text, message):
    with pytest.raises(ConfigError, match=message):
        named_pooling(text)


def test_it_says_what_it_does():
    assert str(named_pooling("avg:3")) == "average pooling 3×3"
    assert str(named_pooling("depth:3")) == "depth-wise max pooling of 3"
