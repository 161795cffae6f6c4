import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from convolens.errors import ConfigError, ImageError
from convolens.images import crop, fit_image, inspect_image, load_image, to_float, to_uint8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("whole", "largest"), [(np.uint8, 255), (np.uint16, 65535)])
def test_scaling_there_and_back_is_exact(dtype, whole, largest):
    values = np.arange(largest + 1).astype(whole)
    scaled = to_float(values, dtype)
    assert scaled.dtype == dtype
    np.testing.assert_array_equal(scaled, values.astype(dtype) / dtype(largest))
    np.testing.assert_array_equal(to_uint8(scaled), np.rint(values / (largest / 255)))


def test_scaling_is_the_division_of_the_notes():
    china = load_image("china")
    np.testing.assert_array_equal(to_float(china, np.float64), china / 255.0)


def test_scaling_takes_the_other_byte_order():
    assert to_float(np.array([65535], ">u2")).tolist() == [1.0]


def test_scaling_returns_a_new_array():
    values = np.array([0.5])
    to_float(values, np.float64)[:] = 0
    assert values == 0.5
    pixels = np.array([5], np.uint8)
    to_uint8(pixels)[:] = 0
    assert pixels == 5


@pytest.mark.parametrize("values", [[1.01], [-0.01], [np.nan], [np.inf]])
def test_floats_outside_the_unit_range_are_refused(values):
    for scale in (to_float, to_uint8):
        with pytest.raises(ImageError, match=r"allowed: 0\.\.1"):
            scale(np.array(values))


def test_other_types_are_refused():
    with pytest.raises(ImageError, match="pixels of dtype int64"):
        to_float(np.array([1]))
    with pytest.raises(ConfigError, match="dtype is float16; allowed: float32, float64"):
        to_float(np.array([1.0]), np.float16)


def test_crop_is_rows_by_columns_in_every_layout():
    height, width = 6, 9
    plane = np.arange(height * width).reshape(height, width)
    rows, columns = (1, 3), (4, 9)
    wanted = plane[1:3, 4:9]
    np.testing.assert_array_equal(crop(plane, rows, columns), wanted)
    np.testing.assert_array_equal(crop(plane[:, :, None], rows, columns), wanted[:, :, None])
    batch = np.stack([plane, -plane])[..., None]
    np.testing.assert_array_equal(crop(batch, rows, columns)[1, :, :, 0], -wanted)


def test_crop_is_the_box_of_the_notes_with_its_names_put_right():
    china = load_image("china")
    box = crop(china, rows=(130, 250), columns=(150, 220))
    assert box.shape == (120, 70, 3)
    np.testing.assert_array_equal(box, china[130:250, 150:220])


@pytest.mark.parametrize("pair", [(0, 7), (3, 3), (4, 2), (-1, 3), (0.0, 3), (True, 3), (1, 2, 3)])
def test_a_box_outside_or_empty_is_refused(pair):
    with pytest.raises(
        ConfigError, match=r"rows=.* is not a part of the picture's 6 rows; allowed"
    ):
        crop(np.zeros((6, 9)), pair, (0, 9))


def test_a_wrong_number_of_axes_is_refused():
    with pytest.raises(ConfigError, match=r"images of shape \(6,\)"):
        crop(np.zeros(6), (0, 1), (0, 1))


sizes = st.integers(1, 40)


@given(
    sizes, sizes, sizes, sizes, st.sampled_from(["pad", "crop", "stretch"]), st.sampled_from([1, 3])
)
def test_fitting_gives_the_size_and_never_leaves_the_range(
    height, width, to_h, to_w, policy, channels
):
    image = np.full((height, width, 3), (90, 150, 210), np.uint8)
    fitted = fit_image(image, to_h, to_w, channels, policy=policy)
    assert fitted.shape == (to_h, to_w, channels)
    colour = np.array([90, 150, 210] if channels == 3 else [139])  # the luma of that colour
    inside = np.abs(fitted.astype(int) - colour).max(axis=2) <= 1
    if policy == "pad":
        black = (fitted == 0).all(axis=2)
        assert (inside | black).all()
        assert inside.any(axis=1).all() or inside.any(axis=0).all()  # it touches two sides
    else:
        assert inside.all()


@pytest.mark.parametrize("policy", ["pad", "crop", "stretch"])
def test_a_picture_of_the_size_keeps_its_pixels(policy):
    china = load_image("china")
    np.testing.assert_array_equal(fit_image(china, 427, 640, 3, policy=policy), china)


def test_padding_centres_with_the_odd_row_last():
    fitted = fit_image(np.full((4, 8, 1), 255, np.uint8), 7, 8, 1)
    assert fitted[:, 0, 0].tolist() == [0, 255, 255, 255, 255, 0, 0]


def test_cropping_keeps_the_centre():
    image = np.zeros((10, 30, 1), np.uint8)
    image[:, 10:20] = 255
    assert (fit_image(image, 10, 10, 1, policy="crop") == 255).all()
    assert (fit_image(image, 5, 5, 1, policy="crop")[:, 1:-1] == 255).all()


def test_reduction_does_not_alias():
    # Stripes one pixel wide: picking every second one would give all black or all white.
    stripes = np.zeros((64, 64, 1), np.uint8)
    stripes[:, ::2] = 255
    inner = fit_image(stripes, 32, 32, 1, policy="stretch")[:, 2:-2]
    assert np.abs(inner.astype(int) - 128).max() <= 16


def test_fitting_reads_any_source():
    grey = Image.new("L", (20, 10), 77)
    assert (fit_image(grey, 5, 10, 3) == 77).all()


def test_fitting_refuses_what_it_cannot_do():
    image = np.zeros((4, 4), np.uint8)
    with pytest.raises(ConfigError, match="height is 0"):
        fit_image(image, 0, 4, 1)
    with pytest.raises(ConfigError, match="channels is 2"):
        fit_image(image, 4, 4, 2)
    with pytest.raises(ConfigError, match="unknown fit policy 'padd'; did you mean 'pad'"):
        fit_image(image, 4, 4, 1, policy="padd")


def test_statistics_agree_with_numpy():
    china = load_image("china")
    found = inspect_image(china)
    np.testing.assert_allclose(found.mean, china.mean(axis=(0, 1)))
    np.testing.assert_allclose(found.standard_deviation, china.std(axis=(0, 1)))
    assert found.channel_minimum == tuple(china.min(axis=(0, 1)))
    assert (found.minimum, found.maximum, found.non_finite) == (china.min(), china.max(), 0)
    assert (found.shape, found.dtype) == ((427, 640, 3), "uint8")
    json.dumps(found.to_dict(), allow_nan=False)


def test_statistics_leave_out_what_is_not_finite_and_say_so():
    found = inspect_image(np.array([[1.0, 3.0], [np.nan, np.inf]]))
    assert (found.mean, found.non_finite, found.maximum) == ((2.0,), 2, 3.0)
    assert "2 not finite" in str(found)
    with pytest.raises(ImageError, match="nothing but NaN"):
        inspect_image(np.full((2, 2), np.nan))


def test_statistics_are_legible():
    text = str(inspect_image(load_image("flower")))
    assert [line.split()[0] for line in text.splitlines()] == [
        "shape", "channel", "red", "green", "blue",
    ]  # fmt: skip
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((0, 3)), np.zeros((2, 2), complex)])
def test_statistics_of_no_picture_are_refused(bad):
    with pytest.raises(ImageError, match="not a picture"):
        inspect_image(bad)
