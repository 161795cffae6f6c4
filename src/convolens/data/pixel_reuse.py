"""Taking over pixels from older entries of the cache: a changed file costs one decoding."""

import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_MOST_DONORS = 4  # of the entries used last; an older version of a data set is among them


def reuse_rows(
    donors: list[tuple[Path, NDArray[Any], int]],
    rows: NDArray[Any],
    target: tuple[Path, int],
    row_bytes: int,
) -> int:
    """Copy every picture that an older entry has too, if its pixels are still whole.

    Args:
        donors: pixel file, rows and offset of older entries of the same size and policy.
        rows: of the new entry; checksums and verdicts of what is copied are filled in.
        target: pixel file and offset of the new entry.
        row_bytes: of one picture.

    Returns:
        How many were copied.
    """
    copied = 0
    for pixels, known, offset in donors[:_MOST_DONORS]:
        wanted = np.flatnonzero(~rows["usable"])
        found = _positions(rows["sha256"][wanted], known)
        pairs = [(int(w), int(f)) for w, f in zip(wanted, found, strict=True) if f >= 0]
        try:
            opened = pixels.open("rb")
        except OSError:
            continue  # another process has removed it to make room
        with opened as source, target[0].open("r+b") as sink:
            for row, old in pairs:
                content = _read_at(source, offset + old * row_bytes, row_bytes)
                if len(content) != row_bytes or zlib.crc32(content) != known["crc32"][old]:
                    continue
                sink.seek(target[1] + row * row_bytes)
                sink.write(content)
                rows["crc32"][row] = known["crc32"][old]
                rows["usable"][row] = True
                copied += 1
    return copied


def _read_at(source: IO[bytes], position: int, size: int) -> bytes:
    """Bytes of an older entry; none where they cannot be read."""
    try:
        source.seek(position)
        return source.read(size)
    except OSError:
        return b""


def _positions(digests: NDArray[np.uint8], known: NDArray[Any]) -> NDArray[np.int64]:
    """For each digest the usable row of an older entry that has it, or -1."""
    usable = np.flatnonzero(known["usable"])
    keys = _first_bytes(known["sha256"][usable])
    order = np.argsort(keys, kind="stable")
    if not len(order) or not len(digests):
        return np.full(len(digests), -1)
    place = np.searchsorted(keys[order], _first_bytes(digests))
    candidate = usable[order[np.minimum(place, len(order) - 1)]]
    same = (known["sha256"][candidate] == digests).all(axis=1)
    return np.where(same, candidate, -1)


def _first_bytes(digests: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(digests[:, :8]).view(np.uint64)[:, 0]
