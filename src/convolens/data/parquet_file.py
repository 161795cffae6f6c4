"""One Parquet file: opened with clear errors, its image column understood, its bytes streamed.

Needs pyarrow, which the extra "parquet" brings. Its objects are ``Any`` here: it has no types.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, cast

from convolens.data.parquet_footer import RowGroup, read_footer
from convolens.errors import ConfigError, ConvolensError, DataError
from convolens.extras import require

_BATCH_BYTES = 8 * 2**20
_BATCH_ROWS = 64
_BATCH_CELLS = 4096
# Without it a whole column of a row group, often all pictures of a file, is read at once.
_BUFFER_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class ImageColumn:
    """Where in a file the pictures are; the names are those of columns, or of fields in them."""

    bytes_name: str | None
    """What holds embedded bytes."""
    path_name: str | None
    """What holds paths."""


@contextmanager
def open_parquet(path: Path) -> Generator[Any]:
    """A file as ``pyarrow.parquet.ParquetFile``, while the block lasts.

    Raises:
        DataError: the file is missing, is not Parquet, or is damaged, now or when it is read from
            inside the block.
        ExtraMissing: pyarrow is not installed.
    """
    parquet = require("pyarrow.parquet", extra="parquet")
    try:
        # Opened here, not by pyarrow, which takes no names that are not UTF-8.
        with path.open("rb") as file:
            yield parquet.ParquetFile(
                file, buffer_size=_BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True
            )
    except ConvolensError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except _damage() as error:
        raise DataError(f"{path}: cannot be read as Parquet: {_reason(error)}") from None


def find_image_column(parquet: Any, column: str, source: str) -> ImageColumn:
    """Understand an image column by its type.

    Args:
        parquet: an open file.
        column: bytes, text (a path), or a struct of ``bytes`` or ``path`` or both.
        source: what to call the file in a message.

    Raises:
        ConfigError: a column of another type.
    """
    types = require("pyarrow", extra="parquet").types
    kind = parquet.schema_arrow.field(column).type
    fields = {"": kind}
    if types.is_struct(kind):
        fields = {f".{kind.field(i).name}": kind.field(i).type for i in range(kind.num_fields)}
    of_bytes = [name for name, of in fields.items() if name in ("", ".bytes") and _is_bytes(of)]
    of_paths = [name for name, of in fields.items() if name in ("", ".path") and _is_text(of)]
    if not of_bytes and not of_paths:
        raise ConfigError(
            f"{source}: column {column!r} holds {kind}; allowed for pictures: bytes (binary), "
            "paths (string), or a struct of 'bytes' and 'path'"
        )
    return ImageColumn(
        bytes_name=column + of_bytes[0] if of_bytes else None,
        path_name=column + of_paths[0] if of_paths else None,
    )


def read_class_names(parquet: Any, column: str) -> tuple[str, ...] | None:
    """The names that Hugging Face's ``ClassLabel`` gives to the numbers of a column, if it does."""
    metadata: Mapping[bytes, bytes] = parquet.schema_arrow.metadata or {}
    try:
        node: object = json.loads(metadata.get(b"huggingface", b"{}"))
    except ValueError:
        return None
    for key in ("info", "features", column, "names"):
        node = cast("Mapping[str, Any]", node).get(key) if isinstance(node, dict) else None
    if not isinstance(node, list) or not node:
        return None
    return tuple(str(name) for name in cast("list[object]", node))


def read_presence(parquet: Any, group: RowGroup, number: int, name: str) -> Iterator[bool]:
    """Which rows of a row group have bytes.

    The file's footer says how many have none. Only where some have is anything read. A file whose
    footer does not say it is taken at its word: all rows have bytes.
    """
    n_rows, n_missing = group.n_rows, group.columns[name].n_missing or 0
    if n_missing == 0 or n_missing >= n_rows:
        return repeat(n_missing == 0, n_rows)
    return _read_presence(parquet, group, number, name)


def _read_presence(parquet: Any, group: RowGroup, number: int, name: str) -> Iterator[bool]:
    told = 0
    try:
        for batch in _batches(parquet, group, number, name):
            for present in _innermost(batch.column(0)).is_valid().to_pylist():
                yield bool(present)
                told += 1
    except _damage():
        # Whoever reads the pictures finds the damage, row by row; the labels may be whole.
        yield from repeat(True, group.n_rows - told)


def read_cells(
    parquet: Any, group: int, names: Sequence[str | None]
) -> Iterator[tuple[object, ...]]:
    """The rows of a row group, with one value for each name; None is the value of no column.

    Text that is not UTF-8 comes as the bytes that it is.
    """
    batches = parquet.iter_batches(
        batch_size=_BATCH_CELLS,
        row_groups=[group],
        columns=[name for name in dict.fromkeys(names) if name is not None],
        use_threads=False,
    )
    for batch in batches:
        yield from zip(*(_values(batch, name) for name in names), strict=True)


def read_embedded(
    path: str | Path, column: str, rows: Sequence[int]
) -> Iterator[tuple[int, bytes | None]]:
    """Stream the bytes of some rows of a file in bounded memory.

    That is a few megabytes, or one picture, and a page of the file: mostly 1 MB, but its writer's
    choice, and with pyarrow's own defaults as much as 1,024 pictures.

    Args:
        path: the file.
        column: binary, or a struct with a binary field ``bytes``.
        rows: numbers of rows, ascending, the first being 0.

    Yields:
        Each row and its bytes as they are in the file; None where it has none.

    Raises:
        DataError: the file is missing or damaged, or has no such column or row. Rows before the
            damage have been yielded by then.
        ExtraMissing: pyarrow is not installed.

    >>> import tempfile
    >>> import pyarrow, pyarrow.parquet
    >>> file = Path(tempfile.mkdtemp()) / "pets.parquet"
    >>> pyarrow.parquet.write_table(pyarrow.table({"image": [b"one", None, b"three"]}), file)
    >>> list(read_embedded(file, "image", [1, 2]))
    [(1, None), (2, b'three')]
    """

    def refuse(_: Sequence[int], reason: str) -> None:
        raise DataError(f"{path}: cannot be read as Parquet: {reason}")

    return read_whole_rows(path, column, rows, on_damage=refuse)


def read_whole_rows(
    path: str | Path,
    column: str,
    rows: Sequence[int],
    *,
    on_damage: Callable[[Sequence[int], str], None],
) -> Iterator[tuple[int, bytes | None]]:
    """Stream as :func:`read_embedded` does, past what is damaged.

    A damaged page takes with it the rows behind it in its row group: pyarrow reads these in order.

    Args:
        path: the file.
        column: binary, or a struct with a binary field ``bytes``.
        rows: numbers of rows, ascending, the first being 0.
        on_damage: called with some of these rows that cannot be read, and why.

    Yields:
        Each row that can be read and its bytes; None where it has none.

    Raises:
        DataError: the file is missing, is damaged as a whole, or has no such column or row.
        ExtraMissing: pyarrow is not installed.
    """
    path = Path(path)
    with open_parquet(path) as parquet:
        groups = read_footer(path)
        known = sum(group.n_rows for group in groups)
        if column not in parquet.schema_arrow.names or (rows and rows[-1] >= known):
            raise DataError(
                f"{path}: has no column {column!r} or no row {rows[-1] if rows else 0}; "
                "it has changed since it was listed: list it again"
            )
        name = find_image_column(parquet, column, str(path)).bytes_name
        if name is None:
            yield from ((row, None) for row in rows)
            return
        start = taken = 0
        for number, group in enumerate(groups):
            wanted = rows[taken : bisect_left(rows, start + group.n_rows, lo=taken)]
            taken += len(wanted)
            done = 0
            try:
                for pair in _read_rows(parquet, (group, number, name), start, wanted):
                    yield pair
                    done += 1
            except _damage() as error:
                on_damage(wanted[done:], _reason(error))
            start += group.n_rows


def _read_rows(
    parquet: Any, chunk: tuple[RowGroup, int, str], start: int, wanted: Sequence[int]
) -> Iterator[tuple[int, bytes | None]]:
    if not wanted:
        return
    position = 0
    for batch in _batches(parquet, *chunk):
        values = _innermost(batch.column(0))
        while position < len(wanted) and wanted[position] < start + len(values):
            yield wanted[position], values[wanted[position] - start].as_py()
            position += 1
        if position == len(wanted):
            return
        start += len(values)
    raise ValueError(f"it ends before row {wanted[position]}")


def _batches(parquet: Any, group: RowGroup, number: int, name: str) -> Iterator[Any]:
    row_bytes = max(1, group.columns[name].n_bytes // max(1, group.n_rows))
    size = min(max(1, _BATCH_BYTES // row_bytes), _BATCH_ROWS)
    return parquet.iter_batches(
        batch_size=size, row_groups=[number], columns=[name], use_threads=False
    )


def _damage() -> tuple[type[Exception], ...]:
    """What pyarrow raises over a damaged file."""
    arrow_error = require("pyarrow", extra="parquet").ArrowException
    return (arrow_error, OSError, ValueError, KeyError)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split())


def _values(batch: Any, name: str | None) -> list[object]:
    if name is None:
        return [None] * batch.num_rows
    column = name if name in batch.schema.names else name.rpartition(".")[0]
    values = _innermost(batch.column(column))
    try:
        return values.to_pylist()
    except UnicodeDecodeError:
        arrow = require("pyarrow", extra="parquet")
        if arrow.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        return values.cast(arrow.binary()).to_pylist()


def _innermost(values: Any) -> Any:
    # Not .field(), which forgets where the struct itself is null.
    types = require("pyarrow", extra="parquet").types
    return values.flatten()[0] if types.is_struct(values.type) else values


def _is_bytes(kind: Any) -> bool:
    types = require("pyarrow", extra="parquet").types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )


def _is_text(kind: Any) -> bool:
    types = require("pyarrow", extra="parquet").types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
