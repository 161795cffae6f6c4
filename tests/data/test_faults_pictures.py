"""One faulty picture among good ones: the documented answer, and all others used."""

import os
import sys
from collections import Counter
from itertools import chain

import numpy as np
import pytest
from faults import (
    BAD_FILES,
    SIDE,
    SPECIAL_FILES,
    encoded,
    gif_of,
    grey_texture,
    judge,
    look,
    oriented,
    picture_of,
    plant_file,
    put,
    put_good,
    rgb16_png,
    several_frames,
    snapshot,
    texture,
)
from PIL import Image

from convolens.data import load_data
from convolens.images import fit_image

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX file systems")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """All bad files together, each in a folder of its own in class "cat", and what was planted.

    Reading them at once is quicker than thirty times, and shows that none disturbs another.
    """
    root = put_good(tmp_path_factory.mktemp("faulty"))
    planted = {
        fault: plant_file(root, fault, f"cat/{number}") for number, fault in enumerate(BAD_FILES)
    }
    if os.name == "posix":
        planted |= {fault: plant(root) for fault, plant in SPECIAL_FILES.items()}
    return look(root), planted


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_file_is_skipped_by_its_kind(faulty, fault):
    judged, planted = faulty
    assert judged.about(*(path for _, path, _ in planted[fault])) == sorted(planted[fault])


@POSIX
@pytest.mark.parametrize("fault", SPECIAL_FILES)
def test_what_is_no_file_is_skipped(faulty, fault):
    judged, planted = faulty
    assert judged.about(*(path for _, path, _ in planted[fault])) == sorted(planted[fault])


def test_of_many_bad_files_nothing_else_is_said_and_all_others_are_used(faulty):
    judged, planted = faulty
    assert judged.problems == Counter(chain.from_iterable(planted.values()))
    assert judged.summary.used == 30
    for name in ("cat/0.png", "dog/14.png"):
        expected = texture(0 if name == "cat/0.png" else 114)
        assert np.array_equal(picture_of(judged.dataset, name), np.asarray(expected))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("a PNG with a wrong bit", "the picture is damaged (its part IDAT has a wrong checksum)"),
        ("a GIF cut in its head", "begins as a GIF picture does, but its head is damaged or cut"),
        ("a PNG bomb", "50000 x 50000 is 2,500,000,000 pixels; at most 50,000,000 are read"),
        ("a GIF of 1,001 frames", "holds 1,001 frames; at most 1,000 are allowed"),
        ("text named as a picture", "not a picture that can be read; allowed by content: JPEG"),
    ],
)
def test_the_reason_says_what_is_wrong_and_what_is_allowed(faulty, fault, words):
    judged, planted = faulty
    ((_, path, _),) = planted[fault]
    (reason,) = [problem.reason for problem in judged.summary.problems if problem.path == path]
    assert reason.startswith(words)


def test_one_bad_file_alone(tmp_path):
    root = put_good(tmp_path / "pictures")
    judged = judge(root, plant_file(root, "a JPEG cut at 5 tenths"))
    (problem,) = judged.summary.problems
    assert problem.reason.startswith("the picture is damaged or truncated (")


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may read all")
def test_a_file_without_permission(tmp_path):
    root = put_good(tmp_path / "pictures")
    put(root, "cat/locked.png", texture(7_000)).chmod(0)
    judge(root, [("unreadable", "cat/locked.png", True)])


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")
def test_a_file_that_opens_but_cannot_be_read(tmp_path):
    root = put_good(tmp_path / "pictures")
    (root / "cat" / "broken disk.png").symlink_to("/proc/self/mem")
    judge(root, [("unreadable", "cat/broken disk.png", True)])


def test_a_file_deleted_between_the_scan_and_its_use(tmp_path):
    root = put_good(tmp_path / "pictures")
    victim = put(root, "cat/victim.png", texture(7_001))

    def delete(what, done, n):
        if what == "looking at files" and done == n:
            victim.unlink()

    dataset = load_data(root, on_progress=delete)
    assert not victim.exists()
    assert [(p.kind, p.path, p.skipped) for p in dataset.problems] == [
        ("vanished", "cat/victim.png", True)
    ]
    assert dataset.n_used == 30


def test_a_file_that_changes_between_the_scan_and_its_use(tmp_path):
    root = put_good(tmp_path / "pictures")
    victim = put(root, "cat/victim.png", texture(7_002))

    def change(what, done, n):
        if what == "looking at files" and done == n:
            victim.write_bytes(encoded(texture(7_003)))

    dataset = load_data(root, on_progress=change)
    assert [(p.kind, p.path) for p in dataset.problems] == [("vanished", "cat/victim.png")]
    assert load_data(root).n_used == 31  # at the next look it is an ordinary file


# Unusual pictures that are used as they are: name to the file's name, its content, what its pixels
# have to be, and by how many levels they may differ.


def rgb(grey):
    return np.repeat(np.asarray(grey, dtype=np.uint8)[:, :, np.newaxis], 3, axis=2)


def on_white(image, alpha):
    colours = np.asarray(image, dtype=np.float64)
    share = np.asarray(alpha, dtype=np.float64)[:, :, np.newaxis] / 255
    return np.rint(colours * share + 255 * (1 - share)).astype(np.uint8)


def fading():
    return Image.fromarray(np.tile(np.linspace(0, 255, SIDE).astype(np.uint8), (SIDE, 1)))


def with_alpha(image):
    image.putalpha(fading())
    return image


def sixteen_bit(seed):
    """All of 0..65535, of which a reader that cuts off at 255 leaves almost nothing."""
    return grey_texture(seed).astype(np.uint16) * 257


def black_and_white(seed):
    return Image.fromarray(grey_texture(seed) > 127)


GOOD_FILES = {
    "a PNG named as JPEG": ("a.jpg", lambda: encoded(texture(1_000)), texture(1_000), 0),
    "a JPEG named as PNG": (
        "b.png",
        lambda: encoded(texture(1_001), "JPEG", quality=95, subsampling=0),
        texture(1_001),
        20,
    ),
    "a picture without a suffix": ("plain", lambda: encoded(texture(1_002)), texture(1_002), 0),
    "a suffix in capitals": ("d.PNG", lambda: encoded(texture(1_003)), texture(1_003), 0),
    "a 16-bit grey PNG": (
        "grey16.png",
        lambda: encoded(Image.fromarray(sixteen_bit(1_004))),
        rgb(grey_texture(1_004)),
        0,
    ),
    "a 16-bit colour PNG": (
        "colour16.png",
        lambda: rgb16_png(np.asarray(texture(1_005)).astype(np.uint16) * 257),
        texture(1_005),
        0,
    ),
    "a 16-bit grey TIFF": (
        "grey16.tif",
        lambda: encoded(Image.fromarray(sixteen_bit(1_006)), "TIFF"),
        rgb(grey_texture(1_006)),
        0,
    ),
    "a CMYK JPEG": (
        "cmyk.jpg",
        lambda: encoded(texture(1_007).convert("CMYK"), "JPEG", quality=95, subsampling=0),
        texture(1_007),
        20,
    ),
    "a palette": (
        "palette.png",
        lambda: encoded(texture(1_008).quantize(32)),
        texture(1_008).quantize(32).convert("RGB"),
        0,
    ),
    "1-bit": (
        "bits.png",
        lambda: encoded(black_and_white(1_009)),
        rgb(np.asarray(black_and_white(1_009)) * np.uint8(255)),
        0,
    ),
    "colour with alpha": (
        "rgba.png",
        lambda: encoded(with_alpha(texture(1_010))),
        on_white(texture(1_010), fading()),
        1,
    ),
    "grey with alpha": (
        "la.png",
        lambda: encoded(with_alpha(Image.fromarray(grey_texture(1_011)))),
        on_white(rgb(grey_texture(1_011)), fading()),
        1,
    ),
    "a float TIFF": (
        "float.tif",
        lambda: encoded(Image.fromarray(grey_texture(1_012).astype(np.float32) / 255), "TIFF"),
        rgb(grey_texture(1_012)),
        0,
    ),
    "a WebP": ("w.webp", lambda: encoded(texture(1_013), "WEBP", lossless=True), texture(1_013), 0),
    "a BMP": ("b.bmp", lambda: encoded(texture(1_014), "BMP"), texture(1_014), 0),
    "a PPM": ("p.ppm", lambda: encoded(texture(1_015), "PPM"), texture(1_015), 0),
    **{
        f"orientation {mark}": (
            f"turned{mark}.png",
            lambda mark=mark: oriented(1_100 + mark, mark),
            texture(1_100 + mark),
            0,
        )
        for mark in range(1, 9)
    },
    "an orientation that does not exist": (
        "turned99.png",
        lambda: oriented(1_109, 99),
        texture(1_109),
        0,
    ),
}


@pytest.fixture(scope="module")
def unusual(tmp_path_factory):
    root = put_good(tmp_path_factory.mktemp("unusual"))
    for name, content, _, _ in GOOD_FILES.values():
        put(root, f"dog/{name}", content())
    return judge(root).dataset  # nothing is reported of any


@pytest.mark.parametrize("kind", GOOD_FILES)
def test_an_unusual_picture_is_used_as_it_is(unusual, kind):
    name, _, expected, tolerance = GOOD_FILES[kind]
    found = picture_of(unusual, f"dog/{name}").astype(int)
    assert np.abs(found - np.asarray(expected)).max() <= tolerance


def test_all_eight_orientations_are_the_same_picture(tmp_path):
    """Also as JPEG, and where it is decoded at a fraction of its size."""
    upright = np.asarray(texture(1_200, 8 * SIDE, 8 * SIDE).resize((SIDE, SIDE)), dtype=int)
    for mark in range(1, 9):
        options = {"file_format": "JPEG", "quality": 95, "subsampling": 0}
        path = put(tmp_path, f"{mark}.jpg", oriented(1_200, mark, 8 * SIDE, **options))
        found = fit_image(path, SIDE, SIDE, 3).astype(int)
        assert np.abs(found - upright).mean() < 3


ANIMATIONS = {
    "a GIF of a thousand frames": ("a.gif", lambda: gif_of(1_000), 800, "1,000 frames"),
    "an animated WebP": (
        "a.webp",
        lambda: several_frames("WEBP", 810, lossless=True),
        810,
        "3 frames",
    ),
    "an animated PNG": ("a.png", lambda: several_frames("PNG", 820), 820, "3 frames"),
    "a TIFF of three pages": ("a.tif", lambda: several_frames("TIFF", 830), 830, "3 pages"),
}


@pytest.fixture(scope="module")
def moving(tmp_path_factory):
    root = put_good(tmp_path_factory.mktemp("moving"))
    for name, content, _, _ in ANIMATIONS.values():
        put(root, f"cat/{name}", content())
    return judge(root, [("animation", f"cat/{name}", False) for name, *_ in ANIMATIONS.values()])


@pytest.mark.parametrize("kind", ANIMATIONS)
def test_of_an_animation_the_first_frame_is_used_and_that_is_said(moving, kind):
    name, _, seed, words = ANIMATIONS[kind]
    first = texture(seed).quantize(16).convert("RGB") if name == "a.gif" else texture(seed)
    assert np.array_equal(picture_of(moving.dataset, f"cat/{name}"), np.asarray(first))
    (reason,) = [p.reason for p in moving.summary.problems if p.path == f"cat/{name}"]
    assert reason == f"holds {words}; the first one is used"


SIZES = {
    "thirty times larger": (30 * SIDE, 30 * SIDE),
    "one pixel": (1, 1),
    "a strip": (1, 5_000),
    "a pillar": (2_000, 2),
}


@pytest.fixture(scope="module")
def odd_sizes(tmp_path_factory):
    root = put_good(tmp_path_factory.mktemp("sizes"))
    for number, (name, (height, width)) in enumerate(SIZES.items()):
        put(root, f"dog/{name}.png", texture(1_300 + number, height, width))
    return look(root)


@pytest.mark.parametrize("name", SIZES)
def test_a_picture_of_unusual_size_is_used_and_reported(odd_sizes, name):
    path = f"dog/{name}.png"
    expected = [("unusual_size", path, False)]
    if name == "one pixel":  # enlarged, it is of one colour
        expected.insert(0, ("blank_image", path, False))
    assert odd_sizes.about(path) == expected
    assert odd_sizes.dataset.n_used == 34
    assert odd_sizes.dataset.shape == (SIDE, SIDE, 3)
    assert odd_sizes.problems.total() == 5


@pytest.mark.parametrize("policy", ["pad", "crop", "stretch"])
def test_every_fit_policy_takes_the_oddest_shapes(tmp_path, policy):
    root = put_good(tmp_path / "pictures")
    put(root, "dog/strip.png", texture(1_301, 1, 5_000))
    put(root, "cat/pillar.png", texture(1_302, 5_000, 1))
    before = snapshot(root)
    dataset = load_data(root, fit=policy)
    assert (dataset.n_used, dataset.fit) == (32, policy)
    assert snapshot(root) == before
