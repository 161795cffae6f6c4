import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from convolens.data.array_labels import match_groups, match_labels
from convolens.errors import DataError


def found(labels, class_names=None):
    """Class names, and the class of each row by name."""
    matched = match_labels({None: labels}, class_names)
    names = [
        matched.class_names[label] if label >= 0 else None
        for label in matched.labels[None].tolist()
    ]
    return matched.class_names, names


def kinds(labels, class_names=None):
    return [
        (problem.path, problem.kind, problem.skipped)
        for problem in match_labels({None: labels}, class_names).problems
    ]


THREE = ["0", "1", "2", "1", "0"]


@pytest.mark.parametrize(
    "dtype", ["i1", "u1", ">i2", "u2", "i4", "u4", "i8", ">u8", "f2", "f8", "O"]
)
@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_numbers_of_every_type_are_the_same_classes(dtype, shape):
    labels = np.array([0, 1, 2, 1, 0]).astype(dtype).reshape(shape)
    assert found(labels) == (("0", "1", "2"), THREE)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1, 2, 1, 0],
        [0.0, 1.0, 2.0, 1.0, 0.0],
        (np.int64(0), np.uint8(1), 2, 1, 0),
        torch.tensor([0, 1, 2, 1, 0]),
        torch.tensor([0.0, 1, 2, 1, 0], dtype=torch.bfloat16, requires_grad=True),
        list(torch.tensor([0, 1, 2, 1, 0])),
        np.eye(3)[[0, 1, 2, 1, 0]],
        np.eye(3, dtype=bool)[[0, 1, 2, 1, 0]],
        np.eye(3, dtype=int)[[0, 1, 2, 1, 0]].tolist(),
        torch.nn.functional.one_hot(torch.tensor([0, 1, 2, 1, 0])),
        ["0", "1", "2", "1", "0"],
        np.array([b"0", b"1", b"2", b"1", b"0"]),
        np.array(["0", "1", "2", "1", "0"], dtype=object),
        np.array(["0", "1", "2", "1", "0"], dtype=np.dtypes.StringDType()),
    ],
)
def test_labels_of_every_kind_are_the_same_classes(labels):
    assert found(labels) == (("0", "1", "2"), THREE)


def test_booleans_are_called_by_their_names():
    expected = (("False", "True"), ["True", "False"])
    assert found([True, False]) == expected
    assert found(np.array([True, False])) == expected
    assert found(np.array([True, False], dtype=object)) == expected
    assert found([True, True])[0] == ("False", "True")
    assert found([True, False], ["cat", "dog"]) == (("cat", "dog"), ["dog", "cat"])


words = st.text(min_size=1, max_size=4).filter(str.strip)


@given(st.lists(words, min_size=1, max_size=20), st.lists(words, min_size=1, max_size=20))
def test_text_is_matched_by_value_across_splits(train, test):
    matched = match_labels({"train": train, "test": test})
    assert set(matched.class_names) == {*train, *test}
    for split, texts in (("train", train), ("test", test)):
        assert [matched.class_names[label] for label in matched.labels[split]] == texts
    swapped = match_labels({"test": test, "train": train})
    assert swapped.class_names == matched.class_names


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.permutations(range(31)))
def test_numbers_and_their_names_say_the_same(values, order):
    names = [f"class {number}" for number in order]
    assume(set(values) != set(range(1, 32)))
    assert found(values, names)[1] == [names[value] for value in values]
    by_text = found([names[value] for value in values], names)
    assert by_text == (tuple(names), [names[value] for value in values])


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=20))
def test_numbers_are_called_by_their_value_and_sorted(values):
    names, rows = found(values)
    assert rows == [str(value) for value in values]
    assert list(names) == sorted(names, key=int)


def test_text_is_sorted_naturally():
    assert found(["class 10", "class 2", "class 1"])[0] == ("class 1", "class 2", "class 10")
    assert found(np.array([10, 2, 11]))[0] == ("2", "10", "11")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([*range(7), 8, 9], [str(number) for number in range(10)]),  # no 7 by chance
        ([*range(1, 7), 8, 9, 10], [str(number) for number in range(1, 11)]),
        ([0, 2], ["0", "2"]),
        ([3, 8], ["3", "8"]),
        ([0, 255], ["0", "255"]),
    ],
)
def test_gaps_are_classes_where_nearly_all_numbers_are_there(values, names):
    assert found(values)[0] == tuple(names)
    matched = match_labels({"train": values, "test": [values[0]]})
    assert [matched.class_names[label] for label in matched.labels["train"]] == list(
        map(str, values)
    )


def test_every_column_of_one_hot_rows_is_a_class():
    assert found(np.eye(4)[[0, 3]])[0] == ("0", "1", "2", "3")


@pytest.mark.parametrize(
    ("labels", "row"),
    [
        (np.array([0.0, np.nan, 1.0]), 1),
        ([0, None, 1], 1),
        ([0, float("nan"), 1], 1),
        (["a", "", "b"], 1),
        (["a", "  ", "b"], 1),
        (np.array([b"a", b"", b"b"]), 1),
        (np.array(["a", None, "b"], dtype=object), 1),
        (np.array(["a", np.nan, "b"], dtype=object), 1),
        (np.array([[1, 0], [0, 0], [0, 1]]), 1),
        (np.array([[1, 0], [np.nan, 0], [0, 1]]), 1),
    ],
)
def test_a_row_without_a_label_is_skipped(labels, row):
    names, rows = found(labels)
    assert [position for position, name in enumerate(rows) if name is None] == [row]
    assert kinds(labels) == [(f"[{row}]", "missing_label", True)]
    assert len(names) == 2


@pytest.mark.parametrize(
    ("labels", "class_names"),
    [
        (np.array([0, 1, -1, 1]), None),
        (np.array([0, 1, -1, 1]), ["a", "b"]),
        (np.array([0, 1, 2, 1]), ["a", "b"]),
        (np.array([0, 1, 2**64 - 1, 1], dtype=np.uint64), None),
        ([0, 1, 10**30, 1], None),
        (np.array([0, 1, np.inf, 1]), None),
        (["a", "b", "c", "b"], ["a", "b"]),
    ],
)
def test_a_row_with_an_impossible_label_is_skipped(labels, class_names):
    names, rows = found(labels, class_names)
    assert len(names) == 2
    assert [name is None for name in rows] == [False, False, True, False]
    assert kinds(labels, class_names) == [("[2]", "label_out_of_range", True)]


def test_labels_from_one_are_used_and_said():
    problem = ("labels", "labels_not_from_zero", False)
    assert found([1, 2, 3]) == (("1", "2", "3"), ["1", "2", "3"])
    assert kinds([1, 2, 3]) == [problem]
    names = ["cat", "dog", "emu"]
    assert found([1, 3, 2], names) == (("cat", "dog", "emu"), ["cat", "emu", "dog"])
    assert kinds([1, 3, 2], names) == [problem]
    # With a zero anywhere they count from zero, and what is beyond the names is no class.
    matched = match_labels({"train": [1, 2, 3], "test": [0]}, names)
    assert matched.labels["train"].tolist() == [1, 2, -1]
    assert kinds([0, 1, 2]) == []


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.5, 1.0], r"labels of shape \(2,\) .*: 0.5 is a fraction, as in a regression; allowed"),
        (np.array([0.25, 3.5]), "0.25 is a fraction"),
        ([1, "a"], r"mix number and text; allowed"),
        ([True, 2], "mix number and truth"),
        ([1j], "row 0 is a complex"),
        (np.array([1j]), "complex128; allowed"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "allowed: whole numbers, text"),
        ([{}], "row 0 is a dict"),
        ([b"\xff"], "no UTF-8 text"),
        ([], r"labels of shape \(0,\)"),
        (3, r"labels of shape \(\) .*; allowed: \(n,\) or \(n, 1\) or \(n, classes\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.array([[1, 1, 0], [0, 1, 0]]), "row 0 has 2 classes; allowed: one class a row"),
        (np.array([[0.9, 0.1]]), "not one-hot"),
        (np.array([["a", "b"]]), "allowed: whole numbers, text"),
        ([[0], [0, 1]], "does not become an array"),
        (np.ma.masked_array([0, 1], mask=[0, 1]), "masked array"),
    ],
)
def test_what_are_no_labels_is_said_in_one_line(labels, message):
    with pytest.raises(DataError, match=message) as caught:
        match_labels({None: labels})
    assert "\n" not in str(caught.value)


def test_kinds_must_agree_across_splits():
    with pytest.raises(DataError, match=r"different kinds .*train number, test text"):
        match_labels({"train": [0, 1], "test": ["0", "1"]})
    mixed = match_labels({"train": np.eye(3), "validation": [2, 0], "test": [True, False]})
    assert mixed.labels["validation"].tolist() == [2, 0]
    assert mixed.labels["test"].tolist() == [1, 0]
    assert match_labels({"train": ["a"], "test": [None]}).labels["test"].tolist() == [-1]


@pytest.mark.parametrize("names", [[], ["a", "a"], ["a", ""], ["a", 1], "ab"])
def test_impossible_class_names_are_refused(names):
    with pytest.raises(DataError, match=r"class names are .*allowed: a text for each class"):
        match_labels({None: [0, 1]}, names)


@given(st.lists(st.sampled_from([1, 7, -3, None]), min_size=1, max_size=20))
def test_groups_are_kept_by_value_and_rows_without_one_are_alone(values):
    half = len(values) // 2
    parts = {"train": values[:half], "test": values[half:]} if half else {"test": values}
    numbers = np.concatenate(list(match_groups(parts).values()))
    for i, first in enumerate(values):
        for j, second in enumerate(values):
            together = i == j or (first == second and first is not None)
            assert (numbers[i] == numbers[j]) == together


def test_groups_are_one_column():
    with pytest.raises(DataError, match=r"groups of shape \(2, 2\)"):
        match_groups({None: np.eye(2)})
