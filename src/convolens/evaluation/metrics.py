"""Metrics: plain functions of probabilities (n, classes) and labels (n,)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import to_dict
from convolens.errors import ConfigError

Probabilities = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True, kw_only=True)
class ClassMetrics:
    """How well one class is found."""

    name: str
    precision: float
    """Of the pictures called this, the share that are; 0 where none was called this."""
    recall: float
    """Of the pictures that are this, the share called so; 0 where there are none."""
    f1: float
    """Harmonic mean of precision and recall; 0 where both are."""
    support: int
    """Number of pictures that are this."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Share of the pictures whose likeliest class is the right one.

    Args:
        probabilities: (n, classes).
        labels: (n,) in 0..classes-1.

    Raises:
        ConfigError: shapes, labels or probabilities that do not fit.

    >>> accuracy(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
    0.5
    """
    check_predictions(probabilities, labels)
    return float((probabilities.argmax(axis=1) == labels).mean())


def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """Mean of -log(probability given to the right class), in nats.

    A probability of zero counts as the smallest positive number of its type, so that one certain
    mistake makes the loss large and not infinite.

    >>> round(log_loss(np.array([[0.5, 0.5]]), np.array([0])), 4)
    0.6931
    """
    check_predictions(probabilities, labels)
    right = probabilities[np.arange(len(labels)), labels]
    smallest = np.finfo(probabilities.dtype).tiny
    return float(-np.log(np.maximum(right, smallest).astype(np.float64)).mean())


def brier_score(probabilities: Probabilities, labels: Labels) -> float:
    """Mean squared distance of the probabilities from the truth, over all classes: 0..2.

    It is 0 for a model that is certain and right, and 2 for one that is certain and wrong.

    Source: G. Brier, "Verification of forecasts expressed in terms of probability", 1950. For two
    classes it is twice what is often given, which looks at one of them only.

    >>> brier_score(np.array([[0.75, 0.25]]), np.array([0]))
    0.125
    """
    check_predictions(probabilities, labels)
    squares = (probabilities.astype(np.float64) ** 2).sum(axis=1)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float((squares - 2 * own + 1).mean())


def top_k_accuracy(probabilities: Probabilities, labels: Labels, k: int = 5) -> float:
    """Share of the pictures whose right class is among the k likeliest.

    Where probabilities are equal the class of the lower number counts as the likelier, as it does
    for the likeliest of all.

    Args:
        probabilities: (n, classes).
        labels: (n,) in 0..classes-1.
        k: from 1; from the number of classes on the share is 1.

    Raises:
        ConfigError: shapes, labels or probabilities that do not fit, or k below 1.

    >>> top_k_accuracy(np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]), np.array([1, 2]), k=2)
    0.5
    """
    check_predictions(probabilities, labels)
    if k < 1:
        raise ConfigError(f"k must be at least 1; got {k}")
    own: Probabilities = probabilities[np.arange(len(labels)), labels][:, None]
    numbers = np.arange(probabilities.shape[1], dtype=np.int64)
    earlier: NDArray[np.bool_] = np.less(numbers[None, :], labels[:, None])
    ahead = (probabilities > own) | ((probabilities == own) & earlier)
    return float((ahead.sum(axis=1) < k).mean())


def confusion_matrix(probabilities: Probabilities, labels: Labels) -> NDArray[np.int64]:
    """Counts: row the right class, column the predicted one; (classes, classes).

    >>> confusion_matrix(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
    array([[1, 0],
           [1, 0]])
    """
    check_predictions(probabilities, labels)
    n_classes = probabilities.shape[1]
    cells = labels.astype(np.int64) * n_classes + probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def class_metrics(
    matrix: NDArray[np.int64], class_names: tuple[str, ...]
) -> tuple[ClassMetrics, ...]:
    """Precision, recall and F1 of every class.

    Args:
        matrix: as from :func:`confusion_matrix`.
        class_names: one a row.

    >>> class_metrics(np.array([[1, 0], [1, 0]]), ("cat", "dog"))[0].precision
    0.5
    """
    right = np.diag(matrix).astype(np.float64)
    called, support = matrix.sum(axis=0), matrix.sum(axis=1)
    precision = _ratio(right, called)
    recall = _ratio(right, support)
    f1 = _ratio(2 * precision * recall, precision + recall)
    return tuple(
        ClassMetrics(
            name=name,
            precision=float(precision[i]),
            recall=float(recall[i]),
            f1=float(f1[i]),
            support=int(support[i]),
        )
        for i, name in enumerate(class_names)
    )


@dataclass(frozen=True, kw_only=True)
class Averages:
    """Precision, recall and F1 over all classes."""

    precision: float
    recall: float
    f1: float

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


def macro_average(per_class: Sequence[ClassMetrics]) -> Averages:
    """The mean over the classes, each of which counts alike however many pictures it has.

    Args:
        per_class: as from :func:`class_metrics`; a class without any picture counts as 0.

    Raises:
        ConfigError: there is no class.
    """
    return _averages(per_class, np.ones(len(per_class)))


def weighted_average(per_class: Sequence[ClassMetrics]) -> Averages:
    """The mean over the classes, each weighing as many pictures as it has.

    Args:
        per_class: as from :func:`class_metrics`.

    Raises:
        ConfigError: there is no class, or no picture.

    >>> entries = class_metrics(np.array([[3, 1], [0, 4]]), ("cat", "dog"))
    >>> round(weighted_average(entries).recall, 3)  # always the accuracy
    0.875
    """
    return _averages(per_class, np.array([entry.support for entry in per_class], dtype=np.float64))


def expected_calibration_error(
    probabilities: Probabilities, labels: Labels, bins: int = 15
) -> float:
    """How far confidence is from accuracy: the mean gap over bins of equal width in confidence.

    Args:
        probabilities: (n, classes).
        labels: (n,).
        bins: intervals (0, 1/bins], (1/bins, 2/bins], … of the likeliest class's probability.

    Returns:
        0..1; 0 is perfect. Each bin weighs as many as it holds.

    Source: M. P. Naeini, G. F. Cooper and M. Hauskrecht, 2015; 15 bins as C. Guo et al., "On
    calibration of modern neural networks", 2017.

    >>> expected_calibration_error(np.array([[0.8, 0.2]] * 5), np.array([0, 0, 0, 0, 1])) < 1e-9
    True
    """
    check_predictions(probabilities, labels)
    bin_of, confidence, right = bins_of(probabilities, labels, bins)
    gaps = np.bincount(bin_of, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def bins_of(
    probabilities: Probabilities, labels: Labels, bins: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """For each picture its bin of confidence, its confidence, and whether it is judged rightly.

    Raises:
        ConfigError: there is no bin.
    """
    if bins < 1:
        raise ConfigError(f"bins must be at least 1; got {bins}")
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    return bin_of, confidence, right


def check_predictions(probabilities: Probabilities, labels: Labels) -> None:
    """Refuse shapes, labels and probabilities that cannot be compared.

    Raises:
        ConfigError: with what is wrong.
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise ConfigError(
            "probabilities must have shape (n, classes) and labels (n,); got "
            f"{probabilities.shape} and {labels.shape}"
        )
    if not len(labels):
        raise ConfigError("there is nothing to judge: no picture was given")
    if labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise ConfigError(
            f"labels must be in 0..{probabilities.shape[1] - 1}; got {labels.min()}..{labels.max()}"
        )
    # A sum is NaN or infinite exactly when a value is, or when it overflows: one pass for all.
    sums = probabilities.sum(axis=1)
    if not np.allclose(sums, 1, atol=1e-3) or probabilities.min() < 0:
        raise ConfigError("probabilities must be 0 or more, and each row must sum to 1")


def _averages(per_class: Sequence[ClassMetrics], weights: NDArray[np.float64]) -> Averages:
    if not len(weights) or weights.sum() == 0:
        raise ConfigError("there is nothing to average: no class has a picture")
    names = ("precision", "recall", "f1")
    means = {
        name: float(np.average([getattr(entry, name) for entry in per_class], weights=weights))
        for name in names
    }
    return Averages(**means)


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.zeros(len(above)), where=below != 0)
