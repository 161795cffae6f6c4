"""Reading IDX, the format of MNIST and its relatives: a short head, then the numbers.

Two zero bytes, a code for the type, the number of axes, the size of each axis (4 bytes each,
highest first), then the values (highest byte first). Often inside gzip.
Source: http://yann.lecun.com/exdb/mnist/ ("The IDX file format").
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from convolens.errors import DataError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

# A few bytes of gzip can promise, and deliver, terabytes. EMNIST, the largest set that is spread
# in this format, unpacks to 0.55 GB.
_MAX_BYTES = 4 * 2**30

_CHUNK = 2**20


def read_idx(path: str | Path) -> NDArray[Any]:
    """Read one IDX file, packed by gzip or not (its content says which).

    Args:
        path: the file.

    Returns:
        The array, of the shape that the file states and its type in the machine's byte order.

    Raises:
        DataError: the file is missing, no IDX file, truncated, damaged, or longer than it says.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "labels"
    >>> _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    >>> read_idx(file)
    array([7, 8, 9], dtype=uint8)
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            return _read(file, path)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except EOFError:
        raise DataError(f"{path}: the gzip data ends early; the file is truncated") from None
    except (gzip.BadGzipFile, zlib.error) as reason:
        raise DataError(f"{path}: the gzip data is damaged ({reason})") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _read(file: _Readable, path: Path) -> NDArray[Any]:
    dtype, shape = _read_head(file, path)
    length = math.prod(shape) * dtype.itemsize
    if length > _MAX_BYTES:
        raise DataError(
            f"{path}: promises {shape} values of {dtype.itemsize} bytes; "
            f"at most {_MAX_BYTES / 2**30:.0f} GiB are read"
        )
    content = _read_up_to(file, length + 1)
    if len(content) < length:
        raise DataError(
            f"{path}: holds {len(content):,} bytes of values but its head promises {length:,}; "
            "the file is truncated"
        )
    if len(content) > length:
        raise DataError(f"{path}: has bytes after the {length:,} that its head promises")
    values = np.frombuffer(content, dtype=dtype, count=math.prod(shape))
    return values.reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read_head(file: _Readable, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or magic[3] == 0:
        raise DataError(
            f"{path}: not an IDX file: starts with {magic.hex(' ') or 'nothing'}; allowed: 00 00, "
            "a type (08, 09, 0b, 0c, 0d, 0e), the number of axes"
        )
    axes = magic[3]
    sizes = file.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise DataError(f"{path}: ends inside its head; the file is truncated")
    shape = tuple(int(size) for size in np.frombuffer(sizes, dtype=">u4"))
    if 0 in shape or axes > 8:
        raise DataError(f"{path}: states the shape {shape}; allowed: 1 to 8 axes, none of them 0")
    return np.dtype(_TYPES[magic[2]]), shape


def _read_up_to(file: _Readable, length: int) -> bytearray:
    # Piece by piece: asked for all at once, Python would take the memory that the head promises
    # before it knows that the file has so much.
    content = bytearray()
    while len(content) < length:
        piece = file.read(min(_CHUNK, length - len(content)))
        if not piece:
            break
        content += piece
    return content
