"""A table of paths and labels as CSV."""

import csv
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Protocol, TextIO

from convolens.data.folder_tree import has_image_suffix
from convolens.data.listing import Listing
from convolens.data.problems import Problem
from convolens.data.tables import (
    Columns,
    Row,
    build_listing,
    choose_columns,
    find_file,
    skipped_row,
)
from convolens.errors import ConfigError, ConvolensError, DataError

# A file without line ends would otherwise be taken into memory as one line.
_MAX_LINE = 2**24

# The names that tables of pixels give to their columns: pixel0, px_12, 1x1 and plain numbers.
_PIXEL = re.compile(
    r"(?:pixel|px|p|x|f|v|attr|feature)?[\s_-]?[0-9]+(?:[x.][0-9]+)?", re.IGNORECASE
)
_MANY_PIXELS = 16

_ALLOWED = "allowed: a first line that names the columns, then a path and a label in each row"


def list_csv(
    path: Path,
    *,
    images: str | None = None,
    labels: str | None = None,
    group: str | None = None,
) -> Listing:
    r"""List the pictures that a CSV table names.

    The text is UTF-8, with or without a byte-order mark; the columns stand apart by commas,
    semicolons or tabs, whichever its first line has most of; fields may be quoted, with line ends
    inside. Relative paths count from the table's folder. A column called split, set, subset or
    partition divides the set.

    Every row is an entry or a skipped problem: "missing_file" for an empty path and a file that is
    not there, "missing_label", "damaged" for a row with too few or too many fields or a stray
    quotation mark, "unknown_split" for a split of another name. Lines without anything are no
    rows. Labels are text as written; only where all of them are numbers, "3.0" is "3".

    Args:
        path: the file.
        images: the column of paths; None finds it by its name (see
            :func:`~convolens.data.tables.choose_columns`).
        labels: the column of labels; None finds it.
        group: the column whose equal values stay on one side of a division; None is no groups.

    Returns:
        Entries in the order of the rows, called by the path as written, or ``table.csv[17]`` (the
        17th row below the header) where a path is written more than once.

    Raises:
        DataError: the file cannot be read, is not UTF-8, holds NUL bytes, has no header, no rows or
            none that can be used, a quotation mark that is not closed, or pixels instead of paths.
        ConfigError: a column that is not there, or none or several that may be meant.

    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "pets.csv"
    >>> _ = table.with_name("a.png").write_bytes(b"...")
    >>> _ = table.write_text("file,label\na.png,cat\nb.png,dog\n")
    >>> listing = list_csv(table)
    >>> [entry.label for entry in listing.entries], listing.problems[0].reason
    (['cat'], "there is no file 'b.png'")
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = _lines(file, path)
            first = next((line for line in lines if line.strip()), None)
            if first is None:
                raise DataError(f"{path} is empty; {_ALLOWED}")
            reader = csv.reader(
                chain([first], lines),
                delimiter=max(",;\t", key=first.count),
                strict=True,
                skipinitialspace=True,
            )
            header = _header(reader, path)
            columns = _columns(path, header, images, labels, group)
            return build_listing(path, _rows(reader, header, columns, path))
    except ConvolensError:
        raise
    except UnicodeDecodeError as error:
        found = f"byte {error.object[error.start]:02x}"
        raise DataError(f"{path}: not UTF-8 text ({found}); save it as CSV in UTF-8") from None
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{str(path)!r} cannot be read: {reason}") from None


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    number = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        if "\0" in line:
            raise DataError(f"{path}: line {number} holds NUL bytes; it is no text; {_ALLOWED}")
        if len(line) == _MAX_LINE:
            raise DataError(f"{path}: line {number} is over {_MAX_LINE:,} characters; {_ALLOWED}")
        yield line


def _header(reader: "_Reader", path: Path) -> list[str]:
    try:
        header = [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise DataError(f"{path}: the first line is no header: {error}; {_ALLOWED}") from None
    return header


def _columns(
    path: Path, header: list[str], images: str | None, labels: str | None, group: str | None
) -> Columns:
    try:
        return choose_columns(str(path), header, images=images, labels=labels, group=group)
    except ConfigError:
        pixels = [name for name in header if _PIXEL.fullmatch(name) or name.lower() == "pixels"]
        if images is None and (len(pixels) >= _MANY_PIXELS or "pixels" in header):
            raise DataError(
                f"{path} is a table of pixels ({len(pixels):,} columns such as {pixels[-1]!r}), "
                "not of paths; save the pixels as .npz, or as picture files"
            ) from None
        data = next((name for name in header if has_image_suffix(name)), None)
        if data is not None:
            raise DataError(
                f"{path} has no header: its first line holds {data!r}; {_ALLOWED}"
            ) from None
        raise


def _rows(
    reader: "_Reader", header: list[str], columns: Columns, path: Path
) -> Iterator[Row | Problem]:
    for number, fields in enumerate(_records(reader, path), start=1):
        name = f"{path.name}[{number}]"
        if isinstance(fields, csv.Error):
            yield skipped_row("damaged", name, f"the row cannot be taken apart: {fields}")
        elif len(fields) < len(header) or any(fields[len(header) :]):
            reason = f"the row has {len(fields)} fields, the header {len(header)}"
            yield skipped_row("damaged", name, reason)
        else:
            yield _row(name, dict(zip(header, fields, strict=False)), columns, path.parent)


def _row(name: str, cells: dict[str, str], columns: Columns, folder: Path) -> Row | Problem:
    written = cells[columns.image]
    if not written.strip():
        return skipped_row("missing_file", name, "the path is empty")
    file, fault = find_file(folder, written)
    if fault is not None:
        return skipped_row(fault[0], name, fault[1])
    if not cells[columns.label].strip():
        return skipped_row("missing_label", name, f"the label of {written!r} is empty")
    return Row(
        name=name,
        label=cells[columns.label],
        split=(cells[columns.split] or None) if columns.split is not None else None,
        group=(cells[columns.group] or None) if columns.group is not None else None,
        written=written,
        path=file,
    )


def _records(reader: "_Reader", path: Path) -> Iterator[list[str] | csv.Error]:
    """The fields of each row, or what is wrong with it; lines without anything are left out."""
    while True:
        before = reader.line_num
        try:
            fields = next(reader, None)
        except csv.Error as error:
            if reader.line_num - before > 1:
                # Rows between the two lines were swallowed: nobody can say how many.
                raise DataError(
                    f"{path}: lines {before + 1} to {reader.line_num}: {error}; close the "
                    "quotation mark, or double it where it is meant"
                ) from None
            yield error
            continue
        if fields is None:
            return
        if fields:
            yield fields


class _Reader(Protocol):
    """What ``csv.reader`` returns; its own type has no name that is the same in all versions."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...
