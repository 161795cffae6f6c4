"""How far the figures of a confusion matrix would go on other pictures of the same kind.

The bootstrap draws as many pictures again, with replacement, and counts them anew. How often each
cell of the matrix is drawn then follows a multinomial distribution, so the pictures themselves are
not needed, and thousands of resamples take milliseconds.

Source: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile
intervals).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.evaluation.intervals import wilson_interval

RESAMPLES = 2_000
_DRAWN_AT_ONCE = 2**22
"""Cells of all resamples in memory at a time."""

Interval = tuple[float, float]
Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MatrixIntervals:
    """Percentile intervals of what follows from a confusion matrix, each (low, high) in 0..1."""

    precision: tuple[Interval, ...]
    """One a class, like the next two."""
    recall: tuple[Interval, ...]
    f1: tuple[Interval, ...]
    accuracy: Interval
    macro_f1: Interval
    """Of the mean of F1 over the classes."""


def bootstrap_matrix(
    matrix: NDArray[np.int64],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> MatrixIntervals:
    """Bootstrap intervals of precision, recall, F1, accuracy and macro F1.

    A resample without any picture of a class says nothing of its recall, and one in which nothing
    is called so nothing of its precision: they do not count there. A class of which that is true in
    every resample has the interval (0, 1). Where all pictures are right, or none, every resample
    says the same, and the bootstrap nothing of how sure that is: there the other end is Wilson's,
    so that ten of ten give 0.72 to 1 (F1: the harmonic mean of such ends). With few pictures of a
    class the intervals are a little too narrow all the same.

    Args:
        matrix: (classes, classes) counts, as from :func:`confusion_matrix`.
        confidence: probability that an interval holds the true value, in (0, 1).
        resamples: from 100.
        seed: of the draws; the same seed gives the same intervals.

    Raises:
        ConfigError: an empty matrix, or a number outside its range.

    >>> found = bootstrap_matrix(np.array([[90, 10], [20, 80]]))
    >>> [round(bound, 1) for bound in found.recall[0]]
    [0.8, 1.0]
    """
    _check(matrix, confidence)
    check_whole("resamples", resamples, 100, 1_000_000)
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(matrix)
    counts = matrix[rows, columns]
    step = max(1, _DRAWN_AT_ONCE // len(counts))
    drawn = [
        _figures(
            rng.multinomial(counts.sum(), counts / counts.sum(), size=min(step, resamples - start)),
            rows,
            columns,
            len(matrix),
        )
        for start in range(0, resamples, step)
    ]
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    bounds = {
        name: _bounds(np.concatenate([each[name] for each in drawn]), tails) for name in drawn[0]
    }
    right = np.diag(matrix)
    precision = _widened(bounds["precision"], right, matrix.sum(axis=0), confidence)
    recall = _widened(bounds["recall"], right, matrix.sum(axis=1), confidence)
    (whole,) = _widened(bounds["accuracy"], right.sum()[None], matrix.sum()[None], confidence)
    return MatrixIntervals(
        precision=precision,
        recall=recall,
        f1=_widened_f1(bounds["f1"], precision, recall),
        accuracy=whole,
        macro_f1=bounds["macro_f1"][0],
    )


def _figures(
    draws: NDArray[np.int64], rows: NDArray[np.int64], columns: NDArray[np.int64], n_classes: int
) -> dict[str, Values]:
    """Of each resample: (resamples, classes), or (resamples, 1)."""
    diagonal = rows == columns
    right = np.zeros((len(draws), n_classes))
    right[:, rows[diagonal]] = draws[:, diagonal]
    support, called = _sums(draws, rows, n_classes), _sums(draws, columns, n_classes)
    # NaN where a resample says nothing. A class that neither is nor is called anything has no F1.
    f1 = _share(2 * right, support + called)
    return {
        "precision": _share(right, called),
        "recall": _share(right, support),
        "f1": f1,
        "accuracy": right.sum(axis=1, keepdims=True) / draws[0].sum(),
        "macro_f1": np.nan_to_num(f1).mean(axis=1, keepdims=True),
    }


def _sums(draws: NDArray[np.int64], group: NDArray[np.int64], n_groups: int) -> Values:
    """Sums of the cells of each group: (resamples, groups)."""
    sums = np.zeros((len(draws), n_groups))
    order = np.argsort(group, kind="stable")
    groups, starts = np.unique(group[order], return_index=True)
    sums[:, groups] = np.add.reduceat(draws[:, order], starts, axis=1)
    return sums


def _share(above: Values, below: Values) -> Values:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _bounds(values: Values, tails: list[float]) -> tuple[Interval, ...]:
    bounds: list[Interval] = []
    for column in values.T:
        known = column[~np.isnan(column)]
        low, high = np.quantile(known, tails) if len(known) else (0.0, 1.0)
        bounds.append((float(low), float(high)))
    return tuple(bounds)


def _widened(
    bounds: tuple[Interval, ...],
    right: NDArray[np.int64],
    n: NDArray[np.int64],
    confidence: float,
) -> tuple[Interval, ...]:
    """Intervals of shares, with Wilson's where all or none of the n were right."""
    wide = list(bounds)
    for place in np.flatnonzero((n > 0) & ((right == 0) | (right == n))).tolist():
        wide[place] = wilson_interval(int(right[place]), int(n[place]), confidence)
    return tuple(wide)


def _widened_f1(
    bounds: tuple[Interval, ...], precision: tuple[Interval, ...], recall: tuple[Interval, ...]
) -> tuple[Interval, ...]:
    """Where every resample has the same F1, 0 or 1, the ends that precision and recall have."""

    def of_ends(place: int, end: int) -> float:
        one, other = precision[place][end], recall[place][end]
        return 2 * one * other / (one + other) if one + other else 0.0

    return tuple(
        (of_ends(place, 0), of_ends(place, 1)) if bound in ((0.0, 0.0), (1.0, 1.0)) else bound
        for place, bound in enumerate(bounds)
    )


def _check(matrix: NDArray[Any], confidence: float) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ConfigError(f"a confusion matrix is (classes, classes); got {matrix.shape}")
    if matrix.min() < 0 or matrix.sum() == 0:
        raise ConfigError("a confusion matrix holds counts, and at least one picture")
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence must be between 0 and 1; got {confidence}")
