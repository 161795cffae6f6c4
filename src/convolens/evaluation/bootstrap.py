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
    every resample has the interval (0, 1). With few pictures of a class the intervals are too
    narrow: ten that are all right give (1, 1) here, and 0.72 to 1 by Wilson's.

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
    return MatrixIntervals(
        precision=bounds["precision"],
        recall=bounds["recall"],
        f1=bounds["f1"],
        accuracy=bounds["accuracy"][0],
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


def _check(matrix: NDArray[Any], confidence: float) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ConfigError(f"a confusion matrix is (classes, classes); got {matrix.shape}")
    if matrix.min() < 0 or matrix.sum() == 0:
        raise ConfigError("a confusion matrix holds counts, and at least one picture")
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence must be between 0 and 1; got {confidence}")
