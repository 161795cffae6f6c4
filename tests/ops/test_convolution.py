import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import convolutions, pairs, pictures, scale_of

from convolens.errors import ConfigError
from convolens.ops import conv2d, depthwise_conv2d, fast_convolution, kernels

TOLERANCE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}


def assert_close(ours, theirs, scale=None):
    assert ours.shape == theirs.shape
    scale = max(np.abs(theirs).max(), 1) if scale is None else scale
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE[ours.dtype] * scale)


@given(convolutions())
@settings(max_examples=80)
def test_conv2d_is_the_plain_loop(case):
    ours = conv2d(**case)
    assert ours.dtype == np.result_type(case["images"], case["filters"], np.float32)
    assert_close(ours, oracle.conv2d(**case), scale_of(case["images"], case["filters"]))


@given(st.data())
@settings(max_examples=40)
def test_depthwise_conv2d_is_the_plain_loop(data):
    images = data.draw(pictures())
    window, strides, dilations = data.draw(pairs), data.draw(pairs), data.draw(pairs)
    padding = data.draw(st.sampled_from(["same", 4]))
    filters = np.random.default_rng(1).normal(
        size=(*window, images.shape[3], data.draw(st.integers(1, 3)))
    )
    ours = depthwise_conv2d(images, filters, strides, padding, dilations)
    theirs = oracle.depthwise_conv2d(images, filters, strides, padding, dilations)
    assert_close(ours, theirs, scale_of(images, filters))


@given(convolutions(dtype="float64"), st.floats(-3, 3))
@settings(max_examples=30)
def test_conv2d_is_linear_in_the_pictures(case, factor):
    case["bias"] = None
    images = case.pop("images")
    other = np.random.default_rng(0).normal(size=images.shape)
    separate = conv2d(images, **case) + factor * conv2d(other, **case)
    assert_close(conv2d(images + factor * other, **case), separate)


def test_a_shifted_picture_gives_shifted_feature_maps(random_picture):
    maps = conv2d(random_picture, kernels.gaussian(5))
    shifted = conv2d(random_picture[2:, 3:], kernels.gaussian(5))
    np.testing.assert_allclose(shifted, maps[2:, 3:], rtol=1e-12)


@pytest.fixture
def random_picture():
    return np.random.default_rng(4).random((20, 23, 3))


def test_a_picture_alone_is_the_same_as_in_a_batch(random_picture):
    alone = conv2d(random_picture, kernels.sobel_x(3), padding="same")
    batch = conv2d(np.stack([random_picture * 0, random_picture]), kernels.sobel_x(3), 1, "same")
    assert alone.shape == (20, 23, 1)
    np.testing.assert_array_equal(batch[1], alone)


def test_a_plain_kernel_is_laid_on_every_channel_and_summed(random_picture):
    kernel = np.random.default_rng(0).normal(size=(3, 4))
    by_hand = sum(conv2d(random_picture[:, :, c : c + 1], kernel) for c in range(3))
    assert_close(conv2d(random_picture, kernel), by_hand)


def test_the_filters_of_the_notes(random_picture):
    filters = np.zeros((7, 7, 3, 2), np.float32)
    filters[:, 3, :, 0] = 1
    filters[3, :, :, 1] = 1
    maps = conv2d(random_picture, filters, strides=1, padding="SAME")
    gray = np.pad(random_picture.sum(axis=2), 3)
    assert maps.dtype == np.float64
    assert maps[5, 6, 0] == pytest.approx(gray[5:12, 9].sum(), rel=1e-12)
    assert maps[5, 6, 1] == pytest.approx(gray[8, 6:13].sum(), rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("narrowest", [1, 99])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("budget", [1, 5_000, 100_000])
@pytest.mark.parametrize("padding", ["valid", ((1, 2), (0, 3))])
def test_however_the_work_is_cut_the_result_is_the_same(
    monkeypatch, dtype, narrowest, groups, budget, padding
):
    generator = np.random.default_rng(2)
    images = generator.normal(size=(5, 17, 12, 2 * groups)).astype(dtype)
    filters = generator.normal(size=(3, 2, 2, 6)).astype(dtype)
    settings = {"strides": (2, 1), "padding": padding, "dilations": (2, 3)}
    expected = conv2d(images, filters, **settings, groups=groups, bias=np.ones(6))

    monkeypatch.setattr(fast_convolution, "NARROWEST_BLOCK", narrowest)
    monkeypatch.setattr(fast_convolution, "MATRIX_BYTES", budget)
    monkeypatch.setattr(fast_convolution, "BAND_BYTES", budget)
    maps = conv2d(images, filters, **settings, groups=groups, bias=np.ones(6))
    assert_close(maps, expected)
    # The last filter sees the last two channels, whatever the groups.
    last = oracle.conv2d(images[4:, :, :, -2:], filters[..., -1:], **settings, groups=1)
    assert_close(maps[4:, :, :, -1:] - 1, last)


@pytest.mark.parametrize(
    ("images", "filters", "result"),
    [
        ("uint8", "float32", "float32"),
        ("bool", "float32", "float32"),
        ("float16", "float16", "float32"),
        ("int16", "int8", "float32"),
        ("uint8", "float64", "float64"),
        ("float64", "float32", "float64"),
        ("int32", "float32", "float64"),
        ("uint64", "float16", "float64"),
        ("longdouble", "float32", "float64"),
        (">f4", ">f4", "float32"),
        (">f8", "float32", "float64"),
    ],
)
def test_the_dtype_of_the_result(images, filters, result):
    maps = conv2d(np.ones((3, 3, 1), images), np.ones((2, 2, 1, 1), filters))
    assert maps.dtype == result
    assert (maps == 4).all()


def test_bright_integer_pictures_do_not_overflow():
    white = np.full((9, 9, 3), 255, np.uint8)
    assert conv2d(white, np.ones((9, 9), np.uint8)).item() == 255 * 9 * 9 * 3
    assert conv2d(np.full((1, 1, 1), 2**40), [[2**10]]).item() == 2.0**50
    assert conv2d(np.full((1, 1, 1), -128, np.int8), np.full((1, 1), -128, np.int8)).item() == 16384


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("filters", [4, 40])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_pixels_reach_exactly_the_windows_that_see_them(dtype, filters, value):
    images = np.random.default_rng(0).random((2, 21, 34, 3)).astype(dtype)
    images[1, 10, 20, 1] = value
    maps = conv2d(images, np.ones((5, 3, 3, filters), dtype), padding="same")
    seen = np.zeros((2, 21, 34, filters), bool)
    seen[1, 8:13, 19:22] = True
    np.testing.assert_array_equal(~np.isfinite(maps), seen)
    np.testing.assert_array_equal(maps[seen], np.full(seen.sum(), value, dtype))


def test_pictures_of_any_memory_layout_are_read_right_and_left_alone(random_picture):
    kernel = kernels.sobel_y(3)
    expected = conv2d(random_picture, kernel)
    frozen = random_picture.copy()
    frozen.flags.writeable = False
    turned = np.asfortranarray(random_picture)
    backwards = random_picture[::-1, ::-1].copy()[::-1, ::-1]
    for picture in (frozen, turned, backwards, random_picture.tolist()):
        assert_close(conv2d(picture, kernel), expected)
    np.testing.assert_array_equal(frozen, random_picture)


def test_the_result_is_contiguous_writable_and_its_own(random_picture):
    original = random_picture.copy()
    for dtype in ("float32", "float64"):
        picture = random_picture.astype(dtype)
        maps = conv2d(picture, np.ones((1, 1, 1, 3), dtype), groups=3)
        assert maps.flags.c_contiguous
        maps[:] = 0
        np.testing.assert_array_equal(picture, original.astype(dtype))


PICTURE = np.zeros((4, 5, 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((4, 5))}, r"shape \(4, 5\).*image\[\.\.\., np\.newaxis\]"),
        ({"images": np.zeros((1, 1, 4, 5, 3))}, r"images has shape \(1, 1, 4, 5, 3\)"),
        ({"images": np.zeros((0, 5, 3))}, r"images has shape \(0, 5, 3\): it holds no pixel"),
        ({"images": PICTURE.astype(complex)}, "images has dtype complex128"),
        ({"images": PICTURE.astype(object)}, "images has dtype object"),
        ({"images": "china"}, "images has dtype <U5"),
        ({"images": [[[1, 2], [3]]]}, "images is ragged"),
        ({"filters": np.zeros((3, 3, 3))}, r"filters has shape \(3, 3, 3\)"),
        ({"filters": np.zeros((3, 3, 3, 0))}, r"filters has shape \(3, 3, 3, 0\)"),
        ({"filters": np.zeros((3, 3), complex)}, "filters has dtype complex128"),
        ({"filters": np.zeros((3, 3, 1, 2))}, "filters are for 1 channels, .* have 3"),
        ({"filters": np.zeros((5, 3))}, "window's height of 5 is larger than the picture's 4"),
        ({"filters": np.zeros((2, 6))}, "window's width of 6 is larger than the picture's 5"),
        ({"dilations": 3}, r"height of 3 \(dilated to 7\) is larger"),
        ({"filters": np.zeros((7, 3)), "padding": 1}, r"the picture's 4 \(6 with padding\)"),
        ({"strides": 0}, "strides is 0; it must be a whole number of at least 1"),
        ({"strides": 1.5}, r"strides is 1\.5"),
        ({"strides": True}, "strides is True"),
        ({"strides": (1, 2, 3)}, r"strides is \(1, 2, 3\)"),
        ({"strides": (1, -1)}, "strides is -1"),
        ({"dilations": 0}, "dilations is 0"),
        ({"padding": "full"}, "padding is 'full'; it must be"),
        ({"padding": -1}, "padding is -1; it must be"),
        ({"padding": (1, 1)}, r"padding is \(1, 1\); it must be"),
        ({"padding": ((0, 1), (0, -1))}, "padding is -1"),
        ({"padding": None}, "padding is None"),
        ({"groups": 0}, "groups is 0"),
        ({"groups": 3}, "groups is 3, but a .* kernel sums over all channels"),
        ({"groups": 2, "filters": np.zeros((1, 1, 1, 2))}, "groups is 2; it must divide the 3"),
        ({"groups": 3, "filters": np.zeros((1, 1, 1, 4))}, "groups is 3; .* and the 4 filters"),
        ({"bias": [1.0, 2.0]}, r"bias has shape \(2,\); it must be \(1,\)"),
        ({"bias": 1.0}, r"bias has shape \(\)"),
        ({"semantics": "jax"}, "semantics is 'jax'"),
        ({"semantics": "torch", "padding": "same", "strides": 2}, "PyTorch has no padding"),
        ({"semantics": "torch", "padding": ((0, 1), (0, 0))}, "PyTorch pads both ends alike"),
    ],
)
def test_the_impossible_is_refused_in_one_clear_line(arguments, message):
    settings = {"images": PICTURE, "filters": np.zeros((3, 3)), **arguments}
    with pytest.raises(ConfigError, match=message) as caught:
        conv2d(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(3, 3), (3, 3, 2, 1), (3, 3, 3, 0)])
def test_depthwise_filters_must_be_for_the_channels_of_the_pictures(shape):
    with pytest.raises(ConfigError, match=r"it must be \(height, width, 3, multiplier\)"):
        depthwise_conv2d(PICTURE, np.zeros(shape))
