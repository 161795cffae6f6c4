import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import convolutions, poolings, scale_of

from convolens.errors import ConfigError
from convolens.ops import avg_pool2d, conv2d, max_pool2d, trace_conv2d, trace_pool2d


def draw_place(data, result):
    return [data.draw(st.integers(0, size - 1)) for size in result.shape]


@given(convolutions(), st.data())
@settings(max_examples=50)
def test_a_traced_value_is_the_one_that_conv2d_gives(case, data):
    maps = conv2d(**case)
    image, row, column, k = draw_place(data, maps)
    trace = trace_conv2d(row=row, column=column, filter=k, image=image, **case)
    tolerance = (1e-5 if maps.dtype == np.float32 else 1e-12) * scale_of(
        case["images"], case["filters"]
    )
    assert trace.value == pytest.approx(float(maps[image, row, column, k]), abs=tolerance)
    np.testing.assert_array_equal(trace.products, trace.window * trace.weights)

    pictures = case["images"]
    for i, y in enumerate(trace.rows):
        for j, x in enumerate(trace.columns):
            inside = 0 <= y < pictures.shape[1] and 0 <= x < pictures.shape[2]
            assert trace.padded[i, j] == (not inside)
            seen = pictures[image, y, x, trace.channels] if inside else 0
            np.testing.assert_array_equal(trace.window[i, j], np.asarray(seen, maps.dtype))


@given(poolings(), st.data())
@settings(max_examples=50)
def test_a_traced_value_is_the_one_that_pooling_gives(case, data):
    image, row, column, channel = draw_place(data, max_pool2d(**case))
    place = {"row": row, "column": column, "channel": channel, "image": image}
    largest = trace_pool2d(mode="max", **place, **case)
    assert largest.value == max_pool2d(**case)[image, row, column, channel]
    assert case["images"][image, largest.winner[0], largest.winner[1], channel] == largest.value
    assert largest.counted == np.count_nonzero(~largest.padded)

    means = avg_pool2d(**case)
    mean = trace_pool2d(mode="avg", **place, **case)
    tolerance = (1e-5 if means.dtype == np.float32 else 1e-12) * scale_of(case["images"])
    assert mean.value == pytest.approx(float(means[image, row, column, channel]), abs=tolerance)
    assert mean.winner is None


def test_among_equals_the_first_pixel_wins_and_never_the_padding():
    trace = trace_pool2d(np.zeros((3, 3, 1), np.uint8), 0, 0, padding=1, pool_size=3)
    assert trace.winner == (0, 0)
    assert trace.value == 0
    assert trace.counted == 4


def test_nan_wins():
    picture = np.array([[1.0, np.nan], [3.0, 2.0]])[:, :, np.newaxis]
    trace = trace_pool2d(picture, 0, 0)
    assert trace.winner == (0, 1)
    assert np.isnan(trace.value)


def test_traces_are_plain_json():
    picture = np.arange(18, dtype=np.uint8).reshape(3, 3, 2)
    convolved = trace_conv2d(picture, np.ones((2, 2)), 2, 2, padding="same").to_dict()
    assert json.loads(json.dumps(convolved, allow_nan=False)) == convolved
    assert convolved["padded"] == [[False, True], [True, True]]
    assert convolved["value"] == 33.0

    pooled = trace_pool2d(picture * 1.0, 1, 1, padding="same").to_dict()
    assert json.loads(json.dumps(pooled, allow_nan=False))["window"] == [[16.0, None], [None, None]]
    assert pooled["winner"] == [2, 2]


def test_the_text_of_a_convolution_shows_every_number():
    picture = np.array([[[1, 10], [2, 20]], [[3, 30], [4, 40]]])
    filters = np.array([[1, -1], [2, 0]]).reshape(1, 2, 2, 1)
    text = str(trace_conv2d(picture, filters, 1, 1, padding="same", bias=[0.5]))
    assert text == (
        "Image 0, feature map 0, row 1, column 1.\n"
        "It saw row 1 and columns 1 to 2 of the picture.\n"
        '"pad" lies outside the picture and counts as 0.\n'
        "\n"
        "channel 0\n"
        "window     x weights   = products\n"
        "  4  pad        1  2         4  0\n"
        "\n"
        "channel 1\n"
        "window     x weights   = products\n"
        " 40  pad      -1   0     -40    0\n"
        "\n"
        "sum = 4 + (-40) = -36\n"
        "value = -36 + bias 0.5 = -35.5"
    )


@pytest.mark.parametrize("size", [7, 31])
def test_the_text_of_a_large_window_keeps_its_lines_short_where_it_can(size):
    picture = np.random.default_rng(0).random((40, 40, 3))
    text = str(trace_conv2d(picture, np.ones((size, size)), 3, 3))
    assert text.count("channel ") == 3
    if size == 7:
        assert max(len(line) for line in text.splitlines()) <= 120


def test_the_text_of_a_mean_shows_the_division():
    text = str(trace_pool2d(np.arange(9.0).reshape(3, 3, 1), 1, 1, mode="avg", padding="same"))
    assert text.endswith("value = 8 / 1 = 8")
    assert '1 of 4 cells lie inside the picture; "pad" is padding and never counts' in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"row": 3}, "row is 3; it must be a whole number from 0 to 2"),
        ({"row": -1}, "row is -1"),
        ({"column": 1.0}, r"column is 1\.0"),
        ({"image": 1}, "image is 1; it must be a whole number from 0 to 0"),
    ],
)
def test_a_value_that_does_not_exist_is_refused(arguments, message):
    place = {"row": 0, "column": 0, **arguments}
    with pytest.raises(ConfigError, match=message):
        trace_conv2d(np.zeros((4, 4, 1)), np.zeros((2, 2)), **place)
    with pytest.raises(ConfigError, match=message):
        trace_pool2d(np.zeros((4, 4, 1)), strides=1, **place)


def test_an_unknown_filter_channel_or_mode_is_refused():
    picture = np.zeros((4, 4, 1))
    with pytest.raises(ConfigError, match="filter is 1"):
        trace_conv2d(picture, np.zeros((2, 2)), 0, 0, 1)
    with pytest.raises(ConfigError, match="channel is 1"):
        trace_pool2d(picture, 0, 0, 1)
    with pytest.raises(ConfigError, match="mode is 'min'"):
        trace_pool2d(picture, 0, 0, mode="min")
