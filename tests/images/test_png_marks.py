"""What a PNG says of itself is read without decoding it, wherever in the file it says so."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from convolens.errors import ImageError
from convolens.images import ImageLimits, describe_image, load_image

HEAD = b"\x89PNG\r\n\x1a\n"
PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 6)
ON_ITS_SIDE = 6  # the mark of a picture whose first row is the right-hand column


def part(kind, content):
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png(pixels, *, before=b"", behind=b"", bits=8, colour=0):
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    size = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    end = behind + part(b"IEND", b"")
    return HEAD + part(b"IHDR", size) + before + part(b"IDAT", zlib.compress(rows)) + end


def exif():
    mark = Image.Exif()
    mark[0x0112] = ON_ITS_SIDE
    return mark.tobytes().removeprefix(b"Exif\0\0")


def raw_profile():
    """As ImageMagick wrote it before PNG had a part for Exif."""
    content = b"Exif\0\0" + exif()
    text = f"\nexif\n{len(content):8}\n{content.hex()}\n"
    return part(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text.encode()))


XMP = part(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b'<x tiff:Orientation="%d"/>' % ON_ITS_SIDE)
MARKS = {"Exif": part(b"eXIf", exif()), "raw profile": raw_profile(), "XMP": XMP}


@pytest.fixture
def never_decoded(monkeypatch):
    def load(image):
        pytest.fail(f"{image.size} pixels were decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", load)


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_mark_counts_wherever_it_is_written_and_for_head_and_pixels_alike(mark, place):
    content = png(PIXELS, **{place: mark})
    upright = PIXELS[::-1].T
    assert np.array_equal(load_image(content)[:, :, 0], upright)
    assert np.array_equal(load_image(Image.open(io.BytesIO(content)))[:, :, 0], upright)
    facts = describe_image(content)
    assert (facts.height, facts.width) == upright.shape


@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_head_is_read_without_decoding(never_decoded, place):
    plain = describe_image(png(PIXELS, **{place: part(b"tEXt", b"Comment\0none")}))
    assert (plain.height, plain.width) == (4, 6)
    for mark in MARKS.values():
        turned = describe_image(png(PIXELS, **{place: mark}))
        assert (turned.height, turned.width) == (6, 4)


def test_a_picture_over_the_limit_is_refused_and_not_decoded(never_decoded):
    content = png(PIXELS)
    for read in (describe_image, load_image):
        with pytest.raises(ImageError, match="6 x 4 is 24 pixels; at most 23 are read") as caught:
            read(content, limits=ImageLimits(pixels=23))
        assert caught.value.kind == "too_large"
    with pytest.raises(ImageError, match="24 pixels; at most 23"):
        load_image(Image.open(io.BytesIO(content)), limits=ImageLimits(pixels=23))


def test_a_broken_note_behind_the_pixels_loses_no_picture():
    for note in (part(b"eXIf", b"garbage"), part(b"tEXt", b""), XMP[:-1] + b"?"):
        content = png(PIXELS, behind=note)
        assert np.array_equal(load_image(content)[:, :, 0], PIXELS)
        assert describe_image(content).height == 4


def test_a_png_of_a_million_empty_parts_is_refused():
    content = png(PIXELS, behind=part(b"ruSt", b"") * 1_000_000)
    for read in (describe_image, load_image):
        with pytest.raises(ImageError, match="more than 1,000,000 parts") as caught:
            read(content)
        assert caught.value.kind == "too_large"


def test_sixteen_bit_colour_is_read_as_documented():
    values = np.array([[[0, 128, 255], [257, 1_000, 65_280], [511, 40_000, 65_535]]], ">u2")
    read = load_image(png(values, bits=16, colour=2))
    assert np.array_equal(read, values >> 8)
    assert np.abs(read - np.rint(values / 257)).max() == 1
    grey = load_image(png(values[:, :, 0], bits=16))
    assert np.array_equal(grey[:, :, 0], np.rint(values[:, :, 0] / 257))
