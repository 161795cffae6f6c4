"""Bootstrap of a confusion matrix: as if the pictures themselves were drawn again."""

import numpy as np
import pytest
from tests.evaluation.conftest import calibrated

from convolens.errors import ConfigError
from convolens.evaluation import (
    bootstrap_matrix,
    class_metrics,
    confusion_matrix,
    most_confused,
    wilson_interval,
)


def test_it_is_what_drawing_the_pictures_again_gives():
    probabilities, labels = calibrated(400, 3)
    matrix = confusion_matrix(probabilities, labels)
    found = bootstrap_matrix(matrix, resamples=20_000)
    rng, drawn = np.random.default_rng(5), []
    for _ in range(4_000):
        chosen = rng.integers(0, 400, 400)
        again = confusion_matrix(probabilities[chosen], labels[chosen])
        entries = class_metrics(again, ("a", "b", "c"))
        values = [[entry.precision, entry.recall, entry.f1] for entry in entries]
        drawn.append([*np.ravel(values), np.trace(again) / 400, np.mean([v[2] for v in values])])
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    expected = list(zip(low, high, strict=True))
    ours = [
        bounds
        for entry in zip(found.precision, found.recall, found.f1, strict=True)
        for bounds in entry
    ]
    np.testing.assert_allclose([*ours, found.accuracy, found.macro_f1], expected, atol=0.012)


def test_the_same_seed_gives_the_same_intervals_and_few_at_a_time_the_same(monkeypatch):
    matrix = np.array([[30, 2, 1], [4, 25, 0], [0, 3, 9]])
    whole = bootstrap_matrix(matrix, seed=3)
    assert bootstrap_matrix(matrix, seed=3) == whole
    assert bootstrap_matrix(matrix, seed=4) != whole
    monkeypatch.setattr("convolens.evaluation.bootstrap._DRAWN_AT_ONCE", 70)
    assert bootstrap_matrix(matrix, seed=3) == whole


def test_classes_of_which_nothing_is_known():
    matrix = np.array([[5, 0, 0], [0, 0, 0], [0, 0, 5]])
    found = bootstrap_matrix(matrix)
    assert found.recall[1] == found.precision[1] == found.f1[1] == (0.0, 1.0)
    assert found.recall[0] == found.precision[0] == wilson_interval(5, 5)
    assert found.accuracy == wilson_interval(10, 10)


def test_what_is_always_right_or_always_wrong_is_not_certain():
    found = bootstrap_matrix(np.array([[10, 0, 0], [0, 0, 8], [0, 3, 20]]), confidence=0.9)
    low, high = wilson_interval(10, 10, 0.9)
    assert found.recall[0] == found.precision[0] == (low, high)
    assert found.f1[0] == pytest.approx((low, 1.0))
    assert found.recall[1] == wilson_interval(0, 8, 0.9)
    assert found.precision[1] == wilson_interval(0, 3, 0.9)
    ends = [2 * p * r / (p + r) for p, r in [(wilson_interval(0, 3, 0.9)[1], found.recall[1][1])]]
    assert found.f1[1] == pytest.approx((0.0, ends[0]))
    assert found.recall[2][0] < 20 / 23 < found.recall[2][1] < 1


@pytest.mark.parametrize(
    ("matrix", "options", "words"),
    [
        (np.zeros((2, 3), int), {}, r"got \(2, 3\)"),
        (np.zeros((0, 0), int), {}, r"got \(0, 0\)"),
        (np.zeros((2, 2), int), {}, "at least one picture"),
        (np.array([[1, -1], [0, 1]]), {}, "holds counts"),
        (np.eye(2, dtype=int), {"confidence": 1.0}, "confidence must be between 0 and 1"),
        (np.eye(2, dtype=int), {"resamples": 10}, "resamples is 10; allowed"),
    ],
)
def test_what_is_no_confusion_matrix(matrix, options, words):
    with pytest.raises(ConfigError, match=words):
        bootstrap_matrix(matrix, **options)


def test_confusions_are_ranked_by_their_number_and_then_by_their_share():
    matrix = np.array([[90, 5, 3], [5, 10, 0], [0, 7, 50]])
    found = most_confused(matrix, ("cat", "dog", "fox"))
    assert [(each.right, each.called, each.count) for each in found] == [
        ("fox", "dog", 7),
        ("dog", "cat", 5),
        ("cat", "dog", 5),
        ("cat", "fox", 3),
    ]
    assert found[1].share == pytest.approx(1 / 3)
    assert most_confused(matrix, ("cat", "dog", "fox"), top=2) == found[:2]
    assert most_confused(np.eye(2, dtype=int), ("cat", "dog")) == ()
    with pytest.raises(ConfigError, match=r"the confusion matrix is \(3, 3\) and there are 2"):
        most_confused(matrix, ("cat", "dog"))
