"""What a Parquet file says about itself at its end: rows, sizes and how many values are missing.

pyarrow tells the same, but ends the whole process where some of these numbers are damaged (seen
with 26.0), which no ``except`` can catch. Here damage is an error like any other.
Source: https://github.com/apache/parquet-format (parquet.thrift), in Thrift's compact protocol.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convolens.errors import DataError

_MAGIC = b"PAR1"
# A footer takes about 100 bytes for each column of each row group.
_MAX_FOOTER = 2**28

_TRUE, _FALSE, _BYTE, _I64, _DOUBLE, _BINARY = 1, 2, 3, 6, 7, 8
_LIST, _SET, _MAP, _STRUCT = 9, 10, 11, 12


@dataclass(frozen=True, kw_only=True)
class ColumnChunk:
    """One column of one row group; a field of a struct is a column of its own."""

    n_missing: int | None
    """How many rows have no value, a missing struct included; None where the file does not say."""
    n_bytes: int
    """Its size without compression."""


@dataclass(frozen=True, kw_only=True)
class RowGroup:
    """Some consecutive rows of a file."""

    n_rows: int
    """How many."""
    columns: dict[str, ColumnChunk]
    """By name: "label", or "image.bytes" for a field of a struct."""


def read_footer(path: str | Path) -> tuple[RowGroup, ...]:
    """The row groups of a Parquet file.

    Raises:
        DataError: the file does not end as Parquet does, or its end is damaged.

    >>> import tempfile
    >>> import pyarrow, pyarrow.parquet
    >>> file = Path(tempfile.mkdtemp()) / "pets.parquet"
    >>> pyarrow.parquet.write_table(pyarrow.table({"label": [1, None, 3]}), file)
    >>> group = read_footer(file)[0]
    >>> group.n_rows, group.columns["label"].n_missing
    (3, 1)
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            file.seek(-8, 2)
            length, magic = struct.unpack("<I4s", file.read(8))
            if magic != _MAGIC or length > _MAX_FOOTER:
                raise DataError(f"{path}: cannot be read as Parquet: it does not end as one")
            file.seek(-8 - length, 2)
            footer = _Compact(file.read(length)).fields()
        return tuple(_row_group(group) for group in footer[4])
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{path}: cannot be read as Parquet: {reason}") from None
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: cannot be read as Parquet: its footer is damaged") from None


def _row_group(fields: dict[int, Any]) -> RowGroup:
    n_rows = int(fields[3])
    if n_rows < 0:
        raise ValueError(n_rows)
    columns: dict[str, ColumnChunk] = {}
    for chunk in fields[1]:
        about: dict[int, Any] = chunk[3]
        missing: object = about.get(12, {}).get(3)
        columns[b".".join(about[3]).decode()] = ColumnChunk(
            n_missing=missing if isinstance(missing, int) else None, n_bytes=int(about[6])
        )
    return RowGroup(n_rows=n_rows, columns=columns)


class _Compact:
    """A reader of Thrift's compact protocol: structs as {number of the field: value}."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def fields(self) -> dict[int, Any]:
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._integer()
            found[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind)
        return found

    def _value(self, kind: int) -> Any:
        # Booleans come here only as elements, where they are a byte each.
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind <= _I64:
            return self._integer()
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind in (_LIST, _SET):
            return self._list()
        if kind == _MAP:
            return self._map()
        if kind == _STRUCT:
            return self.fields()
        raise ValueError(kind)

    def _list(self) -> list[Any]:
        head = self._byte()
        size = self._varint() if head >> 4 == 15 else head >> 4
        return [self._value(head & 15) for _ in range(size)]

    def _map(self) -> list[Any]:
        size = self._varint()
        kinds = self._byte() if size else 0
        return [(self._value(kinds >> 4), self._value(kinds & 15)) for _ in range(size)]

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, n: int) -> bytes:
        if n > len(self._data) - self._at:
            raise ValueError(n)
        self._at += n
        return self._data[self._at - n : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) >= 128:
            value |= (byte & 127) << shift
            shift += 7
        return value | byte << shift

    def _integer(self) -> int:
        # Zigzag: the sign is the last bit.
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
