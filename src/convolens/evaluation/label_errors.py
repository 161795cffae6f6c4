"""Labels that are probably wrong, from what models say of pictures that they were not trained on.

Confident learning: a picture that is called another class at least as surely as the pictures of
that class usually are speaks against its label. How many labels of each class are wrong is
estimated from all of these together; the worst as many are suspected.

Source: C. Northcutt, L. Jiang and I. Chuang, "Confident learning: estimating uncertainty in dataset
labels", 2021, sections 3.1 and 3.2, method 4 (prune by noise rate).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.evaluation.metrics import Labels, Probabilities, check_predictions

_ROUNDING = 1e-6
"""Of a mean of equal probabilities: each of them is as high as it."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelErrors:
    """The labels that are suspected, the most suspicious first."""

    indices: Indices
    """(m,) positions among the pictures given."""
    given: Indices
    """(m,) the label of each."""
    suggested: Indices
    """(m,) the likeliest class of each other than its label."""
    contrary_copy: NDArray[np.bool_]
    """(m,) whether there is a copy of it with another label: these come first."""
    quality: NDArray[np.float64]
    """(n,) of every picture, suspected or not: the probability of its label, 0..1."""
    joint: NDArray[np.float64]
    """(classes, classes), summing to 1: row the label, column the true class, as estimated."""

    @property
    def noise(self) -> float:
        """The share of all labels that are wrong, as estimated, 0..1."""
        return float(1 - np.trace(self.joint))


def find_label_errors(
    probabilities: Probabilities, labels: Labels, *, copies: Indices | None = None
) -> LabelErrors:
    """Labels that are probably wrong.

    Args:
        probabilities: (n, classes), each by a model that was not trained on the picture, as the
            predictions out of fold of a cross-validation. Of a model that was trained on them they
            would be worthless: it knows the wrong labels by heart.
        labels: (n,) in 0..classes-1, as they are given.
        copies: (m, 2) pairs of positions of the same picture, or nearly; where the labels of a pair
            differ at least one is wrong.

    Raises:
        ConfigError: shapes, labels or probabilities that do not fit, or copies outside 0..n-1.

    >>> truth = np.arange(300) % 3
    >>> probabilities = 0.05 + 0.85 * np.eye(3)[truth]
    >>> labels = truth.copy()
    >>> labels[[7, 40]] = (labels[[7, 40]] + 1) % 3
    >>> found = find_label_errors(probabilities, labels)
    >>> sorted(found.indices.tolist()), round(found.noise * 300)
    ([7, 40], 2)
    """
    check_predictions(probabilities, labels)
    rows = np.arange(len(labels), dtype=np.int64)
    quality = probabilities[rows, labels].astype(np.float64)
    joint = estimate_joint(probabilities, labels)
    others = probabilities.copy()
    others[rows, labels] = -1
    suggested = others.argmax(axis=1)
    suspected = _pruned(probabilities, labels, joint) & (probabilities.argmax(axis=1) != labels)
    contrary = _contrary(copies, labels)
    suspected |= contrary
    indices = np.flatnonzero(suspected)
    indices = indices[np.lexsort((quality[indices], ~contrary[indices]))]
    return LabelErrors(
        indices=indices,
        given=labels[indices].astype(np.int64),
        suggested=suggested[indices].astype(np.int64),
        contrary_copy=contrary[indices],
        quality=quality,
        joint=joint,
    )


def estimate_joint(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """How probably a picture has a label and truly is of a class; (classes, classes).

    Args:
        probabilities: as for :func:`find_label_errors`.
        labels: likewise.

    Returns:
        Row the label, column the true class, summing to 1. Each row sums to its label's share.
    """
    check_predictions(probabilities, labels)
    n, n_classes = probabilities.shape
    counts = np.bincount(labels, minlength=n_classes)
    own = np.bincount(labels, weights=probabilities[np.arange(n), labels], minlength=n_classes)
    # A class that no picture has as its label is never called surely enough.
    usual = np.where(counts > 0, own / np.maximum(counts, 1), np.inf)
    sure = probabilities >= usual - _ROUNDING
    called = np.where(sure, probabilities, -1).argmax(axis=1)
    counted = sure.any(axis=1)
    cells = labels[counted].astype(np.int64) * n_classes + called[counted]
    table = np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)
    table = table.astype(np.float64)
    # Of a class none of whose pictures is called anything surely, all are taken to be right.
    silent = table.sum(axis=1) == 0
    table[silent, silent] = 1
    return table / table.sum(axis=1, keepdims=True) * (counts / n)[:, None]


def _pruned(
    probabilities: Probabilities, labels: Labels, joint: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """For each label and other class as many as the joint says: those of the largest margin."""
    n, n_classes = probabilities.shape
    wrong = np.zeros(n, dtype=bool)
    amounts = np.rint(joint * n).astype(np.int64)
    for label in range(n_classes):
        inside = np.flatnonzero(labels == label)
        for other in np.flatnonzero(amounts[label]):
            if other == label:
                continue
            margins = probabilities[inside, other] - probabilities[inside, label]
            wrong[inside[np.argsort(-margins, kind="stable")[: amounts[label, other]]]] = True
    return wrong


def _contrary(copies: Indices | None, labels: Labels) -> NDArray[np.bool_]:
    contrary = np.zeros(len(labels), dtype=bool)
    if copies is None or not len(copies):
        return contrary
    if copies.ndim != 2 or copies.shape[1] != 2 or copies.min() < 0 or copies.max() >= len(labels):
        raise ConfigError(
            f"copies are pairs of positions, (m, 2), in 0..{len(labels) - 1}; got shape "
            f"{copies.shape}"
        )
    differing = labels[copies[:, 0]] != labels[copies[:, 1]]
    contrary[copies[differing].ravel()] = True
    return contrary
