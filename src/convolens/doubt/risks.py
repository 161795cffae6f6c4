"""How often a model was wrong above each of a few thresholds, and the one that keeps a risk."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import to_dict
from convolens.errors import ConfigError

TRIES = 20
"""Thresholds of which the laxest is taken that keeps a risk."""

NOTHING = 2.0  # a threshold that no probability reaches, also in float32, where one may be just 1


@dataclass(frozen=True, kw_only=True)
class RiskTable:
    """What is needed to name any risk later: thresholds, and how often the model was wrong there.

    Each tuple has an entry for each of at most twenty thresholds, the laxest first.

    Raises:
        ConfigError: numbers that cannot have been counted so.
    """

    thresholds: tuple[float, ...]
    """Probabilities of the likeliest class from which on is answered, rising."""
    answered: tuple[int, ...]
    """How many pictures that is; the first is all of them."""
    wrong: tuple[int, ...]
    """And how many of those were judged wrongly."""

    def __post_init__(self) -> None:
        thresholds, answered, wrong = map(np.asarray, (self.thresholds, self.answered, self.wrong))
        fits = (
            thresholds.shape == answered.shape == wrong.shape
            and 1 <= len(thresholds) <= TRIES
            and bool(np.isfinite(thresholds).all() and (np.diff(thresholds) > 0).all())
            and bool((np.diff(answered) < 0).all() and (np.diff(wrong) <= 0).all())
            and 0 <= wrong[-1] <= answered[-1]
            and answered[-1] > 0
            and bool((wrong <= answered).all())
        )
        if not fits:
            raise ConfigError(
                f"a table of risks has 1 to {TRIES} rising thresholds with fewer and fewer "
                f"pictures answered and, of those, wrong; got {to_dict(self)}"
            )

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


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

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


def pick_threshold(table: RiskTable, risk: float, *, confidence: float = 0.95) -> UnsureBelow:
    """The laxest threshold of a table that keeps a risk, also on pictures to come.

    The exact upper bound of the risk (Clopper and Pearson) must be below the risk asked for, with
    the probability of error shared among the thresholds that could have been tried.

    Args:
        table: counted on pictures that were not trained on.
        risk: of what is answered, the share that may be wrong, in (0, 1).
        confidence: that this holds, in (0, 1).

    Raises:
        ConfigError: a number outside its range.

    Source: A. Angelopoulos et al., "Learn then test", 2021.

    >>> table = RiskTable(thresholds=(0.4, 0.8), answered=(1000, 800), wrong=(90, 10))
    >>> pick_threshold(table, 0.05).threshold, pick_threshold(table, 0.2).threshold
    (0.8, 0.4)
    """
    check_share("risk", risk)
    check_share("confidence", confidence)
    uppers = _upper_risks(table, confidence)
    kept = next((place for place, upper in enumerate(uppers) if upper <= risk), None)
    if kept is None:
        return UnsureBelow(
            threshold=NOTHING, risk=risk, confidence=confidence, coverage=0.0, seen_risk=0.0
        )
    return UnsureBelow(
        threshold=table.thresholds[kept],
        risk=risk,
        confidence=confidence,
        coverage=table.answered[kept] / table.answered[0],
        seen_risk=table.wrong[kept] / table.answered[kept],
    )


def least_risk(table: RiskTable, *, confidence: float = 0.95) -> float:
    """The least risk at which :func:`pick_threshold` leaves something to answer.

    >>> table = RiskTable(thresholds=(0.4, 0.8), answered=(1000, 800), wrong=(90, 10))
    >>> round(least_risk(table), 4)
    0.028
    """
    check_share("confidence", confidence)
    return min(_upper_risks(table, confidence))


def check_share(name: str, value: float) -> None:
    """Refuse what is not between 0 and 1, both excluded."""
    if not 0 < value < 1:
        raise ConfigError(f"{name} must be between 0 and 1; got {value}")


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


def _upper_risks(table: RiskTable, confidence: float) -> Iterator[float]:
    """The bound of the risk at each threshold, the laxest first."""
    allowed = (1 - confidence) / TRIES
    for answered, wrong in zip(table.answered, table.wrong, strict=True):
        yield binomial_upper(wrong, answered, allowed)


def _log_choose(n: int, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log of n over each count from 0 on."""
    steps = np.log(n - counts[:-1]) - np.log(counts[1:])
    return np.concatenate([[0.0], np.cumsum(steps)])
