"""Faulty arrays: values, labels and shapes."""

import numpy as np
import pytest
from faults import problems_of, texture

from convolens.data import check_data, load_data
from convolens.errors import ConfigError, DataError

N = 30
X = np.stack([np.asarray(texture(first + n)) for first in (0, 100) for n in range(15)])
Y = np.repeat([0, 1], 15)


def changed(array, position, value):
    """A copy with one other value."""
    copy = array.copy()
    copy[position] = value
    return copy


def judge_arrays(x, y, expected=(), **options):
    """Load and check arrays: what was planted is found, nothing else, and nothing is changed."""
    before = (np.array(x, copy=True), np.array(y, copy=True))
    dataset = load_data((x, y), **options)
    summary = check_data(dataset)
    for array, kept in zip((x, y), before, strict=True):
        np.testing.assert_array_equal(np.asarray(array), kept)
    assert problems_of(summary) == dict.fromkeys(expected, 1)
    assert summary.seen == N == summary.used + summary.skipped
    return dataset


FLOATS = X / 255.0

ROWS = {
    "NaN in a picture": (changed(FLOATS, (7, 3, 4, 1), np.nan), Y, "not_finite"),
    "infinity in a picture": (changed(FLOATS, (7, 0, 0, 0), np.inf), Y, "not_finite"),
    "minus infinity": (changed(FLOATS, (7, 23, 23, 2), -np.inf), Y, "not_finite"),
    "a label that is NaN": (X, changed(Y.astype(float), 7, np.nan), "missing_label"),
    "a label that is infinite": (X, changed(Y.astype(float), 7, np.inf), "label_out_of_range"),
    "a negative label": (X, changed(Y, 7, -1), "label_out_of_range"),
    "-1 in an unsigned type": (X, changed(Y.astype(np.uint64), 7, 2**64 - 1), "label_out_of_range"),
    "an empty text": (X, changed(np.array(["cat", "dog"])[Y], 7, ""), "missing_label"),
    "None": (X, changed(np.array(["cat", "dog"])[Y].astype(object), 7, None), "missing_label"),
    "a one-hot row of zeros": (X, changed(np.eye(2)[Y], 7, 0), "missing_label"),
}


@pytest.mark.parametrize("kind", ROWS)
def test_a_bad_row_is_skipped_and_the_others_are_used(kind):
    x, y, problem = ROWS[kind]
    dataset = judge_arrays(x, y, [(problem, "[7]", True)])
    found = {
        name: image
        for split in dataset.splits.values()
        for name, image in zip(split.names or (), split.images, strict=True)
    }
    assert set(found) == {f"[{row}]" for row in range(N) if row != 7}
    assert all(np.array_equal(image, X[int(name[1:-1])]) for name, image in found.items())


def test_a_label_beyond_the_class_names():
    y = changed(Y, 7, 2)
    expected = [("label_out_of_range", "[7]", True)]
    assert judge_arrays(X, y, expected, class_names=["cat", "dog"]).n_classes == 2


def test_labels_from_one_are_classes_of_their_own_names():
    dataset = judge_arrays(X, Y + 1, [("labels_not_from_zero", "labels", False)])
    assert dataset.class_names == ("1", "2")


def test_labels_from_one_with_names_take_the_first_name_for_one():
    expected = [("labels_not_from_zero", "labels", False)]
    dataset = judge_arrays(X, Y + 1, expected, class_names=["cat", "dog"])
    assert dataset.class_names == ("cat", "dog")
    assert np.bincount(dataset.train.labels).tolist() == [12, 12]


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (np.array(["dog", "cat"])[Y], ("cat", "dog")),
        (np.array([b"dog", b"cat"])[Y], ("cat", "dog")),
        (Y.astype(np.float32), ("0", "1")),
        (Y.astype(bool), ("False", "True")),
        (Y.astype(np.uint8)[:, np.newaxis], ("0", "1")),
        (np.array(["10", "9"])[Y], ("9", "10")),
        (np.eye(2)[Y], ("0", "1")),
    ],
    ids=["text", "bytes", "floats", "booleans", "a column", "numbers as text", "one-hot"],
)
def test_labels_of_any_usual_kind_are_used(y, names):
    assert judge_arrays(X, y).class_names == names


REFUSED = {
    "fractional labels": (X, Y + 0.5, DataError, "0.5 is a fraction"),
    "labels of two kinds": (X, ["cat", 1] * 15, DataError, "mix number and text; allowed"),
    "too few labels": (X, Y[:-1], DataError, "30 images with 29 labels; each image needs exactly"),
    "too many labels": (X[:-1], Y, DataError, "29 images with 30 labels"),
    "several classes a row": (X, np.ones((30, 2)), DataError, "one class a row"),
    "no labels": (X, [None] * 30, DataError, "none of 30 pictures can be used: 30 missing_label"),
    "one class": (X, Y * 0, DataError, "all 30 images are of one class"),
    "no pictures": (X[:0], Y[:0], DataError, "none of them zero"),
    "NaN everywhere": (FLOATS * np.nan, Y, DataError, "none of 30 pictures can be used: 30 not_f"),
    "two axes": (X.reshape(30, -1), Y, DataError, r"flat rows need shape=.*shape=\(24, 24, 3\)"),
    "five axes": (X[np.newaxis], Y, DataError, r"of shape \(1, 30, 24, 24, 3\); allowed: \(n, h"),
    "five channels": (np.zeros((30, 8, 8, 5)), Y, DataError, r"5 channels; allowed: 1 \(grey\)"),
    "channels first, unsaid": (X.transpose(0, 3, 1, 2), Y, DataError, "pass channels_first=True"),
    "objects": (np.array([object()] * 30), Y, DataError, "of dtype object; allowed: bool, whole"),
    "objects that are arrays": (np.array([*X, None], object)[:-1], Y, DataError, "pass a list"),
    "text": (np.array(["a"] * 30), Y, DataError, "of dtype <U1; allowed: bool, whole numbers, fl"),
    "complex numbers": (X * 1j, Y, DataError, "dtype complex128; allowed"),
    "floats of 0..255": (X.astype(float), Y, DataError, "allowed: 0 to 1, or name the darkest"),
    "negative pixels": (FLOATS - 0.5, Y, DataError, "allowed: 0 to 1, or name the darkest"),
    "12 bits": (X.astype(np.int32) * 16, Y, DataError, r"value_range=\(0, 4095\)"),
    "8 bits in 16": (X.astype(np.uint16), Y, DataError, r"would be black.*astype\(uint8\)"),
    "ragged rows": ([[1, 2], [3]], [0, 1], DataError, "does not become an array"),
    "a single picture": (X[0], [0], DataError, "1 labels; .*; a single picture goes into a list"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_arrays_that_are_no_data_set_are_refused_in_one_line(kind):
    x, y, error, words = REFUSED[kind]
    with pytest.raises(error, match=words) as caught:
        load_data((x, y))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ({"train": (X, Y), "tset": (X, Y)}, ConfigError, "split 'tset'; did you mean 'test'"),
        ({"test": (X, Y)}, DataError, "nothing to train on"),
        ({}, DataError, "no arrays"),
        ((X, Y, Y), DataError, r"data are no pair; allowed: \(X, y\)"),
        ({"train": X}, DataError, "are no pair"),
        ({"train": (X, Y), "test": (X, np.array(["a", "b"])[Y])}, DataError, "different kinds"),
        (None, DataError, "cannot be of the type NoneType"),
        (X, DataError, "cannot be of the type ndarray"),
    ],
    ids=[
        *("a misspelt split", "no training part", "nothing", "three arrays", "no labels"),
        *("labels of two kinds", "None", "no tuple"),
    ],
)
def test_sources_of_another_form_are_refused(source, error, words):
    with pytest.raises(error, match=words) as caught:
        load_data(source)
    assert "\n" not in str(caught.value)


def test_classes_of_very_different_sizes_are_said():
    many = np.stack([np.asarray(texture(5_000 + n, 12, 12)) for n in range(150)])
    few = np.stack([np.asarray(texture(6_000 + n, 12, 12)) for n in range(13)])
    data = load_data((np.concatenate([many, few]), ["cat"] * 150 + ["dog"] * 13))
    found = check_data(data)
    assert problems_of(found) == {("class_imbalance", "train", False): 1}
    assert found.problems[0].reason.endswith(": 11 times as many")
