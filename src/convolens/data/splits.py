"""Dividing pictures: the last of them as in the notes, or every class in proportion."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole
from convolens.data.datasets import Split
from convolens.data.ordering import permutation
from convolens.errors import ConfigError

_FIRST_STREAM = 2**63  # epochs use the random streams below it


def hold_out_last(split: Split, n: int) -> tuple[Split, Split]:
    """Hold out the last n pictures, as the notes do.

    Args:
        split: pictures with labels.
        n: how many to hold out, at least 1 and fewer than there are.

    Returns:
        All but the last n, and the last n; both share memory with ``split``.

    Raises:
        ConfigError: n is out of range.

    >>> data = Split(np.zeros((5, 2, 2, 1), np.uint8), np.arange(5))
    >>> [part.labels.tolist() for part in hold_out_last(data, 2)]
    [[0, 1, 2], [3, 4]]
    """
    check_whole("n", n, 1, len(split) - 1)
    return split.select(slice(None, -n)), split.select(slice(-n, None))


def stratified_split(split: Split, fractions: Sequence[float], seed: int) -> tuple[Split, ...]:
    """Divide at random so that every part has the classes in the proportions of the whole.

    The sizes of the parts are exact: each fraction of n, rounded by largest remainder. A class with
    at least as many pictures as there are parts is in every part, unless a part is smaller than the
    number of classes. Inside a part the pictures keep their order.

    Args:
        split: pictures with labels.
        fractions: the share of each part, two or more, each above 0, with the sum 1.
        seed: 0 to 2**64 - 1; the same seed divides the same way.

    Returns:
        One Split for each fraction.

    Raises:
        ConfigError: impossible fractions, or too few pictures for a part to get one.

    Source: largest remainder is Hamilton's method of apportionment.

    >>> data = Split(np.zeros((10, 2, 2, 1), np.uint8), np.repeat([0, 1], 5))
    >>> [part.labels.tolist() for part in stratified_split(data, (0.6, 0.4), seed=0)]
    [[0, 0, 0, 1, 1, 1], [0, 0, 1, 1]]
    """
    totals = _totals(len(split), fractions)
    classes, counts = np.unique(split.labels, return_counts=True)
    table = _allocate(counts.astype(np.int64), totals)
    part_of = np.empty(len(split), dtype=np.int64)
    for label, row in zip(classes.tolist(), table, strict=True):
        members = np.flatnonzero(split.labels == label)
        shuffled = members[permutation(len(members), seed, _FIRST_STREAM + label)]
        part_of[shuffled] = np.repeat(np.arange(len(totals)), row)
    chosen = (np.flatnonzero(part_of == part) for part in range(len(totals)))
    return tuple(split.select(indices) for indices in chosen)


def _totals(n: int, fractions: Sequence[float]) -> NDArray[np.int64]:
    shares = np.asarray(fractions, dtype=np.float64)
    possible = shares.ndim == 1 and len(shares) >= 2 and bool((shares > 0).all())
    if not possible or abs(shares.sum() - 1) > 1e-9:
        raise ConfigError(
            f"fractions are {tuple(fractions)!r}; allowed: two or more, each above 0, sum 1"
        )
    totals = _largest_remainder(n * shares, n)
    if not totals.all():
        raise ConfigError(
            f"{n} images divided by {tuple(fractions)!r} leave a part empty; "
            "use larger fractions or more images"
        )
    return totals


def _largest_remainder(quotas: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    # Rounded, so that the noise of the last binary digit does not decide between equals.
    quotas = quotas.round(9)
    whole = np.floor(quotas).astype(np.int64)
    by_remainder = np.argsort(whole - quotas, kind="stable")
    whole[by_remainder[: total - int(whole.sum())]] += 1
    return whole


def _allocate(counts: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of each class (rows) go into each part (columns); both margins are exact."""
    quotas = counts[:, None] * (totals / totals.sum())[None, :]
    table = np.stack(
        [_largest_remainder(row, int(n)) for row, n in zip(quotas, counts, strict=True)]
    )
    least = np.where(counts >= len(totals), 1, 0)
    for row, smallest in zip(table, least, strict=True):
        while row.min() < smallest:
            row[row.argmax()] -= 1
            row[row.argmin()] += 1
    # Each class is exact by itself now. Move one at a time from the fullest part to the emptiest,
    # from the class that has most above its quota there, until the parts are exact as well.
    while (gap := totals - table.sum(axis=0)).any():
        full, empty = int(gap.argmin()), int(gap.argmax())
        movable = table[:, full] > least
        if not movable.any():  # a part smaller than the number of classes
            movable = table[:, full] > 0
        excess = table - quotas
        gain = np.where(movable, excess[:, full] - excess[:, empty], -np.inf)
        best = int(gain.argmax())
        table[best, full] -= 1
        table[best, empty] += 1
    return table
