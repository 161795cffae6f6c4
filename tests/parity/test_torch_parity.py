"""Where PyTorch can do the same, ours and ``torch.nn.functional`` agree; else both refuse."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from convolens.errors import ConfigError
from convolens.ops import avg_pool2d, conv2d, depthwise_conv2d, max_pool2d

quick = settings(max_examples=40, deadline=None, derandomize=True)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def to_torch(array):
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2)))


def from_torch(tensor):
    return tensor.permute(0, 2, 3, 1).numpy()


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@given(
    st.sampled_from(sorted(TOLERANCE)), pairs, pairs, pairs, st.integers(1, 3),
    st.one_of(st.integers(0, 3), st.sampled_from(["valid", "same"])), st.integers(0, 2**32),
)  # fmt: skip
@quick
def test_conv2d(dtype, window, strides, dilations, groups, padding, seed):
    generator = np.random.default_rng(seed)
    images = generator.normal(size=(2, 9, 8, 2 * groups)).astype(dtype)
    filters = generator.normal(size=(*window, 2, 3 * groups)).astype(dtype)
    bias = generator.normal(size=3 * groups).astype(dtype)

    def ours():
        return conv2d(
            images, filters, strides, padding, dilations, groups, bias=bias, semantics="torch"
        )

    def theirs():
        weights = torch.from_numpy(filters.transpose(3, 2, 0, 1).copy())
        return functional.conv2d(
            to_torch(images), weights, torch.from_numpy(bias), strides, padding, dilations, groups
        )

    if padding == "same" and strides != (1, 1):
        with pytest.raises(RuntimeError, match="not supported for strided"):
            theirs()
        with pytest.raises(ConfigError, match='PyTorch has no padding="same" with strides'):
            ours()
        return
    expected = from_torch(theirs())
    assert ours().dtype == dtype
    np.testing.assert_allclose(
        ours(), expected, rtol=0, atol=TOLERANCE[dtype] * np.abs(expected).max()
    )


@given(st.sampled_from(sorted(TOLERANCE)), pairs, st.integers(1, 3), st.integers(0, 2**32))
@quick
def test_depthwise_conv2d_orders_its_feature_maps_as_torch_does(dtype, window, multiplier, seed):
    generator = np.random.default_rng(seed)
    images = generator.normal(size=(2, 6, 7, 4)).astype(dtype)
    filters = generator.normal(size=(*window, 4, multiplier)).astype(dtype)
    weights = filters.transpose(2, 3, 0, 1).reshape(4 * multiplier, 1, *window)
    expected = from_torch(
        functional.conv2d(to_torch(images), torch.from_numpy(weights.copy()), groups=4)
    )
    np.testing.assert_allclose(
        depthwise_conv2d(images, filters), expected, rtol=0, atol=TOLERANCE[dtype] * 20
    )


@given(
    st.sampled_from(sorted(TOLERANCE)), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2),
    st.integers(0, 2**32),
)  # fmt: skip
@quick
def test_pooling(dtype, size, stride, padding, seed):
    images = np.random.default_rng(seed).normal(size=(2, 9, 8, 3)).astype(dtype)
    padding = min(padding, size // 2)  # torch allows no more
    largest = functional.max_pool2d(to_torch(images), size, stride, padding)
    np.testing.assert_array_equal(max_pool2d(images, size, stride, padding), from_torch(largest))
    mean = functional.avg_pool2d(to_torch(images), size, stride, padding)
    uncounted = functional.avg_pool2d(
        to_torch(images), size, stride, padding, count_include_pad=False
    )
    tolerance = {"rtol": 0, "atol": TOLERANCE[dtype] * 5}
    np.testing.assert_allclose(
        avg_pool2d(images, size, stride, padding, semantics="torch"), from_torch(mean), **tolerance
    )
    np.testing.assert_allclose(
        avg_pool2d(images, size, stride, padding), from_torch(uncounted), **tolerance
    )
