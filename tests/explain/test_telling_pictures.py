"""The most typical, most uncertain and most wrong pictures of each class."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.errors import ConfigError
from convolens.explain import class_examples


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 5), st.integers(1, 6))
def test_they_are_what_a_plain_sort_finds(seed: int, n: int, n_classes: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.integers(0, 4, (n, n_classes)) / 4.0  # with many ties
    labels = rng.integers(0, n_classes, n)
    called = probabilities.argmax(axis=1)
    top = np.sort(probabilities, axis=1)[:, ::-1]
    margin = top[:, 0] - (top[:, 1] if n_classes > 1 else 0)

    def first(chosen, key):
        return sorted(chosen, key=lambda index: (key(index), index))[:k]

    def sure(index):
        return -probabilities[index, called[index]]

    found = class_examples(probabilities, labels, k=k)
    assert [each.label for each in found] == list(range(n_classes))
    for label, each in enumerate(found):
        own = [i for i in range(n) if labels[i] == label]
        right = [i for i in own if called[i] == label]
        assert each.typical.tolist() == first(right, sure)
        assert each.uncertain.tolist() == first(own, lambda i: margin[i])
        assert each.wrong.tolist() == first([i for i in own if called[i] != label], sure)
        others = [i for i in range(n) if labels[i] != label and called[i] == label]
        assert each.taken_for_it.tolist() == first(others, sure)


def test_a_class_without_pictures_has_no_examples() -> None:
    found = class_examples(np.array([[0.9, 0.1]]), np.array([0]))[1]
    assert found.to_dict() == {
        "label": 1,
        "typical": [],
        "uncertain": [],
        "wrong": [],
        "taken_for_it": [],
    }


@pytest.mark.parametrize(
    ("probabilities", "labels", "k", "said"),
    [
        (np.ones((2, 2)), np.array([0]), 5, r"got \(2, 2\) and \(1,\)"),
        (np.ones(2), np.array([0, 1]), 5, r"shape \(n, classes\)"),
        (np.ones((0, 2)), np.array([], dtype=int), 5, r"got \(0, 2\)"),
        (np.ones((1, 2)), np.array([2]), 5, r"labels must be in 0\.\.1; got 2\.\.2"),
        (np.ones((1, 2)), np.array([0]), 0, "k is 0; allowed: a whole number from 1"),
    ],
)
def test_what_does_not_fit_is_refused(probabilities, labels, k, said) -> None:
    with pytest.raises(ConfigError, match=said):
        class_examples(probabilities, labels, k=k)
