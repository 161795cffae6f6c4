"""All combinations of settings: the maps are those of ``conv2d``, in a stated order, bounded."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convolens.errors import ConfigError
from convolens.ops import Conv2D, SweepFilter, conv2d, kernels, random_filters, sweep_conv2d
from convolens.ops.sweep import MOST_MAPS, value_range

PICTURE = np.random.default_rng(0).random((13, 17, 3), dtype=np.float32)


def named(*names: str) -> list[SweepFilter]:
    return [SweepFilter(name=name, weights=kernels.named(name)) for name in names]


@settings(max_examples=25)
@given(
    strides=st.lists(st.integers(1, 5), min_size=1, max_size=2),
    paddings=st.lists(st.sampled_from(["same", "valid", 0, 3]), min_size=1, max_size=2),
    dilations=st.lists(st.integers(1, 3), min_size=1, max_size=2),
)
def test_every_map_is_that_of_conv2d_with_its_settings(strides, paddings, dilations):
    filters = named("sobel_x", "gaussian:4")
    maps = sweep_conv2d(PICTURE, filters, strides, paddings, dilations)
    combinations = list(product(filters, strides, paddings, dilations))
    assert len(maps) == len(combinations)
    for made, (chosen, stride, padding, dilation) in zip(maps, combinations, strict=True):
        assert (made.filter, made.stride, made.padding, made.dilation) == (
            chosen,
            stride,
            padding,
            dilation,
        )
        expected = conv2d(PICTURE, chosen.weights, stride, padding, dilation)[:, :, 0]
        np.testing.assert_array_equal(made.values, expected)
        assert made.arithmetic.output_shape == (*made.values.shape, 1)


def test_the_arithmetic_is_that_of_the_filter_on_all_channels():
    (made,) = sweep_conv2d(PICTURE, named("vertical_line"), dilations=(2,))
    assert made.to_dict() == {
        "filter": "vertical_line",
        "activation": "linear",
        "stride": 1,
        "padding": "same",
        "dilation": 2,
        "output_shape": [13, 17],
        "parameters": 7 * 7 * 3,
        "multiply_adds": 7 * 7 * 3 * 13 * 17,
        "receptive_field": [13, 13],
        "minimum": pytest.approx(made.values.min()),
        "maximum": pytest.approx(made.values.max()),
    }


@pytest.mark.parametrize("seed", [0, 7])
def test_random_filters_are_the_layer_of_the_notes(seed):
    """32 filters, 3x3, "same", ReLU: one map at a time gives what the layer gives."""
    maps = sweep_conv2d(PICTURE, random_filters(32, channels=3, seed=seed))
    together = np.stack([made.values for made in maps], axis=2)
    np.testing.assert_allclose(together, Conv2D(filters=32, seed=seed)(PICTURE), atol=1e-6)
    assert {made.arithmetic.parameters for made in maps} == {3 * 3 * 3 + 1}
    assert maps[0].to_dict()["activation"] == "relu"


def test_an_impossible_combination_is_named():
    with pytest.raises(
        ConfigError, match=r"gabor_0 with stride 2, padding valid, dilation 1: the window's height"
    ):
        sweep_conv2d(PICTURE, named("gabor_0"), (2,), ("same", "valid"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": []}, "0 filters x 1 strides x 1 paddings x 1 dilations are 0 maps"),
        ({"strides": range(1, 102)}, "are 101 maps; allowed: 1 to 100"),
        ({"paddings": [20_000]}, "padding and dilation make 1,601,.* pixels of the picture"),
        ({"dilations": [99_999]}, "padding and dilation make"),
        ({"strides": [0]}, "strides is 0; it must be a whole number of at least 1"),
        ({"paddings": ["sme"]}, "padding is 'sme'"),
        ({"image": np.zeros((2, 5, 5, 3))}, "it must be .height, width, channels."),
    ],
)
def test_what_is_too_much_or_no_setting_is_refused_before_it_is_computed(arguments, message):
    with pytest.raises(ConfigError, match=message):
        sweep_conv2d(**({"image": PICTURE, "filters": named("box")} | arguments))


def test_too_many_values_in_all_are_refused(monkeypatch):
    monkeypatch.setattr("convolens.ops.sweep.MOST_VALUES", 13 * 17 * 2)
    assert len(sweep_conv2d(PICTURE, named("box", "sharpen"))) == 2
    with pytest.raises(ConfigError, match="663 values in all; at most 442 are made: crop"):
        sweep_conv2d(PICTURE, named("box", "sharpen", "emboss"))


def test_no_layer_has_more_random_filters_than_can_be_drawn():
    with pytest.raises(ConfigError, match="n is 101; at most 100"):
        random_filters(MOST_MAPS + 1, channels=3)


def test_the_range_leaves_out_what_is_not_finite():
    assert value_range(np.array([np.nan, -2.0, np.inf, 3.0])) == (-2, 3)
    assert value_range(np.array([np.nan, np.inf])) == (None, None)
