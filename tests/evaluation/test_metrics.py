"""Checked against scikit-learn, SciPy and counting."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as oracle
from tests.evaluation.conftest import predictions

from convolens.errors import ConfigError
from convolens.evaluation import (
    accuracy,
    brier_score,
    class_metrics,
    confusion_matrix,
    evaluate_probabilities,
    expected_calibration_error,
    log_loss,
    macro_average,
    top_k_accuracy,
    weighted_average,
    wilson_interval,
)


@given(predictions())
@settings(deadline=None)
def test_agrees_with_scikit_learn(given_predictions: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, labels = given_predictions
    classes = np.arange(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    assert accuracy(probabilities, labels) == oracle.accuracy_score(labels, predicted)
    expected_loss = oracle.log_loss(labels, probabilities, labels=classes)
    assert log_loss(probabilities, labels) == pytest.approx(expected_loss, rel=1e-6)
    matrix = confusion_matrix(probabilities, labels)
    assert (matrix == oracle.confusion_matrix(labels, predicted, labels=classes)).all()
    expected = oracle.precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    found = class_metrics(matrix, tuple(map(str, classes)))
    for i, entry in enumerate(found):
        assert (entry.precision, entry.recall, entry.f1, entry.support) == pytest.approx(
            tuple(column[i] for column in expected)
        )
    for average, ours in (("macro", macro_average(found)), ("weighted", weighted_average(found))):
        theirs = oracle.precision_recall_fscore_support(
            labels, predicted, labels=classes, zero_division=0, average=average
        )
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx(theirs[:3])
    assert brier_score(probabilities, labels) == pytest.approx(
        ((probabilities - np.eye(len(classes))[labels]) ** 2).sum(axis=1).mean()
    )


@given(predictions(), st.integers(1, 7))
@settings(deadline=None)
def test_the_right_class_is_among_the_likeliest(
    given_predictions: tuple[np.ndarray, np.ndarray], k: int
) -> None:
    probabilities, labels = given_predictions
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    expected = (order == labels[:, None]).any(axis=1).mean()
    assert top_k_accuracy(probabilities, labels, k) == pytest.approx(expected)
    assert top_k_accuracy(probabilities, labels, 1) == accuracy(probabilities, labels)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    successes, n = counts
    expected = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((expected.low, expected.high))


@given(predictions(), st.integers(1, 20))
@settings(deadline=None)
def test_calibration_error_is_the_weighted_gap(
    given_predictions: tuple[np.ndarray, np.ndarray], bins: int
) -> None:
    probabilities, labels = given_predictions
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    expected = 0.0
    for i in range(bins):
        inside = (confidence > i / bins) & (confidence <= (i + 1) / bins)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(probabilities, labels, bins) == pytest.approx(expected)


def test_one_certain_mistake_is_large_but_finite() -> None:
    loss = log_loss(np.array([[1.0, 0.0]], np.float32), np.array([1]))
    assert 80 < loss < 100


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        ([[0.5, 0.5]], [2], "labels must be in 0..1"),
        ([[0.5, 0.5]], [-1], "labels must be in 0..1"),
        ([[0.5, 0.5]], [0, 1], "shape"),
        ([[0.5, 0.6]], [0], "sum to 1"),
        ([[1.5, -0.5]], [0], "0 or more"),
        ([[np.nan, 1.0]], [0], "sum to 1"),
        (np.empty((0, 2)), np.empty(0, np.int64), "nothing to judge"),
        ([0.5, 0.5], [0, 1], "shape"),
    ],
)
def test_what_cannot_be_judged_is_refused(probabilities: Any, labels: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        log_loss(np.asarray(probabilities, float), np.asarray(labels))


@pytest.mark.parametrize(
    ("successes", "n", "confidence"), [(-1, 5, 0.9), (6, 5, 0.9), (0, 0, 0.9), (1, 2, 1.0)]
)
def test_impossible_counts_are_refused(successes: int, n: int, confidence: float) -> None:
    with pytest.raises(ConfigError):
        wilson_interval(successes, n, confidence)


def test_the_whole_in_one_object() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])
    judged = evaluate_probabilities(probabilities, np.array([0, 1, 1, 0]), ("cat", "dog"))
    record = judged.to_dict()
    assert {
        "n", "accuracy", "accuracy_low", "accuracy_high", "log_loss", "ece", "per_class",
        "confusion_matrix", "brier_score", "top_5_accuracy", "macro", "weighted", "most_confused",
    } == record.keys()  # fmt: skip
    assert record["top_5_accuracy"] == 1
    assert record["brier_score"] == pytest.approx(
        brier_score(probabilities, np.array([0, 1, 1, 0]))
    )
    for entry in record["per_class"]:
        for name in ("precision", "recall", "f1"):
            assert entry[f"{name}_low"] <= entry[name] <= entry[f"{name}_high"]
    assert record["most_confused"] == [{"right": "dog", "called": "cat", "count": 1, "share": 0.5}]
    assert "dog taken for cat: 1 (50.0% of its pictures)" in str(judged)
    json.dumps(record, allow_nan=False)
    assert record["confusion_matrix"] == [[2, 0], [1, 1]]
    assert record["accuracy_low"] < record["accuracy"] == 0.75 < record["accuracy_high"]
    assert "75.00%" in str(judged)
    assert "dog" in str(judged)
