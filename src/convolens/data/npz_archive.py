"""NumPy's archive of named arrays, read with nothing unpickled and nothing taken on trust."""

import math
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from convolens.config import did_you_mean
from convolens.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Member:
    """What an array of the archive says of itself."""

    file: zipfile.ZipInfo
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    """Bytes before the values."""

    @property
    def n_bytes(self) -> int:
        """Bytes of its values."""
        # Values of no bytes, which NumPy does not write, would allow any shape.
        return math.prod(self.shape) * max(1, self.dtype.itemsize)


class Archive:
    """The arrays of an ``.npz`` file, by name; each is read where it is asked for."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self._left = self._max_bytes = max_bytes
        with _errors_named(str(path)):
            self._zip = zipfile.ZipFile(path)
        self.members: dict[str, Member] = {}
        try:
            for file in self._zip.infolist():
                self._add(file)
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def read(self, key: str) -> NDArray[Any]:
        """One array, in the machine's byte order."""
        where = f"{self.path}: {shown(key)}"
        if key not in self.members:
            raise DataError(f"{self.path}: no array {key!r}{did_you_mean(key, self.members)}")
        member = self.members[key]
        if member.dtype.hasobject:
            raise DataError(
                f"{where} holds Python objects, which are stored as pickle and could run any code; "
                "save it again with a plain dtype, such as .astype(str) for text"
            )
        self._left -= member.n_bytes
        if self._left < 0:
            raise DataError(
                f"{where} of shape {member.shape} takes {_gibibytes(member.n_bytes)}; at most "
                f"{_gibibytes(self._max_bytes)} are read from one file: raise max_bytes if it is "
                "meant"
            )
        if member.file.file_size != member.start + member.n_bytes:
            raise DataError(
                f"{where} promises {member.n_bytes:,} bytes of values, but there are "
                f"{member.file.file_size - member.start:,}; the file is damaged"
            )
        with _errors_named(where), self._zip.open(member.file) as content:
            values = npy.read_array(content, allow_pickle=False)
            content.read(1)  # at the end the checksum is compared
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    def described(self) -> str:
        """All arrays with their shapes, for a message."""
        listed = [f"{shown(key)} {member.shape}" for key, member in list(self.members.items())[:20]]
        more = ["..."] if len(self.members) > 20 else []
        return ", ".join([*listed, *more]) or "no arrays"

    def _add(self, file: zipfile.ZipInfo) -> None:
        key = file.filename.removesuffix(".npy")
        if key == file.filename:
            return  # savez writes nothing else, and what is no array is none of ours
        where = f"{self.path}: {shown(key)}"
        if key in self.members:
            raise DataError(f"{where} is there twice; the file is damaged")
        if file.flag_bits & 1:
            raise DataError(f"{where} is encrypted; unpack it and save it again without")
        with _errors_named(where), self._zip.open(file) as content:
            version = npy.read_magic(content)
            # Version 3 differs in the names of fields alone, and no array here has fields.
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read(content)
            self.members[key] = Member(file=file, dtype=dtype, shape=shape, start=content.tell())


def shown(key: str) -> str:
    """A name as it is safe to print: those in a crafted file may be long or hold line ends."""
    return repr(key if len(key) <= 60 else f"{key[:57]}...")


@contextmanager
def _errors_named(where: str) -> Generator[None]:
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{where} does not exist") from None
    except OSError as error:
        raise DataError(f"{where}: cannot be read: {error.strerror or error}") from None
    except MemoryError:
        raise DataError(f"{where} does not fit into memory; use a smaller file") from None
    except Exception as error:  # noqa: BLE001 - a damaged head reaches Python's own parser
        reason = " ".join(str(error).split()) or "it ends early"
        raise DataError(
            f"{where}: no .npz file, truncated or damaged ({reason}); save it with numpy.savez"
        ) from None


def _gibibytes(n: int) -> str:
    return f"{n / 2**30:,.1f} GiB"
