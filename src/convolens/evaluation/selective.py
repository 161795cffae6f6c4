"""Saying "unsure": how often a model is wrong where it answers, and how often it then answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.doubt.risks import TRIES, RiskTable, UnsureBelow, check_share, pick_threshold
from convolens.evaluation.metrics import Labels, Probabilities, check_predictions

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class RiskCoverage:
    """Risk against coverage, from the surest pictures to all of them.

    Each array has an entry for every different confidence.
    """

    coverage: Values
    """Share of the pictures that are answered, 0..1, rising to 1."""
    risk: Values
    """Of those the share that is wrong, 0..1."""
    thresholds: Values
    """Probabilities of the likeliest class from which on is answered, falling."""
    area: float
    """Under the curve: the mean risk over all coverages, each picture one step."""


def risk_coverage(probabilities: Probabilities, labels: Labels) -> RiskCoverage:
    """How the risk falls when fewer pictures are answered.

    Args:
        probabilities: (n, classes).
        labels: (n,) in 0..classes-1.

    Raises:
        ConfigError: shapes, labels or probabilities that do not fit.

    Source: R. El-Yaniv and Y. Wiener, "On the foundations of noise-free selective classification",
    2010.

    >>> curve = risk_coverage(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
    >>> curve.coverage.tolist(), curve.risk.tolist()
    ([0.5, 1.0], [0.0, 0.5])
    """
    ends, wrong, thresholds = _ranked(probabilities, labels)
    n = len(labels)
    risk = wrong / ends
    # Between two confidences the pictures are alike: each has the risk at their end.
    area = float((risk * np.diff(ends, prepend=0)).sum() / n)
    return RiskCoverage(coverage=ends / n, risk=risk, thresholds=thresholds, area=area)


def unsure_below(
    probabilities: Probabilities, labels: Labels, risk: float, *, confidence: float = 0.95
) -> UnsureBelow:
    """The least threshold at which the risk is kept, not only here but on pictures to come.

    Twenty thresholds are tried, at which a twentieth of these pictures, two twentieths and so on
    are answered. The exact upper bound of the risk (Clopper and Pearson) must be below the risk
    asked for, with the probability of error shared among the twenty; the laxest that passes is
    taken. What comes must be of the same kind as these pictures, which must not have been trained
    on.

    Args:
        probabilities: (n, classes).
        labels: (n,) in 0..classes-1.
        risk: of what is answered, the share that may be wrong, in (0, 1).
        confidence: that this holds, in (0, 1).

    Raises:
        ConfigError: as :func:`risk_coverage`; or a number outside its range.

    Source: Y. Geifman and R. El-Yaniv, "Selective classification for deep neural networks", 2017,
    for the bound; A. Angelopoulos et al., "Learn then test", 2021, for trying fixed candidates:
    bisecting them fails where few are answered and the bound is wide.

    >>> rng = np.random.default_rng(0)
    >>> sure = np.sort(rng.uniform(0.5, 1, 2000))
    >>> right = rng.random(2000) < sure
    >>> found = unsure_below(np.stack([sure, 1 - sure], axis=1), (~right).astype(int), risk=0.1)
    >>> 0.7 < found.threshold < 0.9 and found.seen_risk < 0.1
    True
    """
    check_share("risk", risk)
    check_share("confidence", confidence)
    return pick_threshold(risk_table(probabilities, labels), risk, confidence=confidence)


def risk_table(probabilities: Probabilities, labels: Labels) -> RiskTable:
    """The thresholds that :func:`unsure_below` tries, so that a risk can be named later.

    Args:
        probabilities: (n, classes), of pictures that were not trained on.
        labels: (n,) in 0..classes-1.

    Returns:
        At most twenty thresholds: at as many different confidences the same ones are met.

    Raises:
        ConfigError: as :func:`risk_coverage`.

    >>> table = risk_table(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
    >>> table.thresholds, table.answered, table.wrong
    ((0.6, 0.9), (2, 1), (1, 0))
    """
    ends, wrong, thresholds = _ranked(probabilities, labels)
    wanted = (number / TRIES * ends[-1] - 1e-9 for number in range(TRIES, 0, -1))
    # Where many pictures have one confidence, several of the twenty fall on the same threshold.
    places = sorted({int((ends < count).sum()) for count in wanted}, reverse=True)
    return RiskTable(
        thresholds=tuple(thresholds[places].tolist()),
        answered=tuple(ends[places].astype(int).tolist()),
        wrong=tuple(wrong[places].astype(int).tolist()),
    )


def _ranked(probabilities: Probabilities, labels: Labels) -> tuple[Values, Values, Values]:
    """For each different confidence, falling: pictures from it on, wrong ones, itself."""
    check_predictions(probabilities, labels)
    confidence = probabilities.max(axis=1).astype(np.float64)
    wrong = probabilities.argmax(axis=1) != labels
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    errors = np.cumsum(wrong[order], dtype=np.float64)[last]
    return (last + 1).astype(np.float64), errors, ranked[last]
