"""Saying "unsure": how often a model is wrong where it answers, and how often it then answers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.evaluation.metrics import Labels, Probabilities, check_predictions

TRIES = 20
"""Thresholds of which the laxest is taken that keeps a risk."""

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


@dataclass(frozen=True, kw_only=True)
class UnsureBelow:
    """A threshold on the probability of the likeliest class, below which a model says "unsure"."""

    threshold: float
    """Answered is from here on; above 1 where nothing can be answered at that risk."""
    risk: float
    """The risk that was asked for: of what is answered, the share that may be wrong."""
    confidence: float
    """How sure it is that the risk is kept on other pictures of the same kind."""
    coverage: float
    """Share of the pictures given that is answered, 0..1."""
    seen_risk: float
    """Of those the share that was wrong; 0 where there are none."""


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
    for name, value in (("risk", risk), ("confidence", confidence)):
        if not 0 < value < 1:
            raise ConfigError(f"{name} must be between 0 and 1; got {value}")
    ends, wrong, thresholds = _ranked(probabilities, labels)
    wanted = (number / TRIES * ends[-1] - 1e-9 for number in range(TRIES, 0, -1))
    places = [int((ends < count).sum()) for count in wanted]
    allowed = (1 - confidence) / TRIES
    passing = (
        place
        for place in places
        if binomial_upper(int(wrong[place]), int(ends[place]), allowed) <= risk
    )
    kept = next(passing, None)
    if kept is None:
        above = 2.0  # also in float32, where a probability may be exactly 1
        return UnsureBelow(
            threshold=above, risk=risk, confidence=confidence, coverage=0.0, seen_risk=0.0
        )
    return UnsureBelow(
        threshold=float(thresholds[kept]),
        risk=risk,
        confidence=confidence,
        coverage=float(ends[kept] / len(labels)),
        seen_risk=float(wrong[kept] / ends[kept]),
    )


def binomial_upper(successes: int, n: int, error: float) -> float:
    """The greatest share of which ``successes`` or fewer out of ``n`` are not too improbable.

    Args:
        successes: 0..n.
        n: at least 1.
        error: how probable as few must be, in (0, 1).

    Returns:
        0..1: the upper end of a one-sided exact interval.

    Source: C. Clopper and E. Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", 1934.

    >>> round(binomial_upper(0, 100, 0.05), 4)  # the rule of three: about 3 / n
    0.0295
    """
    if successes >= n:
        return 1.0
    counts = np.arange(successes + 1)
    factors = _log_choose(n, counts)
    low, high = successes / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if middle in (0.0, 1.0):
            break
        terms = factors + counts * math.log(middle) + (n - counts) * math.log1p(-middle)
        if np.exp(terms).sum() > error:
            low = middle
        else:
            high = middle
    return high


def _log_choose(n: int, counts: NDArray[np.int64]) -> Values:
    """Log of n over each count from 0 on."""
    steps = np.log(n - counts[:-1]) - np.log(counts[1:])
    return np.concatenate([[0.0], np.cumsum(steps)])


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
