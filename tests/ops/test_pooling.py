import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import pictures, poolings, scale_of

from convolens.errors import ConfigError
from convolens.ops import avg_pool2d, depthwise_max_pool, max_pool2d


@given(poolings())
@settings(max_examples=80)
def test_max_pool2d_is_the_plain_loop_exactly(case):
    ours = max_pool2d(**case)
    assert ours.dtype == case["images"].dtype
    np.testing.assert_array_equal(ours, oracle.pool2d(mode="max", **case))


@given(poolings())
@settings(max_examples=80)
def test_avg_pool2d_is_the_plain_loop(case):
    ours, theirs = avg_pool2d(**case), oracle.pool2d(mode="avg", **case)
    assert ours.dtype == np.result_type(case["images"], np.float32)
    tolerance = (1e-6 if ours.dtype == np.float32 else 1e-14) * scale_of(case["images"])
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


@given(pictures(), st.data())
def test_depthwise_max_pool_takes_runs_of_channels(images, data):
    divisors = [size for size in range(1, 5) if images.shape[3] % size == 0]
    size = data.draw(st.sampled_from(divisors))
    ours = depthwise_max_pool(images, size)
    assert ours.dtype == images.dtype
    for c in range(images.shape[3] // size):
        run = images[..., c * size : (c + 1) * size]
        np.testing.assert_array_equal(ours[..., c], run.max(axis=-1))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "uint32", "int64", "uint64"])
def test_integer_extremes_stay_exact(dtype):
    limits = np.iinfo(dtype)
    picture = np.full((3, 3, 2), limits.min, dtype)
    picture[2, 2, 1] = limits.max
    pooled = max_pool2d(picture, 2, padding="same")
    assert pooled.dtype == dtype
    assert (pooled[..., 0] == limits.min).all()
    assert pooled[1, 1, 1] == limits.max
    assert depthwise_max_pool(picture, 2)[2, 2, 0] == limits.max


def test_padding_never_wins_and_is_never_counted():
    picture = np.full((3, 3, 1), -5.0, np.float32)
    assert (max_pool2d(picture, 2, padding="same") == -5).all()
    assert (avg_pool2d(picture, 2, padding="same") == -5).all()
    assert (max_pool2d(np.full((2, 2, 1), -np.inf), 2, 1, "same") == -np.inf).all()
    means = avg_pool2d(picture, 2, 2, ((1, 0), (1, 0)), semantics="tensorflow")
    assert (means == -5).all()


def test_torch_counts_padding_in_a_mean():
    picture = np.ones((4, 4, 1))
    counted = avg_pool2d(picture, 2, padding=1, semantics="torch")
    np.testing.assert_array_equal(
        counted[:, :, 0], [[0.25, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 0.25]]
    )


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_nan_reaches_exactly_the_windows_that_see_it(pool):
    picture = np.zeros((4, 6, 2))
    picture[1, 2, 1] = np.nan
    pooled = pool(picture, 2)
    assert np.argwhere(np.isnan(pooled)).tolist() == [[0, 1, 1]]


@pytest.mark.parametrize("settings", [(1, 1), (2, 2), ((1, 2), 1), ((2, 1), 1)])
@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_the_result_is_its_own_memory(pool, settings):
    picture = np.random.default_rng(0).random((4, 4, 2))
    original = picture.copy()
    pooled = pool(picture, *settings)
    assert pooled.flags.c_contiguous
    pooled[:] = -1
    depthwise_max_pool(picture, 1)[:] = -1
    np.testing.assert_array_equal(picture, original)


def test_bright_integer_pictures_do_not_overflow():
    white = np.full((8, 8, 1), 255, np.uint8)
    assert avg_pool2d(white, 8).item() == 255
    assert avg_pool2d(np.full((2, 2, 1), 2**62), 2).item() == 2.0**62


PICTURE = np.zeros((4, 5, 3))


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((4, 5))}, "add a channel axis"),
        ({"images": np.zeros((4, 0, 3))}, "it holds no pixel"),
        ({"images": PICTURE.astype(complex)}, "images has dtype complex128"),
        ({"pool_size": 0}, "pool_size is 0"),
        ({"pool_size": (2, 6)}, "window's width of 6 is larger than the picture's 5"),
        ({"pool_size": "2"}, "pool_size is '2'"),
        ({"strides": 0}, "strides is 0"),
        ({"padding": "reflect"}, "padding is 'reflect'"),
        ({"padding": 2}, r"padding is 2; it must be smaller than the window of \(2, 2\)"),
    ],
)
def test_the_impossible_is_refused_in_one_clear_line(pool, arguments, message):
    with pytest.raises(ConfigError, match=message) as caught:
        pool(**{"images": PICTURE, **arguments})
    assert "\n" not in str(caught.value)


def test_torch_has_no_same_for_a_mean():
    with pytest.raises(ConfigError, match='PyTorch has no padding="same" for pooling'):
        avg_pool2d(PICTURE, 2, 1, "same", semantics="torch")


def test_channels_must_divide_into_runs():
    with pytest.raises(ConfigError, match="pool_size is 2; it must divide the 3 channels"):
        depthwise_max_pool(PICTURE, 2)
    with pytest.raises(ConfigError, match="pool_size is 0"):
        depthwise_max_pool(PICTURE, 0)


def test_numbers_of_more_than_64_bits_are_refused():
    with pytest.raises(ConfigError, match=r"use images\.astype\(np\.float64\)"):
        max_pool2d(PICTURE.astype(np.longdouble))
