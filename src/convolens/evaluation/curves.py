"""One class against the rest, at every threshold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class RocCurve:
    """Right and false alarms, from the strictest threshold to the laxest.

    Each array has an entry for every threshold, after a first one at which nothing is accepted.
    """

    false_positive_rate: Values
    """Of what is not of the class the share that is accepted, 0..1, never falling."""
    true_positive_rate: Values
    """Of what is of the class the share that is accepted (recall), likewise."""
    thresholds: Values
    """Scores from which on is accepted, falling; the first is infinite."""
    auc: float
    """Area under the curve, 0..1: how probably a picture of the class has a higher score than one
    of the rest, equal ones counting half."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PrecisionRecallCurve:
    """Precision and recall, from the strictest threshold to the laxest."""

    precision: Values
    """Of what is accepted the share that is of the class, 0..1."""
    recall: Values
    """Of the class the share that is accepted, 0..1, never falling."""
    thresholds: Values
    """Scores from which on is accepted, falling."""
    average_precision: float
    """Mean of the precision over recall: the sum of precision times the gain in recall."""


def roc_curve(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> RocCurve:
    """The receiver operating characteristic of a score.

    Args:
        scores: (n,), higher for what is more probably of the class, such as its probability.
        positive: (n,) whether each is of the class.

    Raises:
        ConfigError: shapes that differ, scores that are NaN, or all of one kind.

    Source: T. Fawcett, "An introduction to ROC analysis", 2006.

    >>> roc_curve(np.array([0.9, 0.8, 0.3]), np.array([True, False, True])).auc
    0.5
    """
    right, accepted, thresholds = _accepted(scores, positive)
    wrong = accepted - right
    if right[-1] == 0 or wrong[-1] == 0:
        raise ConfigError(
            "a ROC curve needs pictures of the class and others; all of them are "
            f"{'others' if right[-1] == 0 else 'of the class'}"
        )
    true, false = (np.concatenate([[0.0], each / each[-1]]) for each in (right, wrong))
    return RocCurve(
        false_positive_rate=false,
        true_positive_rate=true,
        thresholds=np.concatenate([[np.inf], thresholds]),
        auc=float(np.trapezoid(true, false)),
    )


def precision_recall_curve(
    scores: NDArray[np.floating], positive: NDArray[np.bool_]
) -> PrecisionRecallCurve:
    """Precision against recall of a score.

    Args:
        scores: as for :func:`roc_curve`.
        positive: likewise.

    Raises:
        ConfigError: as there, but others are not needed.

    >>> precision_recall_curve(np.array([0.9, 0.8, 0.3]), np.array([True, False, True])).precision
    array([1.        , 0.5       , 0.66666667])
    """
    right, accepted, thresholds = _accepted(scores, positive)
    if right[-1] == 0:
        raise ConfigError("a precision-recall curve needs pictures of the class; there are none")
    precision, recall = right / accepted, right / right[-1]
    gained = np.diff(recall, prepend=0.0)
    return PrecisionRecallCurve(
        precision=precision,
        recall=recall,
        thresholds=thresholds,
        average_precision=float((precision * gained).sum()),
    )


def _accepted(
    scores: NDArray[np.floating], positive: NDArray[np.bool_]
) -> tuple[Values, Values, Values]:
    """From each different score on: how many are accepted rightly, how many in all; the scores."""
    if scores.ndim != 1 or scores.shape != positive.shape or not len(scores):
        raise ConfigError(
            "scores and positive must both have shape (n,), n at least 1; got "
            f"{scores.shape} and {positive.shape}"
        )
    if np.isnan(scores).any():
        raise ConfigError("scores must be numbers; some are NaN")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # of equal scores
    right = np.cumsum(positive[order], dtype=np.float64)[last]
    return right, (last + 1).astype(np.float64), ranked[last]
