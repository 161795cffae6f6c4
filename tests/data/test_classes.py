import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data.classes import case_twins, match_classes, natural_key, natural_sorted
from convolens.errors import DataError

# Every code point: names of files that are no UTF-8 come with lone surrogates.
ANY_TEXT = st.text(st.characters(exclude_categories=()))


def test_the_order_is_a_persons():
    names = ["10", "2", "1", "b", "A", "a10", "A9", "a 1", "file2b", "file2a", "file10"]
    expected = ("1", "2", "10", "A", "a 1", "A9", "a10", "b", "file2a", "file2b", "file10")
    assert natural_sorted(names) == expected


@given(st.lists(st.integers(min_value=0, max_value=10**30)))
def test_numbers_are_sorted_as_numbers(numbers):
    names = [f"class {number}.jpg" for number in numbers]
    assert natural_sorted(names) == tuple(f"class {number}.jpg" for number in sorted(numbers))


@given(st.lists(ANY_TEXT, max_size=6), st.randoms(use_true_random=False))
def test_the_order_is_total_and_does_not_depend_on_the_order_given(names, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    assert natural_sorted(shuffled) == natural_sorted(names)
    assert sorted(natural_sorted(names)) == sorted(names)
    for one, other in itertools.combinations(set(names), 2):
        assert natural_key(one) != natural_key(other)


def test_capitals_and_leading_zeros_only_break_ties():
    assert natural_sorted(["a", "B", "A", "b"]) == ("A", "a", "B", "b")
    assert natural_sorted(["2", "02", "002", "1", "3"]) == ("1", "002", "02", "2", "3")


def test_a_number_longer_than_python_converts_is_sorted():
    small, large = "9" * 5_000, "1" + "0" * 5_000
    assert natural_sorted([large, small]) == (small, large)


@given(st.lists(ANY_TEXT, min_size=1))
def test_labels_keep_their_names(labels):
    names, indices = match_classes(labels)
    assert [names[index] for index in indices] == labels
    assert sorted(names) == sorted(set(labels))
    assert indices.dtype == np.int64


@given(st.permutations(["cat", "dog", "10", "2"]))
def test_numbers_of_classes_do_not_depend_on_the_order_of_labels(labels):
    names, indices = match_classes(labels)
    assert names == ("2", "10", "cat", "dog")
    assert dict(zip(labels, indices.tolist(), strict=True)) == {
        "2": 0,
        "10": 1,
        "cat": 2,
        "dog": 3,
    }


def test_given_names_decide_even_where_a_split_lacks_a_class():
    names, indices = match_classes(["dog", "dog"], ["fox", "dog", "cat"])
    assert names == ("fox", "dog", "cat")
    assert indices.tolist() == [1, 1]


def test_an_unknown_label_is_named():
    with pytest.raises(DataError, match="label 'dgo' is no class's name; did you mean 'dog'"):
        match_classes(["cat", "dgo"], ["cat", "dog"])
    with pytest.raises(DataError, match="'cat' is given twice"):
        match_classes(["cat"], ["cat", "dog", "cat"])


@pytest.mark.parametrize(
    "twins",
    [
        ("Cat", "cat"),
        ("big cat", "big  cat"),
        ("cat", "cat "),
        ("STRASSE", "straße"),
        ("cafe\u0301", "caf\u00e9"),
        ("\uff23\uff21\uff34", "cat"),
        ("big\u00a0cat", "big cat"),
    ],
)
def test_twins_are_found(twins):
    (problem,) = case_twins([*twins, "dog", "c a t"])
    assert problem.kind == "case_twins"
    assert not problem.skipped
    assert sorted(problem.path.split(" / ")) == sorted(twins)
    assert all(repr(name) in problem.reason for name in twins)


def test_other_names_are_no_twins():
    assert case_twins(["cat", "cat", "cats", "c-at", "c at", "10", "1 0", "1", "01"]) == []


def test_three_of_a_kind_are_one_problem():
    assert [problem.path for problem in case_twins(["cat", "CAT", "Cat"])] == ["CAT / Cat / cat"]


@given(st.lists(ANY_TEXT))
def test_twins_survive_any_text(names):
    for problem in case_twins(names):
        assert "\n" not in problem.reason
