"""Limits are checked before decoding, and a JPEG decoded at a fraction is the same picture."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convolens.errors import ConfigError, ImageError
from convolens.images import ImageLimits, describe_image, fit_image, load_image, load_sample
from convolens.images.orientation import UPRIGHT, turn_box


def encoded(image, file_format="JPEG", **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


CHINA = Image.fromarray(load_sample("china"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(203, 101), (97, 160), (640, 427), (64, 48)])
@pytest.mark.parametrize("policy", ["pad", "crop", "stretch"])
def test_decoding_at_a_fraction_shows_the_same_picture(orientation, size, policy):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(CHINA.resize(size), exif=exif, quality=92)
    fast = fit_image(content, 24, 31, 3, policy=policy).astype(int)
    # The oracle decodes all of it, turns it upright and fits the array.
    whole = fit_image(load_image(content), 24, 31, 3, policy=policy).astype(int)
    assert np.abs(fast - whole).mean() < 3
    assert np.corrcoef(fast.ravel(), whole.ravel())[0, 1] > 0.995


@pytest.mark.parametrize("policy", ["pad", "crop", "stretch"])
def test_a_jpeg_less_than_twice_too_large_gives_the_very_values_of_its_array(policy):
    content = encoded(CHINA.resize((60, 46)))
    assert np.array_equal(
        fit_image(content, 24, 31, 3, policy=policy),
        fit_image(load_image(content), 24, 31, 3, policy=policy),
    )


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.tuples(*[st.integers(0, 4)] * 2),
    st.sampled_from(sorted(UPRIGHT.values())),
)
@settings(max_examples=200)
def test_a_box_turns_as_its_picture_does(width, height, corner, method):
    left, top = min(corner[0], width - 1), min(corner[1], height - 1)
    marked = np.zeros((height, width), np.uint8)
    marked[top:, left:] = 255
    turned = np.asarray(Image.fromarray(marked).transpose(method)) > 0
    rows, columns = np.flatnonzero(turned.any(axis=1)), np.flatnonzero(turned.any(axis=0))
    assert turn_box((left, top, width, height), (width, height), method) == (
        columns[0],
        rows[0],
        columns[-1] + 1,
        rows[-1] + 1,
    )


def test_the_head_of_a_file_without_decoding_it():
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = describe_image(encoded(CHINA, exif=exif))
    assert (facts.format, facts.height, facts.width) == ("JPEG", 640, 427)
    assert (facts.channels, facts.frames, facts.note) == (3, 1, None)
    grey = Image.fromarray(np.zeros((5, 4), np.uint16))
    assert describe_image(encoded(grey, "PNG")).channels == 1


@pytest.mark.parametrize(("file_format", "what"), [("GIF", "frames"), ("TIFF", "pages")])
def test_an_animation_says_so_and_has_a_limit(file_format, what):
    frames = [Image.new("L", (4, 4), 10 * number) for number in range(5)]
    content = encoded(frames[0], file_format, save_all=True, append_images=frames[1:])
    assert describe_image(content).note == f"holds 5 {what}; the first one is used"
    assert load_image(content)[0, 0, 0] == 0
    with pytest.raises(ImageError, match="holds 5 frames; at most 4 are allowed") as caught:
        load_image(content, limits=ImageLimits(frames=4))
    assert caught.value.kind == "too_large"


def test_a_progressive_jpeg_of_thousands_of_scans_is_refused_before_decoding():
    content = encoded(Image.new("RGB", (5_000, 5_000)), progressive=True)
    assert load_image(content).shape == (5_000, 5_000, 3)
    # The last scan once more, again and again: each makes the decoder walk over all blocks.
    start = content.rindex(b"\xff\xda")
    bomb = content[:start] + content[start:-2] * 500 + content[-2:]
    assert len(bomb) < 10**7
    with pytest.raises(ImageError, match="scans over 25,000,000 pixels") as caught:
        load_image(bomb)
    assert caught.value.kind == "too_large"


def test_the_file_of_too_many_bytes_is_not_read(tmp_path):
    path = tmp_path / "large.jpg"
    path.write_bytes(encoded(CHINA))
    limits = ImageLimits(bytes=1_000)
    with pytest.raises(ImageError, match=r"large\.jpg: more than 1,000 bytes") as caught:
        load_image(path, limits=limits)
    assert caught.value.kind == "too_large"
    with pytest.raises(ImageError, match="more than 1,000 bytes"):
        load_image(path.read_bytes(), limits=limits)


def test_a_file_that_keeps_the_reader_busy_is_given_up_on():
    content = encoded(CHINA)
    with pytest.raises(ImageError, match="takes longer than 1e-09 s") as caught:
        load_image(content, limits=ImageLimits(seconds=1e-9))
    assert caught.value.kind == "too_slow"


def test_a_mark_that_cannot_be_read_counts_as_upright():
    content = encoded(CHINA.resize((8, 6)))
    broken = b"\xff\xe1\x00\x10Exif\x00\x00garbage!"
    assert load_image(content[:2] + broken + content[2:]).shape == (6, 8, 3)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "empty_file"), (b"hello", "not_an_image"), (encoded(CHINA)[:900], "damaged")],
)
def test_every_refusal_has_a_kind(tmp_path, content, kind):
    path = tmp_path / "picture.jpg"
    path.write_bytes(content)
    for source in (path, content):
        with pytest.raises(ImageError) as caught:
            load_image(source)
        assert caught.value.kind == kind
    with pytest.raises(ImageError) as caught:
        load_image(tmp_path / "absent.jpg")
    assert caught.value.kind == "missing_file"


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "9"])
def test_impossible_limits_are_refused(value):
    with pytest.raises(ConfigError, match="pixels is"):
        ImageLimits(pixels=value)
    if value != 1.5:
        with pytest.raises(ConfigError, match="seconds is"):
            ImageLimits(seconds=value)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 86_401])
def test_a_time_that_no_timer_knows_is_refused(value):
    with pytest.raises(ConfigError, match="allowed: a number above 0 and at most 86,400"):
        ImageLimits(seconds=value)
    assert ImageLimits(seconds=86_400).seconds == 86_400


def test_a_cameras_file_of_several_jpegs_is_a_jpeg():
    photograph, preview = CHINA.resize((320, 214)), Image.new("RGB", (32, 21))
    content = encoded(photograph, "MPO", save_all=True, append_images=[preview] * 3)
    with Image.open(io.BytesIO(content)) as opened:
        assert (opened.format, opened.n_frames) == ("MPO", 4)
    alone = content[: content.index(b"\xff\xd9") + 2]
    for limits in (ImageLimits(), ImageLimits(frames=1)):
        facts = describe_image(content, limits=limits)
        assert (facts.format, facts.height, facts.width) == ("JPEG", 214, 320)
        assert (facts.frames, facts.note) == (1, None)
    # Decoded at a quarter, as the very same JPEG is.
    fast = fit_image(content, 24, 31, 3)
    assert np.array_equal(fast, fit_image(encoded(photograph), 24, 31, 3))
    assert not np.array_equal(fast, fit_image(load_image(content), 24, 31, 3))
    assert np.array_equal(load_image(alone), load_image(content))


def bitmap_head(side):
    head = b"BM" + bytes(8) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
    return head + side.to_bytes(4, "little") * 2 + b"\x01\0\x18\0" + bytes(24)


def test_beyond_pillows_own_limit_the_message_is_ours():
    with pytest.raises(ImageError, match="2,500,000,000 pixels; at most 50,000,000 are read"):
        load_image(bitmap_head(50_000))
    with pytest.raises(ImageError, match=r"raise PIL\.Image\.MAX_IMAGE_PIXELS"):
        load_image(bitmap_head(50_000), limits=ImageLimits(pixels=10**10))
