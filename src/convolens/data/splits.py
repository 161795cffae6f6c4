"""Dividing pictures: the last of them as in the notes, or every class in proportion."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole
from convolens.data.datasets import Split
from convolens.data.grouping import NO_PAIRS, merge_groups, place_groups
from convolens.data.ordering import permutation
from convolens.errors import ConfigError, DataError

# Random streams: epochs use those below 2**63; each class has one of its own from here on, by its
# label, and groups have one. A sample and folds have theirs further up, so that a division of what
# they leave owes nothing to them.
_FIRST_STREAM = 2**63
_GROUPS_ABOVE = 2**60
SAMPLE_STREAM = 2**63 + 2**61
FOLDS_STREAM = 2**63 + 2**62


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

    As :func:`divide` without groups, for pictures that are in a split already.

    Args:
        split: pictures with labels.
        fractions: the share of each part, two or more, each above 0, with the sum 1.
        seed: 0 to 2**64 - 1; the same seed divides the same way.

    Returns:
        One Split for each fraction.

    Raises:
        ConfigError: impossible fractions, or too few pictures for a part to get one.

    >>> data = Split(np.zeros((10, 2, 2, 1), np.uint8), np.repeat([0, 1], 5))
    >>> [part.labels.tolist() for part in stratified_split(data, (0.6, 0.4), seed=0)]
    [[0, 0, 0, 1, 1, 1], [0, 0, 1, 1]]
    """
    part_of = divide(split.labels, fractions, seed)
    chosen = (np.flatnonzero(part_of == part) for part in range(len(fractions)))
    return tuple(split.select(indices) for indices in chosen)


def divide(
    labels: NDArray[np.int64],
    fractions: Sequence[float],
    seed: int,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """The part of each picture in a random division that keeps classes in proportion.

    Without groups the sizes of the parts are exact: each fraction of n, rounded by largest
    remainder. A class with at least as many pictures as there are parts is in every part, unless a
    part is smaller than the number of classes.

    With groups, those of several pictures are placed first, see
    :func:`convolens.data.grouping.place_groups`, and single pictures then fill what is left: where
    there are enough of them, the sizes are exact again. Where there are not, no division may be
    exact: in 20,000 random sets of up to 240 pictures the sizes were off by at most twice the
    largest group (``tests/data/test_grouping.py`` has them), and a class with as many groups as
    there are parts was in every part that had room for two of the largest groups of each class.

    Args:
        labels: (n,), the class of each picture, from 0.
        fractions: the share of each part, two or more, each above 0, with the sum 1.
        seed: 0 to 2**64 - 1; the same seed divides the same way.
        groups: (n,), pictures of one number are never divided; None where each is on its own.

    Returns:
        (n,) int64, each 0 to ``len(fractions)`` - 1; no part is empty.

    Raises:
        ConfigError: impossible fractions, or too few pictures or groups for a part to get one.
        DataError: labels or groups of another shape or below 0.

    Source: largest remainder is Hamilton's method of apportionment.

    >>> divide(np.repeat([0, 1], 5), (0.6, 0.4), seed=0, groups=np.array([1, 1, 2, 3, 4] * 2))
    array([0, 0, 1, 0, 1, 0, 0, 1, 0, 1])
    """
    return divide_exactly(labels, _sizes(len(labels), fractions), seed, groups)


def divide_exactly(
    labels: NDArray[np.int64],
    sizes: NDArray[np.int64],
    seed: int,
    groups: NDArray[np.int64] | None = None,
    *,
    least: Sequence[int] | None = None,
    stream: int = _FIRST_STREAM,
) -> NDArray[np.int64]:
    """As :func:`divide`, with the number of pictures wanted in each part.

    Args:
        labels: (n,), the class of each picture, from 0.
        sizes: (parts,), each at least 1, with the sum n.
        seed: 0 to 2**64 - 1.
        groups: (n,) or None.
        least: (parts,), without groups: the least number of pictures of each class in each part. If
            None it is 1 for the classes that have as many pictures as there are parts.
        stream: the first of the random streams to use.

    Returns:
        (n,) int64, the part of each.

    Raises:
        ConfigError: fewer groups than parts.
        DataError: labels or groups of another shape or below 0.

    >>> divide_exactly(np.array([0, 0, 1, 1, 1, 1]), np.array([4, 2]), seed=0)
    array([1, 0, 0, 1, 0, 0])
    """
    assert sizes.min() >= 1, "an empty part"
    assert sizes.sum() == len(labels), "parts that are not the whole"
    numbers, counts = _classes(labels)
    if groups is not None:
        groups = merge_groups(len(labels), NO_PAIRS, groups)
        if (n_groups := int(groups.max()) + 1) < len(sizes):
            raise ConfigError(
                f"{len(labels):,} images in {n_groups:,} groups cannot be divided into "
                f"{len(sizes)} parts, for a group (all copies of one image are one, too) stays in "
                "one part; use fewer parts or smaller groups, or keep_duplicates_together=False"
            )
    if groups is None or groups.max() == len(groups) - 1:
        table = _allocate(counts, sizes, least)
        return _deal(labels, numbers, table, seed, stream)
    placement = place_groups(numbers, groups, sizes, seed, stream + _GROUPS_ABOVE)
    part_of = placement.part_of
    alone = np.flatnonzero(part_of < 0)
    if len(alone):
        singles = np.bincount(numbers[alone], minlength=len(counts))
        table = _fill(counts, sizes, placement.placed, singles)
        part_of[alone] = _deal(labels[alone], numbers[alone], table, seed, stream)
    return part_of


def _classes(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number of each picture's class among those present, and the pictures of each."""
    if labels.ndim != 1 or not len(labels) or labels.min() < 0:
        raise DataError(f"labels of shape {labels.shape}; allowed: (n,), n at least 1, each from 0")
    _, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return numbers.astype(np.int64), counts.astype(np.int64)


def _deal(
    labels: NDArray[np.int64],
    numbers: NDArray[np.int64],
    table: NDArray[np.int64],
    seed: int,
    stream: int,
) -> NDArray[np.int64]:
    """Deal the pictures of each class out at random, as many to each part as its row says."""
    part_of = np.empty(len(labels), dtype=np.int64)
    by_class = np.argsort(numbers, kind="stable")
    ends = np.cumsum(table.sum(axis=1))
    for row, end in zip(table, ends.tolist(), strict=True):
        members = by_class[end - int(row.sum()) : end]
        if len(members):
            shuffled = members[permutation(len(members), seed, stream + int(labels[members[0]]))]
            part_of[shuffled] = np.repeat(np.arange(len(row)), row)
    return part_of


def _sizes(n: int, fractions: Sequence[float]) -> NDArray[np.int64]:
    shares = np.asarray(fractions, dtype=np.float64)
    possible = shares.ndim == 1 and len(shares) >= 2 and bool((shares > 0).all())
    if not possible or abs(shares.sum() - 1) > 1e-9:
        raise ConfigError(
            f"fractions are {tuple(fractions)!r}; allowed: two or more, each above 0, sum 1"
        )
    sizes = _largest_remainder(n * shares, n)
    if not sizes.all():
        raise ConfigError(
            f"{n} images divided by {tuple(fractions)!r} leave a part empty; "
            "use larger fractions or more images"
        )
    return sizes


def _largest_remainder(quotas: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    # Rounded, so that the noise of the last binary digit does not decide between equals.
    quotas = quotas.round(9)
    whole = np.floor(quotas).astype(np.int64)
    by_remainder = np.argsort(whole - quotas, kind="stable")
    whole[by_remainder[: total - int(whole.sum())]] += 1
    return whole


def _allocate(
    counts: NDArray[np.int64], sizes: NDArray[np.int64], least: Sequence[int] | None
) -> NDArray[np.int64]:
    """How many of each class (rows) go into each part (columns); both margins are exact."""
    quotas = counts[:, None] * (sizes / sizes.sum())[None, :]
    if least is None:
        lower = np.where(counts >= len(sizes), 1, 0)[:, None].repeat(len(sizes), axis=1)
    else:
        lower = np.tile(np.array(least, dtype=np.int64), (len(counts), 1))
    return _round(quotas, counts, sizes, lower)


def _fill(
    counts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    placed: NDArray[np.int64],
    singles: NDArray[np.int64],
) -> NDArray[np.int64]:
    """How many single pictures of each class go into each part, after groups were placed."""
    wanted = np.maximum(sizes - placed.sum(axis=0), 0).astype(np.float64)
    room = _largest_remainder(wanted * (singles.sum() / wanted.sum()), int(singles.sum()))
    empty = (placed.sum(axis=0) == 0).astype(np.int64)
    _raise_to(room, empty)
    shares = sizes / sizes.sum()
    # What each class lacks of its quota, and a little everywhere: where room is left over, any
    # class may have to take it. Then rows and columns are scaled to their sums in turn.
    quotas = np.maximum(counts[:, None] * shares - placed, 0) + 1e-3 * singles[:, None] * shares
    for _ in range(30):
        quotas *= (room / np.maximum(quotas.sum(axis=0), 1e-12))[None, :]
        quotas *= (singles / np.maximum(quotas.sum(axis=1), 1e-12))[:, None]
    lacking = placed == 0
    enough = (counts >= len(sizes)) & (singles >= lacking.sum(axis=1))
    return _round(quotas, singles, room, (lacking & enough[:, None]).astype(np.int64))


def _round(
    quotas: NDArray[np.float64],
    counts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    least: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Whole numbers near the quotas, with exact sums and, where that can be, no less than least."""
    table = np.stack(
        [_largest_remainder(row, int(n)) for row, n in zip(quotas, counts, strict=True)]
    )
    for row, smallest in zip(table, least, strict=True):
        _raise_to(row, smallest)
    # Each class is exact by itself now. Move some from the fullest part to the emptiest, from the
    # class that has most above its quota there, until the parts are exact as well. One at a time
    # when rounding alone is to blame, more when the quotas were far from the sizes.
    while (gap := sizes - table.sum(axis=0)).any():
        full, empty = int(gap.argmin()), int(gap.argmax())
        spare = table[:, full] - least[:, full]
        if not (spare > 0).any():  # a part smaller than the number of classes
            spare = table[:, full]
        excess = table - quotas
        gain = np.where(spare > 0, excess[:, full] - excess[:, empty], -np.inf)
        best = int(gain.argmax())
        step = int(min(-gap[full], gap[empty])) // (4 * len(table))
        step = min(max(step, 1), int(spare[best]))
        table[best, full] -= step
        table[best, empty] += step
    return table


def _raise_to(row: NDArray[np.int64], least: NDArray[np.int64]) -> None:
    """Take from the largest until none is below its least; the sum of the row stays."""
    while (row < least).any():
        spare = row - least
        row[spare.argmax()] -= 1
        row[spare.argmin()] += 1
