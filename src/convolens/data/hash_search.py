"""All pairs of close 64-bit hashes among millions, without comparing each with each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from convolens.data.perceptual import Fingerprints

FARTHEST = 7
"""Most bits that the hashes of a pair differ in: the most for which one of four bands of 16 bits
must be equal but for one bit."""

_BANDS = 4
_PROBES = (0, *(1 << bit for bit in range(16)))
_AT_ONCE = 2**21
"""Comparisons in memory at a time."""
_ALIKE_AT_ONCE = 2**15
"""Pairs whose waves are compared together; each takes 1.6 kB."""
MOST_COMPARISONS = 40_000_000
"""Of one probe of one band, of which there are 68 for each variant. A million evenly spread hashes
need 31 million (63 of the bits are in use); two thirds of a million in one bucket 4 * 10**11."""
_CUT_TO = 10
"""Where that is exceeded a tenth of it is made: crowded hashes are alike, and cost far more."""
_MOST_PAIRS = 2**24
"""Pairs kept, in 128 MiB. Of more, each picture keeps its first ones, as many as that allows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClosePairs:
    """What a search found."""

    pairs: NDArray[np.int64]
    """(m, 2), the smaller index first, in ascending order, none twice."""
    complete: bool
    """Whether everything was compared; crowds of very many alike hashes are not."""


def close_pairs(
    prints: Fingerprints, least_alike: float, most_comparisons: int = MOST_COMPARISONS
) -> ClosePairs:
    """Pairs whose hashes differ in at most 7 bits and whose waves are alike.

    Multi-index hashing: the sorted hashes are a table for each band of 16 bits, asked for the 17
    values of a band that differ in one bit or none. That misses no pair, and costs about n**2 / 240
    comparisons on evenly spread hashes. Where hashes crowd in one value of a band each is compared
    with those next to it in the order of the table only, and the result is not ``complete``.

    Args:
        prints: n fingerprints; each variant is compared with the first one.
        least_alike: smallest cosine between the waves of a pair, 0..1.
        most_comparisons: of one probe of one band; where more are needed the search is cut.

    Returns:
        The pairs.

    Source: M. Norouzi, A. Punjani, D. Fleet, "Fast Exact Search in Hamming Space With Multi-Index
    Hashing", 2014.

    >>> hashes = np.array([[0, 0b1111111, 2**64 - 1]], dtype=np.uint64)
    >>> prints = Fingerprints(hashes=hashes, shapes=np.ones((1, 3, 63), dtype=np.int8))
    >>> close_pairs(prints, 0.9).pairs
    array([[0, 1]])
    """
    n = prints.hashes.shape[1]
    kept, fresh = np.zeros(0, dtype=np.int64), list[NDArray[np.int64]]()
    complete = True
    for variant, band in product(range(len(prints.hashes)), range(_BANDS)):
        for queries, others, whole in _candidates(
            prints.hashes[variant], prints.hashes[0], band, most_comparisons
        ):
            complete = complete and whole
            near = _near(prints, variant, queries, others, least_alike)
            one, other = queries[near], others[near]
            fresh.append(np.minimum(one, other) * n + np.maximum(one, other))
            if sum(map(len, fresh)) > _AT_ONCE:
                kept, cut = _merged(kept, fresh, n)
                complete, fresh = complete and not cut, []
    kept, cut = _merged(kept, fresh, n)
    pairs = np.stack([kept // max(n, 1), kept % max(n, 1)], axis=1)
    return ClosePairs(pairs=pairs, complete=complete and not cut)


def _near(
    prints: Fingerprints,
    variant: int,
    queries: NDArray[np.int64],
    others: NDArray[np.int64],
    least_alike: float,
) -> NDArray[np.int64]:
    """Positions of the candidates that are close by their hashes and by their waves."""
    differing = prints.hashes[variant][queries] ^ prints.hashes[0][others]
    close = np.flatnonzero((np.bitwise_count(differing) <= FARTHEST) & (queries != others))
    kept = [close[:0]]
    for start in range(0, len(close), _ALIKE_AT_ONCE):  # crowded hashes: nearly all are close
        part = close[start : start + _ALIKE_AT_ONCE]
        alike = _alike(prints.shapes[variant][queries[part]], prints.shapes[0][others[part]])
        kept.append(part[alike >= least_alike])
    return np.concatenate(kept)


def _candidates(
    hashes: NDArray[np.uint64], base: NDArray[np.uint64], band: int, most: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], bool]]:
    """Indices into ``hashes`` and ``base`` to compare, and whether none was left out."""
    order = np.argsort(_turned(base, band), kind="stable")
    table = _turned(base, band)[order]
    wanted = _turned(hashes, band)
    bounds = np.searchsorted(table, np.arange(2**16, dtype=np.uint64) << np.uint64(48))
    bounds = np.append(bounds, len(table))
    for probe in _PROBES:
        asked = wanted ^ np.uint64(probe << 48)
        bucket = (asked >> np.uint64(48)).astype(np.int64)
        first, last = bounds[bucket], bounds[bucket + 1]
        widest = _widest(last - first, most)
        whole = widest is None
        if widest is not None:
            place = _places(table, asked)
            first = np.maximum(first, place - widest)
            last = np.minimum(last, place + widest)
        for queries, slots in _expanded(first, last):
            yield queries, order[slots], whole


def _turned(hashes: NDArray[np.uint64], band: int) -> NDArray[np.uint64]:
    """The hashes with one band rotated to the top, so that sorting brings it together."""
    turn = np.uint64(16 * band)
    return hashes if band == 0 else (hashes << turn) | (hashes >> (np.uint64(64) - turn))


def _places(table: NDArray[np.uint64], asked: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where each belongs in a sorted table; equal ones one after the other, not all at once."""
    order = np.argsort(asked, kind="stable")
    ranked = asked[order]
    places = np.searchsorted(table, ranked)
    run = np.arange(len(ranked)) - np.searchsorted(ranked, ranked)
    equal = np.searchsorted(table, ranked, side="right") - places
    result = np.empty(len(asked), dtype=np.int64)
    result[order] = places + np.minimum(run, equal)
    return result


def _widest(counts: NDArray[np.int64], most: int) -> int | None:
    """How far to look around each in its bucket; None for all of it."""
    if int(counts.sum()) <= most:
        return None
    widest = int(counts.max())
    while widest > 1 and int(np.minimum(counts, 2 * widest).sum()) > most // _CUT_TO:
        widest //= 2
    return widest


def _expanded(
    first: NDArray[np.int64], last: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """All (query, slot) with first <= slot < last, some millions at a time."""
    asking = np.flatnonzero(last > first)
    counts = last[asking] - first[asking]
    ends = counts.cumsum()
    start = 0
    while start < len(asking):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _AT_ONCE, side="right")))
        own = counts[start:stop]
        queries = np.repeat(asking[start:stop], own)
        inside = np.arange(int(own.sum())) - np.repeat(own.cumsum() - own, own)
        yield queries, np.repeat(first[asking[start:stop]], own) + inside
        start = stop


def _alike(one: NDArray[np.int8], other: NDArray[np.int8]) -> NDArray[np.float64]:
    """The cosine between rows of whole numbers."""
    a, b = one.astype(np.int32), other.astype(np.int32)
    products = [np.einsum("nk,nk->n", left, right) for left, right in ((a, b), (a, a), (b, b))]
    return products[0] / np.sqrt(np.maximum(products[1].astype(np.float64) * products[2], 1))


def _merged(
    kept: NDArray[np.int64], fresh: list[NDArray[np.int64]], n: int
) -> tuple[NDArray[np.int64], bool]:
    """Old and new pairs, each once and not too many; and whether some were cut."""
    pairs = np.unique(np.concatenate([kept, *fresh]))
    if len(pairs) <= _MOST_PAIRS:
        return pairs, False
    owner = pairs // n
    rank = np.arange(len(pairs)) - np.searchsorted(owner, owner)
    return pairs[rank < max(1, _MOST_PAIRS // n)], True
