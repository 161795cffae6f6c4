"""The duplicates of a pool: they follow from the pixels, and are looked for once."""

import hashlib
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convolens.data.cache import cache_directory, make_folder
from convolens.data.duplicates import duplicate_pairs
from convolens.data.pool import Pool
from convolens.data.stored import Images, image_chunks
from convolens.errors import DataError
from convolens.files import replacing

_NAME = "duplicates-1.npz"  # another number when they are looked for in another way
KEPT_FROM = 5_000
"""Of pictures that have no folder in the cache so many are worth a file there: fewer are searched
in less than half a second."""


def kept_duplicates(pool: Pool) -> NDArray[np.int64]:
    """(m, 2) pairs of positions in a pool that show the same picture, or nearly the same."""
    path = _place(pool)
    if path is None:
        return duplicate_pairs(pool.images)
    try:
        # A ZIP file: it has its own checksums.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            if kept["n"] == len(pool.images):
                return kept["pairs"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not looked for yet, or damaged
    pairs = duplicate_pairs(pool.images)
    # The pairs are there whether they can be kept or not. Another process may have removed the
    # folder to make room: made anew, it would hold this file alone.
    with suppress(OSError):
        if path.parent.is_dir():
            with replacing(path) as temporary:
                np.savez(temporary, pairs=pairs, n=len(pool.images))
    return pairs


def _place(pool: Pool) -> Path | None:
    """Where the duplicates of a pool are kept; None where that is not worth it or not possible."""
    if pool.folder is not None:
        return pool.folder / _NAME
    if len(pool.images) < KEPT_FROM:
        return None
    try:
        return make_folder(cache_directory() / "duplicates") / f"{_digest(pool.images)}-{_NAME}"
    except DataError:  # without a cache it takes longer, and that is all
        return None


def _digest(images: Images) -> str:
    """By which pictures are known again: of their shape and every pixel."""
    digest = hashlib.blake2b(repr(tuple(images.shape)).encode(), digest_size=16)
    for chunk in image_chunks(images):
        digest.update(np.ascontiguousarray(chunk).data)
    return digest.hexdigest()
