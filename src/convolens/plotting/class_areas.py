"""The areas under every class's curve at once, without drawing one."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Areas = NDArray[np.float64]

_AT_ONCE = 64  # classes whose sorted scores are in memory


def areas_under_roc(probabilities: Floats, labels: NDArray[np.int64]) -> Areas:
    """Of each class against the rest the area under its ROC curve.

    As ``evaluation.roc_curve`` has it, but from one sort a class, so that a thousand classes take
    no longer than that.

    Args:
        probabilities: (n, classes).
        labels: (n,).

    Returns:
        (classes,), NaN for a class without pictures, or without others.

    Source: H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is
    stochastically larger than the other", 1947.
    """

    def area(own: Floats, ranked: Floats) -> float:
        n, k = len(ranked), len(own)
        if k == n:
            return np.nan
        ahead_of = (np.searchsorted(ranked, own) + np.searchsorted(ranked, own, "right")) / 2
        # Of all those pairs k * k / 2 are of two pictures of the class.
        return float((ahead_of.sum() - k * k / 2) / (k * (n - k)))

    return _of_each_class(probabilities, labels, area)


def average_precisions(probabilities: Floats, labels: NDArray[np.int64]) -> Areas:
    """Of each class against the rest the average precision, likewise.

    Args:
        probabilities: (n, classes).
        labels: (n,).

    Returns:
        (classes,), NaN for a class without pictures.
    """

    def area(own: Floats, ranked: Floats) -> float:
        accepted = len(ranked) - np.searchsorted(ranked, own)
        right = len(own) - np.searchsorted(own, own)
        return float((right / accepted).mean())

    return _of_each_class(probabilities, labels, area)


def _of_each_class(
    probabilities: Floats, labels: NDArray[np.int64], area: Callable[[Floats, Floats], float]
) -> Areas:
    n_classes = probabilities.shape[1]
    areas = np.full(n_classes, np.nan)
    for start in range(0, n_classes, _AT_ONCE):
        ranked = np.sort(probabilities[:, start : start + _AT_ONCE].T, axis=1)
        for label, scores in enumerate(ranked, start):
            own = np.sort(probabilities[labels == label, label])
            if len(own):
                areas[label] = area(own, scores)
    return areas
