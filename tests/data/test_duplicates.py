"""Exact and near duplicates: altered copies are found, merely similar pictures are not."""

import itertools
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from convolens.data import StoredImages, load_data
from convolens.data.blanks import blank_pictures
from convolens.data.duplicates import duplicate_pairs, exact_duplicates, near_duplicates
from convolens.data.hash_search import FARTHEST, close_pairs
from convolens.data.perceptual import Fingerprints, perceptual_hashes
from convolens.images import load_sample


def photographs(n=24, down=0, across=0):
    """Windows of the two sample photographs that do not overlap, if wanted moved by some pixels."""
    pictures = []
    for name in ("china", "flower"):
        whole = Image.fromarray(load_sample(name))
        for top, left in itertools.product(range(2, 427 - 110, 104), range(2, 640 - 110, 104)):
            window = np.asarray(whole.crop((left, top, left + 104, top + 104)).resize((102, 102)))
            # A window of nothing but sky says too little.
            if window[3:99, 3:99].std() > 30:
                pictures.append(window[3 + down : 99 + down, 3 + across : 99 + across])
    return np.stack(pictures[: n // 2] + pictures[-n // 2 :])


def as_jpeg(picture, quality):
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def resized(picture, share):
    height, width = picture.shape[:2]
    small = Image.fromarray(picture).resize((round(width * share), round(height * share)))
    return np.asarray(small.resize((width, height)))


def enlarged(picture, pixels):
    height, width = picture.shape[:2]
    box = (pixels, pixels, width - pixels, height - pixels)
    return np.asarray(Image.fromarray(picture).resize((width, height), box=box))


def scaled(picture, gain, offset=0.0):
    return np.clip(picture * gain + offset, 0, 255).astype(np.uint8)


ALTERATIONS = {
    "compressed hard": lambda p: as_jpeg(p, 40),
    "compressed lightly": lambda p: as_jpeg(p, 95),
    "half the size and back": lambda p: resized(p, 0.5),
    "larger and back": lambda p: resized(p, 1.5),
    "darker": lambda p: scaled(p, 0.8),
    "brighter": lambda p: scaled(p, 1.1),
    "lifted": lambda p: scaled(p, 0.9, 25),
    "less contrast": lambda p: scaled(p, 0.8, 128 * 0.2),
    "cropped by one": lambda p: enlarged(p, 1),
    "cropped by two": lambda p: enlarged(p, 2),
    "noisy": lambda p: scaled(p + np.random.default_rng(0).normal(0, 4, p.shape), 1.0),
    "softened": lambda p: np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(0.7))),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_altered_copy_of_a_photograph_is_found_and_nothing_else(name):
    originals = photographs()
    check_all_found(originals, np.stack([ALTERATIONS[name](picture) for picture in originals]))


@pytest.mark.parametrize(("down", "across"), [(0, 1), (1, 1), (2, 0), (0, -2), (2, 2)])
def test_a_photograph_moved_by_a_pixel_or_two_is_found(down, across):
    check_all_found(photographs(), photographs(down=down, across=across))


def check_all_found(originals, copies):
    n = len(originals)
    found = near_duplicates(np.concatenate([originals, copies]))
    assert (found[:, 1] - found[:, 0] == n).all()
    assert len(found) >= 0.85 * n, f"{len(found)} of {n}"


def test_different_photographs_and_drawings_are_not_duplicates():
    assert len(near_duplicates(photographs())) == 0
    digits = np.concatenate([split.images for split in load_data("digits").splits.values()])
    assert len(duplicate_pairs(digits)) == 0


@pytest.mark.fashion
def test_of_seventy_thousand_products_only_the_same_ones_are_duplicates(fashion_mnist):
    splits = fashion_mnist.splits.values()
    images = np.concatenate([split.images for split in splits])
    labels = np.concatenate([split.labels for split in splits])
    found = near_duplicates(images)
    # Looked at one by one: each pair is of one product, some of them in two shades.
    assert len(found) == 59
    assert (labels[found[:, 0]] == labels[found[:, 1]]).all()


def test_grey_and_small_copies_are_found_where_little_was_changed():
    small = photographs()[:, ::6, ::6].mean(axis=3, keepdims=True).astype(np.uint8)
    check_all_found(small, scaled(small, 0.85))


def test_the_result_does_not_depend_on_where_the_pictures_are():
    pictures = np.concatenate([photographs(), np.stack([scaled(p, 0.9) for p in photographs()])])
    stored = StoredImages(pictures)
    for function in (exact_duplicates, near_duplicates, duplicate_pairs, perceptual_hashes):
        np.testing.assert_array_equal(function(stored), function(pictures))


@given(st.lists(st.integers(0, 5), max_size=30))
def test_exact_copies_are_those_with_equal_pixels(values):
    images = np.array(values, dtype=np.uint8).reshape(-1, 1, 1, 1) * np.ones((1, 5, 4, 3), np.uint8)
    expected = [
        [values.index(value), place]
        for place, value in enumerate(values)
        if values.index(value) < place
    ]
    assert exact_duplicates(images).tolist() == expected


def test_three_alike_and_two_equal_hang_together():
    one, other = photographs()[:2]
    images = np.stack([one, other, scaled(one, 0.9), one, scaled(one, 0.8)])
    pairs = duplicate_pairs(images).tolist()
    assert [0, 3] in pairs
    assert {index for pair in pairs for index in pair} == {0, 2, 3, 4}


def test_blank_pictures_are_nobodys_near_duplicates():
    rng = np.random.default_rng(0)
    cards = np.clip(rng.normal(120, 1, (6, 64, 64, 3)), 0, 255).astype(np.uint8)
    assert blank_pictures(cards).all()
    assert len(near_duplicates(cards)) == 0


def test_dark_pictures_and_sparse_drawings_are_not_blank():
    dark = np.stack([scaled(picture, 0.12) for picture in photographs()])
    drawing = np.full((1, 64, 64, 1), 255, np.uint8)
    drawing[0, 30:32, 30:33] = 0
    assert not blank_pictures(dark).any()
    assert not blank_pictures(drawing).any()
    assert blank_pictures(np.zeros((2, 1, 1, 3), np.uint8)).all()


@pytest.mark.parametrize("shape", [(4, 4, 1), (8, 512, 3), (7, 9, 3), (512, 512, 1), (300, 131, 3)])
def test_hashes_of_any_size_ignore_brightness_and_tell_pictures_apart(shape):
    rng = np.random.default_rng(0)
    height, width, channels = shape
    coarse = rng.integers(0, 200, (20, 4, 4, channels), dtype=np.uint8)
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    pictures = coarse[:, rows][:, :, columns]
    hashes = perceptual_hashes(pictures)
    assert hashes.dtype == np.uint64
    np.testing.assert_array_equal(hashes, perceptual_hashes(pictures + 50))
    assert len(np.unique(hashes)) >= 18


def test_a_hash_is_the_signs_of_the_lowest_cosine_waves():
    """Against the textbook formula, in floating point, one picture at a time."""
    pictures = np.random.default_rng(3).integers(0, 256, (5, 40, 56, 1), dtype=np.uint8)

    def wave(k, n):
        return np.cos(np.pi * k * (2 * np.arange(n) + 1) / (2 * n))

    for picture, found in zip(pictures[..., 0], perceptual_hashes(pictures).tolist(), strict=True):
        strength = [[wave(u, 40) @ picture @ wave(v, 56) for v in range(8)] for u in range(8)]
        flat = np.ravel(strength)[1:]
        expected = sum(1 << place for place in np.flatnonzero(flat > np.median(flat)).tolist())
        assert (expected ^ found).bit_count() <= 1  # whole numbers round at the median


@given(st.integers(0, 2**32), st.integers(2, 60))
def test_no_close_pair_of_hashes_is_missed(seed, n):
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, n, dtype=np.uint64)
    for index in range(1, n, 2):  # each second one is the one before with up to ten bits turned
        for bit in rng.integers(0, 64, rng.integers(0, 11)).tolist():
            hashes[index] = hashes[index - 1] ^ np.uint64(1 << bit)
    prints = Fingerprints(hashes=hashes[np.newaxis], shapes=np.ones((1, n, 63), np.int8))
    expected = [
        [i, j]
        for i, j in itertools.combinations(range(n), 2)
        if (int(hashes[i]) ^ int(hashes[j])).bit_count() <= FARTHEST
    ]
    found = close_pairs(prints, least_alike=0.9)
    assert found.pairs.tolist() == expected
    assert found.complete


def test_a_crowd_of_one_hash_is_cut_and_says_so():
    n = 500
    prints = Fingerprints(
        hashes=np.zeros((1, n), dtype=np.uint64), shapes=np.ones((1, n, 63), dtype=np.int8)
    )
    assert close_pairs(prints, least_alike=0.9, most_comparisons=n * n).pairs.shape[0] > n
    found = close_pairs(prints, least_alike=0.9, most_comparisons=n * n // 4)
    assert not found.complete
    assert set(found.pairs.ravel().tolist()) == set(range(n)), "each is tied to another"


def test_no_pictures_have_no_duplicates():
    none = np.zeros((0, 16, 16, 3), dtype=np.uint8)
    for function in (exact_duplicates, near_duplicates, duplicate_pairs):
        assert function(none).shape == (0, 2)
    assert perceptual_hashes(none).shape == (0,)
