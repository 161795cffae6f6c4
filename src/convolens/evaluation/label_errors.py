"""Labels that are probably wrong, from what models say of pictures that they were not trained on.

How often pictures of each class have each label is read off those that the models are surest of.
From what a model says, which learned from the labels as they are, follows with it what the picture
truly is: such a model gives a class that is often mislabelled some of the other's probability.
Bayes' rule then says how probably each label is right. That ranks the labels. The same is done
with probabilities that are calibrated on the labels, which estimates how many are wrong, and as
many are suspected as make the expected F1 greatest.

Source: T. Liu and D. Tao, "Classification with noisy labels by importance reweighting", 2016, and
G. Patrini et al., "Making deep neural networks robust to label noise", 2017, for the noise of the
surest; L. Lucy, "An iterative technique for the rectification of observed distributions", 1974;
Z. Lipton et al., "Optimal thresholding of classifiers to maximize F1 measure", 2014. It is measured
against C. Northcutt et al., "Confident learning", 2021, in ``benchmarks/label_errors.py``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.evaluation.label_judging import judge_labels
from convolens.evaluation.metrics import Labels, Probabilities, check_predictions

# Of the pictures that are called a class: enough to see one wrong label in a hundred, and where
# there are many only the surest, since one that may truly be of two classes says nothing of labels.
_SUREST, _ENOUGH = 4, 100
_IMAGINED = 10
"""Pictures a class whose labels are wrong as often as those of all classes together."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelErrors:
    """The labels that are suspected, the most suspicious first."""

    indices: Indices
    """(m,) positions among the pictures given."""
    given: Indices
    """(m,) the label of each."""
    suggested: Indices
    """(m,) the likeliest class of each. Of a copy it may be its own label: then the other copy is
    more likely to be wrong."""
    contrary_copy: NDArray[np.bool_]
    """(m,) whether there is a copy of it with another label: these come first."""
    quality: NDArray[np.float64]
    """(n,) of every picture, suspected or not: how probably its label is right, 0..1, by the
    probabilities as they are given. The order of suspicion is that of these."""
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
    >>> find_label_errors(probabilities, labels).indices.tolist()
    [7, 40]
    """
    check_predictions(probabilities, labels)
    judged = judge_labels(probabilities, labels, _noise(probabilities, labels))
    quality, wrong = judged.right, np.sort(1 - judged.right_calibrated)[::-1]
    likeliest = probabilities.argmax(axis=1)
    contrary = _contrary(copies, labels)
    own = probabilities[np.arange(len(labels)), labels]
    order = np.lexsort((own, quality))
    suspected = contrary.copy()
    suspected[order[: _how_many(wrong)]] = True
    # A label that the models agree with is none that they speak against.
    suspected &= contrary | (likeliest != labels)
    ranked = np.lexsort((own, quality, ~contrary))
    indices = ranked[suspected[ranked]]
    return LabelErrors(
        indices=indices,
        given=labels[indices].astype(np.int64),
        suggested=likeliest[indices],
        contrary_copy=contrary[indices],
        quality=quality,
        joint=judged.joint,
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
    return judge_labels(probabilities, labels, _noise(probabilities, labels)).joint


def _noise(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """How often pictures of each class (rows) have each label (columns); each row sums to 1.

    Counted on the pictures that the models are surest of: a quarter of those that are called a
    class, or up to a hundred of the surer half. Where these are few, the share of wrong labels of
    all classes together counts in.
    """
    n_classes = probabilities.shape[1]
    called = probabilities.argmax(axis=1)
    sureness = probabilities[np.arange(len(labels)), called]
    counts = np.zeros((n_classes, n_classes))
    for label in range(n_classes):
        own = np.flatnonzero(called == label)
        most = int(np.ceil(max(len(own) / _SUREST, min(len(own) / 2, _ENOUGH))))
        surest = own[np.argsort(-sureness[own], kind="stable")[:most]]
        counts[label] = np.bincount(labels[surest], minlength=n_classes)
    # As if one more was wrong and one more right: none among few does not mean never.
    wrong = (counts.sum() - np.trace(counts) + 1) / (counts.sum() + 2)
    usual = np.full((n_classes, n_classes), wrong / max(1, n_classes - 1))
    np.fill_diagonal(usual, 1 - wrong)
    return (counts + _IMAGINED * usual) / (counts.sum(axis=1, keepdims=True) + _IMAGINED)


def _how_many(wrong: NDArray[np.float64]) -> int:
    """How many of labels, the likeliest to be wrong first, make the expected F1 greatest."""
    numbers = np.arange(1, len(wrong) + 1)
    return int((np.cumsum(wrong) / (numbers + wrong.sum())).argmax()) + 1


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
