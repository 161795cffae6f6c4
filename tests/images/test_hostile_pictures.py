"""What is no picture, or a damaged one, is one clear line; what is too large is never decoded."""

import io
import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convolens.errors import ConfigError, ImageError
from convolens.images import ImageLimits, load_image

RNG = np.random.default_rng(7)
COLOUR = RNG.integers(0, 256, (12, 17, 3), dtype=np.uint8)
GREY = COLOUR[:, :, 0]


def encoded(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros((3, 8, 8), np.uint8), "channels come last"),
        (np.zeros((0, 8), np.uint8), "none of them zero"),
        (np.zeros((2, 8, 8, 3), np.uint8), r"shape \(2, 8, 8, 3\): not a picture"),
        (np.zeros(8, np.uint8), "not a picture"),
        (np.zeros((4, 4), np.int64), "dtype int64; allowed: uint8"),
        (np.full((4, 4), 1.5), "float pixels from 1.5 to 1.5; allowed: 0..1"),
        (np.full((4, 4), np.nan), "allowed: 0..1"),
        (np.full((4, 4), -0.1), "allowed: 0..1"),
        (np.zeros((4, 4), complex), "dtype complex128"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array, text):
    with pytest.raises(ImageError, match=text):
        load_image(array)


@pytest.mark.parametrize("source", [None, 3, ["china"], object()])
def test_other_objects_are_refused(source):
    with pytest.raises(ImageError, match="not a picture; allowed: a path, a sample's name"):
        load_image(source)


@pytest.mark.parametrize("channels", [0, 2, 4, "3"])
def test_other_channels_are_refused(channels):
    with pytest.raises(ConfigError, match=r"allowed: 1 \(grey\), 3 \(RGB\)"):
        load_image(GREY, channels=channels)


def test_a_name_that_is_nothing_says_both_in_one_line():
    with pytest.raises(ImageError) as caught:
        load_image("chian")
    assert str(caught.value) == (
        "there is no file 'chian', and it is no sample picture's name; "
        "did you mean 'china'? Allowed: china, flower"
    )


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000, "no/such/folder.png"])
def test_impossible_names_are_an_image_error(name):
    with pytest.raises(ImageError):
        load_image(name)


def test_folders_and_pipes_are_not_opened(tmp_path):
    with pytest.raises(ImageError, match="is a folder, not a picture file"):
        load_image(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ImageError, match="is a device or a pipe"):
            load_image(tmp_path / "pipe")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"<svg/>",
        b"%!PS-Adobe-3.0 EPSF",
        b"P5 3",
    ],
)
def test_what_is_no_picture_is_refused_by_name(tmp_path, content):
    path = tmp_path / "thing.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"thing\.png: "):
        load_image(path)


def test_the_refusal_lists_the_formats():
    with pytest.raises(
        ImageError, match="picture of 5 bytes: not a picture that can be read; allowed"
    ):
        load_image(b"hello")


def test_a_picture_with_too_many_pixels_is_refused_before_decoding(tmp_path):
    small = Image.fromarray(COLOUR)
    with pytest.raises(ImageError, match="17 x 12 is 204 pixels; at most 203 are read"):
        load_image(small, limits=ImageLimits(pixels=203))
    assert load_image(small, limits=ImageLimits(pixels=204)).shape == (12, 17, 3)
    with pytest.raises(ConfigError, match="pixels is 0"):
        ImageLimits(pixels=0)


@pytest.mark.parametrize("side", [7_100, 10_000, 60_000])
def test_a_few_bytes_cannot_ask_for_gigabytes(side):
    # A bitmap's head alone: were it decoded, the answer would be "truncated".
    head = b"BM" + bytes(8) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
    head += side.to_bytes(4, "little") * 2 + b"\x01\0\x18\0" + bytes(24)
    with pytest.raises(ImageError, match="pixels"):
        load_image(head)


def test_no_setting_of_pillow_is_changed_and_its_warnings_do_not_leak(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)  # 204 pixels: Pillow would warn
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_image(encoded(Image.fromarray(COLOUR), "PNG"))
    assert caught == []
    assert list(warnings.filters) == before
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ImageError, match="MAX_IMAGE_PIXELS"):
        load_image(encoded(Image.fromarray(COLOUR), "PNG"))


def test_threads_leave_the_warning_filters_as_they_were():
    before = list(warnings.filters)
    content = encoded(Image.fromarray(COLOUR), "PNG")
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(load_image, [content] * 64))
    assert all((pixels == COLOUR).all() for pixels in read)
    assert list(warnings.filters) == before


FILES = {
    "jpeg": encoded(Image.fromarray(COLOUR), "JPEG"),
    "progressive": encoded(Image.fromarray(COLOUR), "JPEG", progressive=True),
    "png": encoded(Image.fromarray(COLOUR), "PNG"),
    "gif": encoded(Image.fromarray(COLOUR), "GIF"),
    "bmp": encoded(Image.fromarray(COLOUR), "BMP"),
    "tiff": encoded(Image.fromarray(COLOUR), "TIFF"),
    "tiff-lzw": encoded(Image.fromarray(COLOUR), "TIFF", compression="tiff_lzw"),
    "ppm": encoded(Image.fromarray(COLOUR), "PPM"),
    "webp": encoded(Image.fromarray(COLOUR), "WEBP"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_refused_or_lost_nothing_of_the_picture(name):
    content = FILES[name]
    whole = load_image(content)
    refused = 0
    for length in range(len(content)):
        try:
            read = load_image(content[:length])
        except ImageError:
            refused += 1
        else:
            np.testing.assert_array_equal(read, whole)
    assert refused > 0.9 * len(content)


@settings(max_examples=150)
@given(
    name=st.sampled_from(sorted(FILES)),
    edits=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_a_damaged_file_is_a_picture_or_an_image_error(name, edits):
    content = bytearray(FILES[name])
    for position, value in edits:
        content[position % len(content)] = value
    try:
        pixels = load_image(bytes(content))
    except ImageError:
        pass
    else:
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3


def test_a_closed_pillow_image_is_an_image_error(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "gone.png")
    image = Image.open(tmp_path / "gone.png")
    image.close()
    with pytest.raises(ImageError, match=r"gone\.png"):
        load_image(image)
