"""Groups of pictures that stay together: joining them, and giving each to one part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.data.ordering import permutation
from convolens.errors import DataError

NO_PAIRS = np.empty((0, 2), dtype=np.int64)
"""Nothing to join."""


def merge_groups(
    n: int, pairs: NDArray[np.int64], groups: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The groups that are left when all pairs, and all of one group, are joined.

    Args:
        n: how many pictures.
        pairs: (m, 2), each two numbers of pictures, 0..n-1, that belong together; chains join.
        groups: (n,), pictures of one number belong together already; each is alone if None.

    Returns:
        (n,) int64: group numbers from 0, in the order of each group's first picture. So they
        depend on who belongs together alone, and not on how the groups were numbered.

    Raises:
        DataError: arrays of another shape, or a picture that does not exist.

    Source: Y. Zhang, A. Azad and Z. Hu, "FastSV: a distributed-memory connected component
    algorithm", 2020: trees are hooked onto smaller roots and flattened, all at once.

    >>> merge_groups(6, np.array([[4, 1], [5, 4]]), np.array([7, 7, 3, 3, 9, 8]))
    array([0, 0, 1, 1, 0, 0])
    """
    pairs = np.asarray(pairs, dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise DataError(f"pairs of shape {pairs.shape}; allowed: (m, 2)")
    if pairs.size and not (pairs.min() >= 0 and pairs.max() < n):
        raise DataError(
            f"pairs name pictures {pairs.min()} to {pairs.max()}; allowed: 0 to {n - 1}"
        )
    if groups is not None:
        pairs = np.concatenate([pairs, _with_the_first(n, groups)])
    root = np.arange(n)
    while len(pairs):
        np.minimum.at(root, pairs.max(axis=1), pairs.min(axis=1))
        while (root[root] != root).any():
            root = root[root]
        pairs = root[pairs]
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    # A root is the smallest of its group, so counting the roots numbers groups by first picture.
    return (np.cumsum(root == np.arange(n)) - 1)[root]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where the groups of several pictures went."""

    part_of: NDArray[np.int64]
    """(n,), the part of each picture; -1 for pictures that are alone."""
    placed: NDArray[np.int64]
    """(classes, parts), how many pictures of each class were placed in each part."""


def place_groups(
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    sizes: NDArray[np.int64],
    seed: int,
    stream: int,
) -> Placement:
    """Give each group of several pictures to the part that its classes fit best.

    Large groups come first, those within a factor of two in random order. Each goes where it raises
    the sum of (placed - wanted)^2 / wanted, over the classes and the size of each part, least. So
    groups of all sizes are in every part, and not the large ones in the large part alone. A class
    with at least as many groups as there are parts is brought into every part as long as groups
    with other classes do not stand against it; no part stays empty when there is a group for each.

    Args:
        labels: (n,), class numbers, each of 0 to k - 1 present.
        groups: (n,), numbers as :func:`merge_groups` gives them.
        sizes: (parts,), wanted sizes, each at least 1, with the sum n.
        seed: 0 to 2**64 - 1.
        stream: of the random order, see :func:`convolens.data.ordering.permutation`.

    Returns:
        The part of each picture that is in a group of several, and the counts of those.

    Source: the sum is Pearson's chi-squared; for one class the rule is the divisor method of
    Webster, as for seats in a parliament.
    """
    members = np.bincount(groups)
    classes = np.bincount(labels)
    n_classes, several = len(classes), members > 1
    cells, counts = np.unique(groups * n_classes + labels, return_counts=True)
    chosen = several[cells // n_classes]
    starts = np.searchsorted(cells // n_classes, np.arange(len(members) + 1)).tolist()
    cell_class, cell_count = (cells % n_classes).tolist(), counts.tolist()
    # One more row, for the pictures of all classes together: the size of a part.
    units = [*np.bincount(cells % n_classes, minlength=n_classes).tolist(), len(members)]
    fitting = _Fitting([*classes.tolist(), len(labels)], units, sizes.tolist())

    part_of_group = np.full(len(members), -1, dtype=np.int64)
    order = _largest_first(np.flatnonzero(several), members, seed, stream)
    for group in order:
        start, end = starts[group], starts[group + 1]
        rows = [*cell_class[start:end], n_classes]
        amounts = [*cell_count[start:end], int(members[group])]
        part_of_group[group] = fitting.place(rows, amounts)
    placed = np.array(fitting.placed, dtype=np.int64).T[:n_classes]
    assert placed.sum() == counts[chosen].sum(), "every group of several is placed once"
    return Placement(part_of=part_of_group[groups], placed=placed)


class _Fitting:
    """The state of :func:`place_groups`: what each part holds of each row (a class, or all).

    Plain numbers in a fixed order rather than arrays: a group has few classes, and sums must be
    the same to the last bit everywhere.
    """

    def __init__(self, counts: list[int], units: list[int], sizes: list[int]) -> None:
        self.placed = [[0] * len(counts) for _ in sizes]
        n = counts[-1]
        self._weights = [[n / (count * size) for count in counts] for size in sizes]
        self._units = units  # groups, those of one picture included, not placed yet
        self._lacking = [len(sizes) if have >= len(sizes) else 0 for have in units]
        # A rarer class need not be everywhere.
        self._everywhere = [have >= len(sizes) for have in units]

    def place(self, rows: list[int], amounts: list[int]) -> int:
        """Put a group into the part that it fits best."""
        urgent = [row for row in rows if 0 < self._lacking[row] >= self._units[row]]
        allowed = self._in_need(urgent) if urgent else range(len(self.placed))
        least, best = float("inf"), -1
        for part in allowed:
            have, weights, rise = self.placed[part], self._weights[part], 0.0
            for row, amount in zip(rows, amounts, strict=True):
                rise += amount * (2 * have[row] + amount) * weights[row]
            if rise < least:
                least, best = rise, part
        have = self.placed[best]
        for row, amount in zip(rows, amounts, strict=True):
            if self._everywhere[row] and not have[row]:
                self._lacking[row] -= 1
            have[row] += amount
            self._units[row] -= 1
        return best

    def _in_need(self, urgent: list[int]) -> Sequence[int]:
        """The parts that lack most of the urgent rows; an empty part comes before all."""
        if urgent[-1] == len(self._units) - 1:
            urgent = urgent[-1:]
        needs = [sum(not have[row] for row in urgent) for have in self.placed]
        return [part for part, need in enumerate(needs) if need == max(needs)]


def _largest_first(
    candidates: NDArray[np.int64], members: NDArray[np.int64], seed: int, stream: int
) -> list[int]:
    shuffled = candidates[permutation(len(candidates), seed, stream)]
    # The number of binary digits: with exact sizes the seed could not change anything in a set
    # whose groups all differ in size.
    digits = np.frexp(members[shuffled].astype(np.float64))[1]
    return shuffled[np.argsort(-digits, kind="stable")].tolist()


def _with_the_first(n: int, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each picture paired with the first of its group."""
    groups = np.asarray(groups)
    if groups.shape != (n,):
        raise DataError(f"groups of shape {groups.shape}; allowed: ({n},), one for each picture")
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return np.stack([np.arange(n), first[inverse]], axis=1).astype(np.int64)
