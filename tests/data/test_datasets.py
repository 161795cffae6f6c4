import dataclasses

import numpy as np
import pytest

from convolens.data import Dataset, Split
from convolens.errors import DataError

IMAGES = np.arange(4 * 3 * 2 * 1, dtype=np.uint8).reshape(4, 3, 2, 1)
LABELS = np.array([0, 1, 1, 0])
NAMES = ("cat", "dog")


def dataset(train=None, validation=None, test=None, names=NAMES):
    part = Split(IMAGES, LABELS)
    return Dataset("pets", train or part, validation or part, test, names, "made by hand")


@pytest.mark.parametrize(
    ("images", "labels", "text"),
    [
        (
            IMAGES.astype(np.float32),
            LABELS,
            "images of shape .* dtype float32; allowed: .n, height",
        ),
        (IMAGES[0], LABELS, r"images of shape \(3, 2, 1\)"),
        (IMAGES[:0], LABELS[:0], "none of them zero"),
        (IMAGES.tolist(), LABELS, "images are a list; allowed: a NumPy array"),
        (IMAGES[:, ::2], LABELS, "not C-contiguous"),
        (IMAGES, LABELS.astype(np.int32), "labels of shape .* dtype int32; allowed: .n,.*int64"),
        (IMAGES, LABELS[:, None], r"labels of shape \(4, 1\)"),
        (IMAGES, LABELS[:3], "4 images with 3 labels"),
        (IMAGES, LABELS - 1, "label -1; allowed: the index of a class, from 0"),
    ],
)
def test_a_split_that_is_none_cannot_be_made(images, labels, text):
    with pytest.raises(DataError, match=text):
        Split(images, labels)


@pytest.mark.parametrize("names", [("cat",), ("cat", "cat"), ("cat", ""), ()])
def test_class_names_must_tell_classes_apart(names):
    with pytest.raises(DataError, match=r"pets: class names .* allowed: two or more, distinct"):
        dataset(names=names)


def test_a_label_without_a_class_is_refused():
    with pytest.raises(DataError, match="pets: test holds label 2 but there are 2 classes"):
        dataset(test=Split(IMAGES, LABELS * 2))


def test_splits_must_have_one_shape():
    other = Split(np.zeros((4, 3, 3, 1), np.uint8), LABELS)
    with pytest.raises(
        DataError, match=r"validation images are \(3, 3, 1\) but train images \(3, 2"
    ):
        dataset(validation=other)


def test_splits_are_those_that_exist_in_order():
    assert list(dataset().splits) == ["train", "validation"]
    assert list(dataset(test=Split(IMAGES, LABELS)).splits) == ["train", "validation", "test"]


def test_the_fingerprint_changes_with_anything_that_a_model_could_learn_from():
    part = Split(IMAGES, LABELS)
    one_pixel, one_label = IMAGES.copy(), LABELS.copy()
    one_pixel[3, 2, 1, 0] ^= 1
    one_label[2] = 0
    reshaped = Split(IMAGES.reshape(4, 2, 3, 1), LABELS)
    variants = [
        dataset(),
        dataset(train=Split(one_pixel, LABELS)),
        dataset(train=Split(IMAGES, one_label)),
        dataset(validation=Split(one_pixel, LABELS)),
        dataset(test=part),
        dataset(test=Split(IMAGES[:2], LABELS[:2])),
        dataset(names=("cat", "fox")),
        dataset(names=("dog", "cat")),
        dataset(train=reshaped, validation=reshaped),
    ]
    assert len({data.fingerprint for data in variants}) == len(variants)
    assert dataset().fingerprint == dataset().fingerprint
    assert len(dataset().fingerprint) == 64


def test_nothing_can_be_replaced():
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset().name = "other"
