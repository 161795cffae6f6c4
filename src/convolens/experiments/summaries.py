"""What several runs say together."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from convolens.config import to_dict
from convolens.experiments.intervals import mean_interval

SEEDS_METHOD = (
    "95 % for the mean over seeds, Student's t; what other pictures would give is not in it"
)
FOLDS_METHOD = (
    "95 % for the mean over folds, corrected resampled t (Nadeau and Bengio, 2003): "
    "(1/J + n_test/n_train) s² with J results, since folds share training pictures; approximate"
)
POOLED_METHOD = (
    "95 % Wilson interval of the pooled out-of-fold predictions, each picture counted once; takes "
    "the models as given"
)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A figure over several runs."""

    mean: float
    """Of the runs."""
    deviation: float | None
    """Standard deviation of single runs (n - 1); None of one run."""
    low: float | None
    """Lower end of the 95 % interval of the mean; None of one run."""
    high: float | None
    """Upper end."""
    method: str
    """How the interval was made."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


def spread_over_seeds(values: Sequence[float]) -> Spread:
    """Mean, deviation and interval of runs that differ in their seed alone.

    >>> spread_over_seeds([0.5]).deviation is None
    True
    """
    several = len(values) > 1
    low, high = mean_interval(values) if several else (None, None)
    return Spread(
        mean=mean(values),
        deviation=stdev(values) if several else None,
        low=low if low is None else max(0.0, low),
        high=high if high is None else min(1.0, high),
        method=SEEDS_METHOD,
    )
