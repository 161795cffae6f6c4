"""Prepared pictures on disk: made once, mapped into memory ever after.

An entry is a folder of three files: ``pixels.npy`` (n, height, width, channels), ``rows.npy`` with
the SHA-256 of the file behind each picture, the CRC-32 of its pixels and its verdict, and
``about.json``. Its name is a digest of all that decides the pixels, so a changed file makes another
entry. It is written beside its place and renamed, checked whole when it is opened, and made anew
when a bit is wrong.
"""

import hashlib
import json
import mmap
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import features

from convolens.data.cache import (
    cache_directory,
    last_used,
    make_folder,
    make_room,
    mark_used,
    remove_abandoned,
)
from convolens.data.pixel_reuse import reuse_rows
from convolens.data.stored import StoredImages
from convolens.errors import DataError
from convolens.files import read_json, replacing, sha256, write_json
from convolens.images.fitting import Fitting

_FORMAT = 1
_PIXELS, _ROWS, _ABOUT = "pixels.npy", "rows.npy", "about.json"
_READ_BYTES = 8 * 2**20

PASSING = ("unreadable", "missing_file", "vanished", "too_slow", "crashed")
"""Kinds of problems that may be gone at the next look: the computer may have been busy, or short of
memory, and the death of a process says little about a picture."""

ROW_TYPE = np.dtype([("sha256", np.uint8, (32,)), ("crc32", "<u4"), ("usable", "?")])


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedPixels:
    """The pixels of n pictures, on disk."""

    folder: Path
    """The entry."""
    images: StoredImages
    """All n rows; a row that is not usable holds nothing of use."""
    usable: NDArray[np.bool_]
    """(n,)."""
    refused: dict[int, tuple[str, str]]
    """Kind and reason for each row that is not usable."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelTarget:
    """Where the pictures of a new entry go."""

    path: Path
    """A file that has its full size already."""
    offset: int
    """Bytes before row 0."""
    rows: NDArray[Any]
    """(n,) of ``ROW_TYPE``, to be filled in. A row that is usable already is done: an older entry
    had the same picture."""
    refused: dict[int, tuple[str, str]]
    """To be filled in: kind and reason of each picture that cannot be used."""


def prepared_pixels(
    contents: NDArray[np.uint8], fitting: Fitting, fill: Callable[[PixelTarget], None]
) -> PreparedPixels:
    """Open the entry of some pictures, or make it.

    To be called by one process at a time for the same pictures.

    Args:
        contents: (n, 32) SHA-256 of each picture's file, in order.
        fitting: size, channels and policy.
        fill: writes the pixels and the rows of a new entry.

    Raises:
        DataError: there is no room, or the cache cannot be written to.
    """
    folder = make_folder(cache_directory() / "pixels")
    entry = folder / entry_name(contents, fitting)
    found = _open(entry, contents, fitting)
    if found is not None and any(kind in PASSING for kind, _ in found.refused.values()):
        found = _tried_again(found, contents, fill)
    if found is None:
        remove_abandoned(folder)
        make_room(folder, len(contents) * _row_bytes(fitting) + len(contents) * ROW_TYPE.itemsize)
        _make(entry, contents, fitting, fill)
        found = _open(entry, contents, fitting)
        if found is None:
            raise DataError(f"{entry}: what was just written cannot be read back; check the disk")
    mark_used(entry)
    return found


def entry_name(contents: NDArray[np.uint8], fitting: Fitting) -> str:
    """A digest of everything that decides the pixels: files, size, policy, decoder's version."""
    digest = hashlib.sha256(json.dumps(_made_by(fitting)).encode())
    digest.update(np.ascontiguousarray(contents).data)
    return digest.hexdigest()[:32]


def _made_by(fitting: Fitting) -> list[Any]:
    """All that decides the pixels of a file: versions, size and policy."""
    versions = [_FORMAT, PIL.__version__, features.version("libjpeg_turbo")]
    return [*versions, fitting.height, fitting.width, fitting.channels, fitting.policy]


def _tried_again(
    found: PreparedPixels, contents: NDArray[np.uint8], fill: Callable[[PixelTarget], None]
) -> PreparedPixels | None:
    """The entry, if what it refused is refused again; None where it is worth being made anew.

    Others may have the entry mapped, so it is not written to, and copying it for nothing may take
    minutes: the attempt goes to a file that is all hole but for the pictures in question.
    """
    rows = np.zeros(len(contents), dtype=ROW_TYPE)
    rows["sha256"], rows["usable"] = contents, found.usable
    refused = dict(found.refused)
    trials = make_folder(cache_directory() / "trials")
    remove_abandoned(trials)
    # Without room for it, or a disk that takes it, everything stays as it was.
    with suppress(OSError), TemporaryDirectory(dir=trials, prefix=".") as folder:
        path = Path(folder) / _PIXELS
        offset = _make_pixel_file(path, found.images.shape)
        fill(PixelTarget(path=path, offset=offset, rows=rows, refused=refused))
    if np.count_nonzero(rows["usable"]) > np.count_nonzero(found.usable):
        return None
    return replace(found, refused=refused)


def _make(
    entry: Path,
    contents: NDArray[np.uint8],
    fitting: Fitting,
    fill: Callable[[PixelTarget], None],
) -> None:
    shape = (len(contents), fitting.height, fitting.width, fitting.channels)
    rows = np.zeros(len(contents), dtype=ROW_TYPE)
    rows["sha256"] = contents
    refused: dict[int, tuple[str, str]] = {}
    with replacing(entry) as folder:
        folder.mkdir()
        offset = _make_pixel_file(folder / _PIXELS, shape)
        donors = _donors(entry.parent, fitting)
        reuse_rows(donors, rows, (folder / _PIXELS, offset), _row_bytes(fitting))
        fill(PixelTarget(path=folder / _PIXELS, offset=offset, rows=rows, refused=refused))
        np.save(folder / _ROWS, rows)
        about = {
            "format": _FORMAT,
            "shape": list(shape),
            "made_by": _made_by(fitting),
            "rows_sha256": sha256(folder / _ROWS),
            "refused": {str(row): list(why) for row, why in sorted(refused.items())},
        }
        write_json(folder / _ABOUT, about)


def _make_pixel_file(path: Path, shape: tuple[int, ...]) -> int:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        offset = file.tell()
        file.truncate(offset + int(np.prod(shape)))
    return offset


def _donors(folder: Path, fitting: Fitting) -> list[tuple[Path, NDArray[Any], int]]:
    """Pixel file, rows and offset of whole entries of the same making, the last used first."""
    donors: list[tuple[Path, NDArray[Any], int]] = []
    for entry in sorted(folder.glob("[!.]*"), key=last_used, reverse=True):
        described = _read_description(entry)
        if described is None or described[0].get("made_by") != _made_by(fitting):
            continue
        with suppress(OSError, ValueError), (entry / _PIXELS).open("rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            donors.append((entry / _PIXELS, described[1], file.tell()))
    return donors


def _read_description(entry: Path) -> tuple[dict[str, Any], NDArray[Any]] | None:
    """What an entry says of itself and of its rows; None where it is absent or damaged."""
    try:
        about = read_json(entry / _ABOUT, error=DataError)
        if about.get("rows_sha256") != sha256(entry / _ROWS):
            return None
        rows = np.load(entry / _ROWS, allow_pickle=False)
    except (OSError, ValueError, EOFError, DataError):
        return None
    return (about, rows) if rows.dtype == ROW_TYPE else None


def _open(entry: Path, contents: NDArray[np.uint8], fitting: Fitting) -> PreparedPixels | None:
    """The entry if it is there and whole, else None."""
    described = _read_description(entry)
    if described is None or not np.array_equal(described[1]["sha256"], contents):
        return None
    about, rows = described
    shape = (len(contents), fitting.height, fitting.width, fitting.channels)
    try:
        refused = {int(row): (str(why[0]), str(why[1])) for row, why in about["refused"].items()}
        images = _map(entry / _PIXELS, shape)
        if images is None or not _checksums_hold(entry / _PIXELS, rows, _row_bytes(fitting)):
            return None
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None  # damaged: it is made again
    return PreparedPixels(folder=entry, images=images, usable=rows["usable"], refused=refused)


def _map(path: Path, shape: tuple[int, int, int, int]) -> StoredImages | None:
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        found, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if version != (1, 0) or found != shape or fortran or dtype != np.uint8:
            return None
        offset = file.tell()
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    pixels = np.frombuffer(mapping, dtype=np.uint8, offset=offset)
    if pixels.size != int(np.prod(shape)):
        return None
    return StoredImages(pixels.reshape(shape), mapping=mapping)


def _checksums_hold(path: Path, rows: NDArray[Any], row_bytes: int) -> bool:
    """Whether every usable row has its CRC-32. Read through a buffer: mapped pages would stay."""
    crcs, usable = rows["crc32"].tolist(), rows["usable"].tolist()
    with path.open("rb", buffering=0) as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        for start, buffer in _pieces(file.readinto, len(crcs), row_bytes):
            for number in range(len(buffer) // row_bytes):
                row = start + number
                piece = buffer[number * row_bytes : (number + 1) * row_bytes]
                if usable[row] and zlib.crc32(piece) != crcs[row]:
                    return False
    return True


def _pieces(
    read_into: Callable[[memoryview], int | None], n: int, row_bytes: int
) -> Iterator[tuple[int, memoryview]]:
    at_once = max(1, _READ_BYTES // row_bytes)
    buffer = memoryview(bytearray(at_once * row_bytes))
    for start in range(0, n, at_once):
        piece = buffer[: min(at_once, n - start) * row_bytes]
        done = 0
        while done < len(piece):
            got = read_into(piece[done:])
            if not got:
                raise OSError("the file ends too soon")
            done += got
        yield start, piece


def _row_bytes(fitting: Fitting) -> int:
    return fitting.height * fitting.width * fitting.channels
