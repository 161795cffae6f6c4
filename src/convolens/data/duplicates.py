"""Pictures that are in a data set twice, exactly or nearly."""

import hashlib
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.data.blanks import blank_pictures
from convolens.data.hash_search import close_pairs
from convolens.data.perceptual import Fingerprints, fingerprint, join_fingerprints, pooled_grey
from convolens.data.same_picture import same_pictures
from convolens.data.same_rules import rule_for
from convolens.data.stored import Images, map_chunks, select
from convolens.images.reading_pool import count_cores

CHUNK_BYTES = 2**20
"""Pictures looked at together; the arithmetic takes some thirty times as much."""
MOST_COMPARED = 5 * 10**8
"""Pixels of the pairs that are compared pixel by pixel, at 0.2 to 0.7 microseconds each: some
54,000 pairs of 96 x 96, in minutes. More is a set of very many alike pictures, and is said."""

Fetch = Callable[[NDArray[np.int64]], NDArray[np.uint8]]
"""Gives pictures (k, height, width, channels) by their indices, ascending."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NearSearch:
    """Pairs that are nearly the same, and whether all were looked for."""

    pairs: NDArray[np.int64]
    """(m, 2), the smaller index first, in ascending order."""
    complete: bool
    """False where so many pictures are alike that not each could be compared with each."""


def exact_duplicates(images: Images) -> NDArray[np.int64]:
    """Each later copy of a picture, with the first.

    Args:
        images: (n, height, width, channels) uint8. Pictures of one single value take part.

    Returns:
        (m, 2) int64: index of the first, index of a later copy; in the order of the later ones.

    >>> exact_duplicates(np.array([3, 7, 3, 3], dtype=np.uint8).reshape(4, 1, 1, 1)).tolist()
    [[0, 2], [0, 3]]
    """
    checksums = [*map_chunks(_checksums, images, CHUNK_BYTES), np.zeros(0, np.uint32)]
    # Only what has another's checksum is worth a digest, which takes four times as long.
    _, which, counts = np.unique(np.concatenate(checksums), return_inverse=True, return_counts=True)
    suspects = np.flatnonzero(counts[which] > 1)
    if not len(suspects):
        return np.zeros((0, 2), np.int64)
    digests = np.concatenate(
        list(map_chunks(digest_pictures, select(images, suspects), CHUNK_BYTES))
    )
    return suspects[equal_digests(digests)]


def near_duplicates(images: Images) -> NDArray[np.int64]:
    """Pairs of pictures that are not equal but show the same: copies that were altered a little.

    Photographs from 64 x 64 pixels are found again after JPEG compression, resizing, slight noise,
    another brightness or contrast, and a shift or a crop by two pixels; the smaller the pictures,
    the fewer of these (see ``same_rules.SAME_RULES`` for the limits and their measurement).
    Pictures below 8 x 8 pixels and blank ones are not compared.

    Args:
        images: (n, height, width, 1 or 3) uint8.

    Returns:
        (m, 2) int64, the smaller index first, in ascending order. Of exact copies only the first
        takes part.

    >>> photo = np.random.default_rng(0).integers(0, 200, (1, 40, 40, 1), dtype=np.uint8)
    >>> near_duplicates(np.concatenate([photo, 255 - photo, photo + 20])).tolist()
    [[0, 2]]
    """
    copies = exact_duplicates(images)[:, 1]
    use = np.ones(len(images), dtype=bool)
    prints = None
    if rule_for(images.shape) is not None and len(images):
        looked_at = map_chunks(_look_at, images, CHUNK_BYTES)
        chunks, blank = zip(*looked_at, strict=True)
        prints = join_fingerprints(list(chunks))
        use = ~np.concatenate(blank)
    use[copies] = False
    return search_near(prints, use, images.shape, lambda indices: images[indices]).pairs


def _checksums(images: NDArray[np.uint8]) -> NDArray[np.uint32]:
    contiguous = np.ascontiguousarray(images)
    return np.array([zlib.crc32(image.data) for image in contiguous], dtype=np.uint32)


def _look_at(images: NDArray[np.uint8]) -> tuple[Fingerprints, NDArray[np.bool_]]:
    return fingerprint(images), blank_pictures(images)


def duplicate_pairs(images: Images) -> NDArray[np.int64]:
    """Exact and near duplicates together, for keeping them on one side of a division.

    Args:
        images: (n, height, width, 1 or 3) uint8.

    Returns:
        (m, 2) int64, the smaller index first, in ascending order. Copies that belong together are
        joined by a chain of pairs, not each with each.

    >>> duplicate_pairs(np.zeros((3, 2, 2, 1), np.uint8)).tolist()
    [[0, 1], [0, 2]]
    """
    pairs = np.concatenate([exact_duplicates(images), near_duplicates(images)])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def picture_digests(images: Images) -> NDArray[np.uint64]:
    """(n,) the first 64 bits of each picture's BLAKE2b, by which a picture is known again."""
    parts = [*map_chunks(digest_pictures, images, CHUNK_BYTES), np.zeros((0, 2), np.uint64)]
    return np.concatenate(parts)[:, 0]


def digest_pictures(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """BLAKE2b of each picture's pixels, 128 bits as (n, 2)."""
    contiguous = np.ascontiguousarray(images)
    parts = [hashlib.blake2b(image.data, digest_size=16).digest() for image in contiguous]
    return np.frombuffer(b"".join(parts), dtype="<u8").reshape(-1, 2).astype(np.uint64)


def equal_digests(digests: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Each later one of equal digests (n, 2), with the first: (m, 2), in order of the later."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))  # stable: the first comes first
    table = digests[order]
    is_first = np.ones(len(table), dtype=bool)
    is_first[1:] = (table[1:] != table[:-1]).any(axis=1)
    firsts = order[np.maximum.accumulate(np.where(is_first, np.arange(len(table)), 0))]
    pairs = np.stack([firsts, order], axis=1)[~is_first]
    return pairs[np.argsort(pairs[:, 1])]


def search_near(
    prints: Fingerprints | None, use: NDArray[np.bool_], shape: tuple[int, ...], fetch: Fetch
) -> NearSearch:
    """Near duplicates by their fingerprints, then by their pixels.

    Args:
        prints: of all n pictures; None for pictures too small to be compared.
        use: (n,), which of them take part.
        shape: (n, height, width, channels).
        fetch: reads pictures.
    """
    rule = rule_for(shape)
    if prints is None or rule is None:
        return NearSearch(pairs=np.zeros((0, 2), dtype=np.int64), complete=True)
    where = np.flatnonzero(use)
    chosen = Fingerprints(hashes=prints.hashes[:, where], shapes=prints.shapes[:, where])
    close = close_pairs(chosen, rule.alike)
    most = max(1, MOST_COMPARED // (shape[1] * shape[2]))
    pairs = where[close.pairs[:most]]
    # So few that their pictures, two a pair at most, stay within bounds as numbers, too.
    step = max(1, 2**21 // max(1, int(np.prod(shape[1:]))))

    def are_same(start: int) -> NDArray[np.bool_]:
        indices, places = np.unique(pairs[start : start + step], return_inverse=True)
        grey = pooled_grey(fetch(indices))
        one, other = places.reshape(-1, 2).T
        return same_pictures(grey[one], grey[other], rule)

    with ThreadPoolExecutor(min(4, count_cores())) as pool:
        same = [np.zeros(0, dtype=bool), *pool.map(are_same, range(0, len(pairs), step))]
    complete = close.complete and len(close.pairs) <= most
    return NearSearch(pairs=pairs[np.concatenate(same)], complete=complete)
