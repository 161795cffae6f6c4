"""Which of two classifiers is better, judged on the same pictures; or that it cannot be told."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole, to_dict
from convolens.errors import ConfigError

RESAMPLES = 10_000
POWER = 0.8
"""How probably a difference as seen is told with the number of pictures that is said to do."""


@dataclass(frozen=True, kw_only=True)
class PairedComparison:
    """Two classifiers, one and other, on the same n pictures."""

    n: int
    only_one: int
    """Pictures that the first one alone judged rightly."""
    only_other: int
    """Pictures that the second one alone judged rightly."""
    difference: float
    """Accuracy of the first less that of the second, -1..1."""
    low: float
    """Lower end of its interval, by the paired bootstrap."""
    high: float
    """Upper end."""
    p_value: float
    """Of McNemar's exact test: how probably two equally good classifiers differ so much."""
    confidence: float
    """Of the interval, and of what can be told."""

    @property
    def better(self) -> int | None:
        """0 if the first one is better, 1 if the second is; None where it cannot be told."""
        if self.p_value >= 1 - self.confidence:
            return None
        return 0 if self.difference > 0 else 1

    @property
    def would_tell(self) -> int | None:
        """About how many pictures of the same kind would tell a difference as it was seen.

        With a probability of 0.8. None where nothing was seen that could be told: as many are
        right in the one as in the other.
        """
        return pictures_that_tell(self.only_one, self.only_other, self.n, self.confidence)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {**to_dict(self), "better": self.better, "would_tell": self.would_tell}


def compare_paired(
    one: NDArray[np.bool_],
    other: NDArray[np.bool_],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PairedComparison:
    """Compare two classifiers by what each judged rightly.

    Pictures that both judge alike say nothing of the difference, and most are such: so this tells
    much more than two intervals side by side. It takes the two networks as they are: another seed
    of the same recipe may differ as much.

    Args:
        one: (n,) whether the first classifier was right on each picture.
        other: (n,) the same of the second, on the same pictures in the same order.
        confidence: in (0, 1).
        resamples: of the bootstrap, from 100.
        seed: of its draws.

    Raises:
        ConfigError: shapes that differ, no pictures, or a number outside its range.

    Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions
    or percentages", 1947, with the exact binomial distribution; B. Efron and R. Tibshirani, 1993,
    for the bootstrap.

    >>> told = compare_paired(np.arange(200) < 190, np.arange(200) < 160)
    >>> told.only_one, told.better, round(told.difference, 2)
    (30, 0, 0.15)
    """
    if one.shape != other.shape or one.ndim != 1 or not len(one):
        raise ConfigError(
            "both must say of the same pictures, (n,), whether each was right; got "
            f"{one.shape} and {other.shape}"
        )
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence must be between 0 and 1; got {confidence}")
    check_whole("resamples", resamples, 100, 10_000_000)
    n = len(one)
    only_one, only_other = int((one & ~other).sum()), int((other & ~one).sum())
    # Drawing pictures again is drawing how many there are of each of three kinds.
    kinds = np.array([only_one, only_other, n - only_one - only_other])
    draws = np.random.default_rng(seed).multinomial(n, kinds / n, size=resamples)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile((draws[:, 0] - draws[:, 1]) / n, tails)
    return PairedComparison(
        n=n,
        only_one=only_one,
        only_other=only_other,
        difference=(only_one - only_other) / n,
        low=float(low),
        high=float(high),
        p_value=mcnemar(only_one, only_other),
        confidence=confidence,
    )


def mcnemar(only_one: int, only_other: int) -> float:
    """The exact test that two classifiers are right equally often: its two-sided p-value.

    Args:
        only_one: pictures that only the first judged rightly, from 0.
        only_other: pictures that only the second did, from 0.

    Returns:
        0..1; 1 where the numbers are equal.

    Raises:
        ConfigError: a negative number.

    >>> mcnemar(0, 5)
    0.0625
    """
    if min(only_one, only_other) < 0:
        raise ConfigError(f"counts must be 0 or more; got {only_one} and {only_other}")
    n, fewer = only_one + only_other, min(only_one, only_other)
    total, term = 0, 1
    for k in range(fewer + 1):
        total += term
        term = term * (n - k) // (k + 1)
    # Whole numbers until here: a quotient of two is right to the last bit however small it is.
    return min(1.0, 2 * total / 2**n)


def pictures_that_tell(
    only_one: int, only_other: int, n: int, confidence: float = 0.95
) -> int | None:
    """About how many pictures would tell a difference, were it as large as it was seen.

    Args:
        only_one: pictures that only the first classifier judged rightly.
        only_other: pictures that only the second did.
        n: pictures in all.
        confidence: of the test.

    Returns:
        So many pictures in all show it with a probability of 0.8; None where none was seen.

    Source: R. Connor, "Sample size for testing differences in proportions for the paired-sample
    design", 1987.

    >>> pictures_that_tell(40, 30, 1000)
    5492
    """
    if only_one == only_other:
        return None
    differ, gap = (only_one + only_other) / n, abs(only_one - only_other) / n
    normal = NormalDist()
    sure, seen = normal.inv_cdf((1 + confidence) / 2), normal.inv_cdf(POWER)
    return math.ceil(((sure * math.sqrt(differ) + seen * math.sqrt(differ - gap**2)) / gap) ** 2)
