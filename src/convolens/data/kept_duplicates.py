"""The duplicates of a pool: they follow from the pixels, and are looked for once."""

import zipfile
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from convolens.data.duplicates import duplicate_pairs
from convolens.data.pool import Pool
from convolens.files import replacing

_NAME = "duplicates-1.npz"  # another number when they are looked for in another way


def kept_duplicates(pool: Pool) -> NDArray[np.int64]:
    """(m, 2) pairs of positions in a pool that show the same picture, or nearly the same."""
    if pool.folder is None:
        return duplicate_pairs(pool.images)
    path = pool.folder / _NAME
    try:
        with np.load(path, allow_pickle=False) as kept:  # a ZIP file: it has its own checksums
            if kept["n"] == len(pool.images):
                return kept["pairs"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not looked for yet, or damaged
    pairs = duplicate_pairs(pool.images)
    # The pairs are there whether they can be kept or not. Another process may have removed the
    # folder to make room: made anew, it would hold this file alone.
    with suppress(OSError):
        if pool.folder.is_dir():
            with replacing(path) as temporary:
                np.savez(temporary, pairs=pairs, n=len(pool.images))
    return pairs
