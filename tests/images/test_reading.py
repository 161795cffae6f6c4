import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from PIL import Image

from convolens.errors import ImageError
from convolens.images import load_image

RNG = np.random.default_rng(7)
COLOUR = RNG.integers(0, 256, (12, 17, 3), dtype=np.uint8)
GREY = COLOUR[:, :, 0]


def encoded(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
@pytest.mark.parametrize("pixels", [COLOUR, GREY], ids=["colour", "grey"])
def test_lossless_formats_give_the_pixels_back(tmp_path, file_format, pixels):
    options = {"lossless": True} if file_format == "WEBP" else {}
    path = tmp_path / "picture.wrong"  # the content decides, not the name
    Image.fromarray(pixels).save(path, file_format, **options)
    wanted = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    if file_format == "WEBP":  # it has no grey
        wanted = np.broadcast_to(wanted, (12, 17, 3))
    read = load_image(path)
    np.testing.assert_array_equal(read, wanted)
    assert read.dtype == np.uint8
    assert read.flags.c_contiguous
    assert read.flags.writeable
    np.testing.assert_array_equal(load_image(path.read_bytes()), read)


def test_a_jpeg_named_png_is_read_as_the_jpeg_that_it_is(tmp_path):
    smooth = np.broadcast_to(np.arange(0, 160, 10, dtype=np.uint8)[:, None], (16, 16))
    path = tmp_path / "photograph.png"
    path.write_bytes(encoded(Image.fromarray(smooth), "JPEG", quality=95))
    assert np.abs(load_image(path)[:, :, 0].astype(int) - smooth).max() <= 3


def test_samples_by_name_are_the_ones_of_scikit_learn():
    from sklearn.datasets import load_sample_image

    for name in ("china", "flower"):
        np.testing.assert_array_equal(load_image(name), load_sample_image(f"{name}.jpg"))


def test_a_sample_name_wins_over_a_file_and_a_path_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "china").write_bytes(encoded(Image.fromarray(COLOUR), "PNG"))
    assert load_image("china").shape == (427, 640, 3)
    assert load_image("./china").shape == (12, 17, 3)
    assert load_image(tmp_path / "china").shape == (12, 17, 3)


def test_channels_convert_by_the_luma_of_pillow():
    grey = load_image(COLOUR, channels=1)
    luma = COLOUR @ np.array([0.299, 0.587, 0.114])  # ITU-R 601
    assert grey.shape == (12, 17, 1)
    assert np.abs(grey[:, :, 0] - luma).max() <= 0.51
    back = load_image(GREY, channels=3)
    assert (back == GREY[:, :, np.newaxis]).all()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("mark", range(1, 9))
def test_every_orientation_mark_is_undone(file_format, mark):
    upright = np.zeros((16, 24), np.uint8)
    upright[:8, :8] = 255  # bright at the top left, and nowhere else
    # What a camera stores so that the mark's own definition brings it back (row 0, column 0).
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: upright.T[::-1],
        7: upright.T[::-1, ::-1],
        8: upright.T[:, ::-1],
    }[mark]
    picture = Image.fromarray(np.ascontiguousarray(stored))
    exif = Image.Exif()
    exif[0x0112] = mark
    content = encoded(picture, file_format, exif=exif)
    read = load_image(content, channels=1)[:, :, 0]
    assert read.shape == upright.shape
    assert np.abs(read.astype(int) - upright).max() < 60
    np.testing.assert_array_equal(
        load_image(Image.open(io.BytesIO(content)), channels=1), read[..., None]
    )


def test_an_impossible_orientation_mark_changes_nothing():
    exif = Image.Exif()
    exif[0x0112] = 77
    content = encoded(Image.fromarray(COLOUR), "PNG", exif=exif)
    np.testing.assert_array_equal(load_image(content), COLOUR)


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "TIFF", "PNG"])
def test_an_animation_gives_its_first_frame(file_format):
    frames = [Image.new("RGB", (6, 5), colour) for colour in ("red", "lime", "blue")]
    content = encoded(frames[0], file_format, save_all=True, append_images=frames[1:])
    pixels = load_image(content)
    assert pixels.shape == (5, 6, 3)
    assert (np.abs(pixels.astype(int) - [255, 0, 0]) <= 2).all()


def test_transparent_pixels_show_white_in_every_way_that_a_file_says_so():
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 0] = 200
    rgba[0, :, 3] = [0, 128, 255]
    wanted = [[255, 255, 255], [227, 127, 127], [200, 0, 0]]
    for content in (encoded(Image.fromarray(rgba), form) for form in ("PNG", "TIFF")):
        assert np.abs(load_image(content)[0].astype(int) - wanted).max() <= 1

    grey_alpha = Image.fromarray(np.array([[[10, 0], [10, 255]]], np.uint8))
    assert load_image(encoded(grey_alpha, "PNG"))[0, :, 0].tolist() == [255, 10]

    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    palette.putpalette([9, 8, 7, 6, 5, 4])
    assert load_image(encoded(palette, "PNG")).tolist() == [[[9, 8, 7], [6, 5, 4]]]
    assert load_image(encoded(palette, "PNG", transparency=0))[0, 0].tolist() == [255] * 3
    assert (
        load_image(encoded(palette, "PNG", transparency=bytes([255, 0])))[0, 1].tolist()
        == [255] * 3
    )
    assert load_image(encoded(palette, "GIF", transparency=0))[0, 0].tolist() == [255] * 3

    one_colour = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    assert load_image(encoded(one_colour, "PNG", transparency=(1, 2, 3))).tolist() == [
        [[255] * 3, [4, 5, 6]]
    ]
    one_grey = Image.fromarray(np.array([[7, 8]], np.uint8))
    assert load_image(encoded(one_grey, "PNG", transparency=7)).ravel().tolist() == [255, 8]
    deep = Image.fromarray(np.array([[257, 514]], np.uint16))
    assert load_image(encoded(deep, "PNG", transparency=257)).ravel().tolist() == [255, 2]


def test_one_bit_and_cmyk_pictures():
    black_white = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")
    for form in ("PNG", "TIFF", "BMP", "PPM"):
        assert load_image(encoded(black_white, form)).tolist() == [[[0], [255]]]
    ink = Image.new("CMYK", (2, 1), (0, 255, 255, 0))
    for form in ("TIFF", "JPEG"):
        red = load_image(encoded(ink, form))[0, 0]
        assert np.abs(red.astype(int) - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa"])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_mode_of_pillow_can_be_asked_for_grey_or_colour(mode, channels):
    assert load_image(Image.new(mode, (4, 3)), channels=channels).shape == (3, 4, channels)


@pytest.mark.parametrize(
    "mode", ["CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16", "I;16B", "I;16L"]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_any_rarer_mode_too(mode, channels):
    assert load_image(Image.new(mode, (4, 3)), channels=channels).shape == (3, 4, channels)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_keep_their_range_whatever_the_values(file_format):
    dark = np.array([[0, 257, 1000, 65535 // 3]], np.uint16)
    for values in (dark, np.array([[0, 128, 129, 65535]], np.uint16)):
        read = load_image(encoded(Image.fromarray(values), file_format))
        assert read[0, :, 0].tolist() == [round(value / 257) for value in values[0].tolist()]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 100.4, 255.0], [0, 100, 255]),
        ([0.0, 257.0, 65535.0], [0, 1, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, 5e5, 1e6], [0, 128, 255]),
        ([-3.0, -3.0, -3.0], [0, 0, 0]),
    ],
)
def test_floats_are_never_clipped(values, wanted):
    image = Image.fromarray(np.array([values], np.float32))
    assert load_image(encoded(image, "TIFF"))[0, :, 0].tolist() == wanted
    assert load_image(image)[0, :, 0].tolist() == wanted


def test_whole_numbers_of_32_bits_are_never_clipped():
    for values, wanted in (
        ([0, 100, 255], [0, 100, 255]),
        ([0, 257, 65535], [0, 1, 255]),
        ([-1000, 0, 1000], [0, 128, 255]),
    ):
        image = Image.fromarray(np.array([values], np.int32))
        assert load_image(encoded(image, "TIFF"))[0, :, 0].tolist() == wanted


def test_a_float_picture_with_nan_is_refused_by_name(tmp_path):
    path = tmp_path / "bad.tif"
    Image.fromarray(np.array([[np.nan, 1]], np.float32)).save(path)
    with pytest.raises(ImageError, match=r"bad\.tif: holds NaN or infinity"):
        load_image(path)


@given(
    pixels=hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6).map(lambda s: (*s, 3))
    )
)
def test_arrays_pillow_images_and_files_agree(pixels):
    image = Image.fromarray(pixels)
    for source in (
        pixels,
        image,
        encoded(image, "PNG"),
        pixels / 255,
        pixels.astype(np.uint16) * 257,
    ):
        np.testing.assert_array_equal(load_image(source), pixels)


def test_the_result_is_the_callers_own():
    pixels = COLOUR.copy()
    load_image(pixels)[:] = 0
    np.testing.assert_array_equal(pixels, COLOUR)
    image = Image.fromarray(COLOUR)
    load_image(image)[:] = 0
    np.testing.assert_array_equal(np.asarray(image), COLOUR)


def test_a_pillow_image_stays_open_and_on_its_frame():
    frames = [Image.new("L", (3, 3), value) for value in (10, 20)]
    image = Image.open(
        io.BytesIO(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    )
    image.seek(1)
    assert load_image(image)[0, 0, 0] == 20
    image.seek(0)
    assert load_image(image)[0, 0, 0] == 10
