"""Listing tables of pictures in Parquet: a file, or a folder of them as Hugging Face lays it out.

Needs pyarrow, which the extra "parquet" brings.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

from convolens.data.class_folders import split_of
from convolens.data.classes import natural_key
from convolens.data.folder_tree import is_housekeeping
from convolens.data.listing import Listing
from convolens.data.parquet_file import (
    ImageColumn,
    find_image_column,
    open_parquet,
    read_cells,
    read_class_names,
    read_embedded,
    read_presence,
)
from convolens.data.parquet_footer import read_footer
from convolens.data.problems import Problem
from convolens.data.tables import (
    Columns,
    Row,
    build_listing,
    choose_columns,
    find_file,
    skipped_row,
)
from convolens.errors import ConfigError, DataError
from convolens.extras import require

__all__ = ["list_parquet", "read_embedded"]


def list_parquet(
    path: Path,
    *,
    images: str | None = None,
    labels: str | None = None,
    group: str | None = None,
) -> Listing:
    """List the pictures of a Parquet file, or of a folder of them, without reading a picture.

    The image column holds bytes, paths (relative ones count from the file's folder), or both as
    Hugging Face's struct of ``bytes`` and ``path``. Labels are whole numbers, text, booleans or
    floats; whole numbers are named by Hugging Face's ``ClassLabel`` where the file has one.

    In a folder, ``*.parquet`` is read there, in ``data/`` and in folders of either named as splits.
    A split column divides the set, or else the names of files and folders do
    (``train-00000-of-00002.parquet``). All files need the columns of the first; one that has not,
    or is damaged, is skipped as one problem "damaged". Every row of the others is an entry or a
    skipped problem: "missing_file" for no picture or a path to none, "missing_label",
    "label_out_of_range" for a number without a class name, "unknown_split" for another split.

    Args:
        path: the file or the folder.
        images: the column of pictures; None finds it by its name (see
            :func:`~convolens.data.tables.choose_columns`).
        labels: the column of labels; None finds it.
        group: the column whose equal values stay on one side of a division; None is no groups.

    Returns:
        Entries by file and row. An embedded picture is called ``train.parquet[17]``: its file from
        the folder, and its row, the first being 0, as :func:`read_embedded` counts.

    Raises:
        DataError: there is no such file, the only file is damaged, or no row can be used.
        ConfigError: a column that is not there, of a wrong type, or none or several meant.
        ExtraMissing: pyarrow is not installed.

    >>> import tempfile
    >>> import pyarrow, pyarrow.parquet
    >>> file = Path(tempfile.mkdtemp()) / "pets.parquet"
    >>> table = pyarrow.table({"image": [b"one", None], "label": ["cat", "dog"]})
    >>> pyarrow.parquet.write_table(table, file)
    >>> listing = list_parquet(file)
    >>> [entry.name for entry in listing.entries], listing.problems[0].path
    (['pets.parquet[0]'], 'pets.parquet[1]')
    """
    path = Path(path)
    options = {"images": images, "labels": labels, "group": group}
    tables: list[_Table] = []
    rows: list[Row | Problem] = []
    for file in _find_files(path):
        name = file.name if file == path else file.relative_to(path).as_posix()
        try:
            tables.append(_open_table(file, name, None if file == path else name, options))
        except (DataError, ConfigError) as error:
            # What does not fit the first file is wrong with the others, not with the options.
            if file == path or (isinstance(error, ConfigError) and not tables):
                raise
            rows.append(skipped_row("damaged", name, str(error)))
        else:
            options |= {"images": tables[0].columns.image, "labels": tables[0].columns.label}
    named = {table.class_names for table in tables} - {None}
    class_names = named.pop() if len(named) == 1 else None
    for table in tables:
        try:
            rows += list(_rows(replace(table, class_names=class_names or table.class_names)))
        except DataError as error:
            if table.path == path:
                raise
            rows.append(skipped_row("damaged", table.name, str(error)))
    embedded = any(table.image.bytes_name is not None for table in tables)
    return build_listing(
        path, rows, class_names=class_names, image_column=options["images"] if embedded else None
    )


@dataclass(frozen=True, kw_only=True)
class _Table:
    """One file of a listing."""

    path: Path
    name: str
    """From the folder."""
    split: str | None
    """What its name says."""
    columns: Columns
    image: ImageColumn
    class_names: tuple[str, ...] | None
    """By label, where the file says so."""


def _find_files(path: Path) -> list[Path]:
    try:
        if path.is_file():
            return [path]
        folders = [folder for folder in (path, path / "data") if folder.is_dir()]
        folders += [
            below
            for folder in folders
            for below in folder.iterdir()
            if split_of(below.name) and below.is_dir()
        ]
        files = [
            file
            for folder in folders
            for file in folder.iterdir()
            if file.suffix.lower() == ".parquet" and not is_housekeeping(file.name)
            # A link to nothing is reported; a pipe would never end.
            if file.is_file() or not file.exists()
        ]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    if not files:
        what = "has no .parquet file, nor has its folder data" if folders else "does not exist"
        raise DataError(f"{path} {what}; allowed: a Parquet file, or a folder of them")
    return sorted(files, key=lambda file: natural_key(file.relative_to(path).as_posix()))


def _open_table(
    path: Path, name: str, split_name: str | None, options: dict[str, str | None]
) -> _Table:
    with open_parquet(path) as parquet:
        columns = choose_columns(str(path), parquet.schema_arrow.names, **options)
        kind = parquet.schema_arrow.field(columns.label).type
        if require("pyarrow", extra="parquet").types.is_nested(kind):
            raise ConfigError(
                f"{path}: column {columns.label!r} holds {kind}; allowed for labels: one number or "
                "text in each row"
            )
        return _Table(
            path=path,
            name=name,
            split=None if split_name is None else _split_of_file(split_name),
            columns=columns,
            image=find_image_column(parquet, columns.image, str(path)),
            class_names=read_class_names(parquet, columns.label),
        )


def _split_of_file(name: str) -> str | None:
    """The split in ``data/train-00000-of-00002.parquet``, ``test/0.parquet``, ``x-test.parquet``.

    The file's own name is asked first, then the folder it lies in.
    """
    for part in reversed(name.removesuffix(".parquet").split("/")):
        whole = split_of(re.split("[0-9]", part)[0])
        words = {split_of(word) for word in re.split(r"[\W_0-9]+", part)} - {None}
        if whole is not None or len(words) == 1:
            return whole or words.pop()
    return None


def _rows(table: _Table) -> Iterator[Row | Problem]:
    chosen, image = table.columns, table.image
    groups = read_footer(table.path)
    with open_parquet(table.path) as parquet:
        number = 0
        for index, group in enumerate(groups):
            present = repeat(False, group.n_rows)
            paths = image.path_name
            if image.bytes_name is not None:
                present = read_presence(parquet, group, index, image.bytes_name)
                paths = paths if group.columns[image.bytes_name].n_missing else None
            names = (chosen.label, chosen.split, chosen.group, paths)
            for embedded, cells in zip(present, read_cells(parquet, index, names), strict=True):
                yield _row(table, number, cells, embedded=embedded)
                number += 1


def _row(table: _Table, number: int, cells: tuple[object, ...], *, embedded: bool) -> Row | Problem:
    name = f"{table.name}[{number}]"
    value, split, group, written = cells
    file, fault = str(table.path), None
    if not embedded:
        if not isinstance(written, str) or not written.strip():
            return skipped_row("missing_file", name, "the row holds no picture")
        file, fault = find_file(table.path.parent, written)
    if fault is not None:
        return skipped_row(fault[0], name, fault[1])
    label = _label(value, table.class_names)
    if label is None:
        return skipped_row("missing_label", name, f"the label is {value!r}")
    if table.class_names is not None and label not in table.class_names:
        reason = f"the label is {value!r}; allowed: 0 to {len(table.class_names) - 1}"
        return skipped_row("label_out_of_range", name, reason)
    return Row(
        name=name,
        label=label,
        split=table.split if table.columns.split is None else _text(split),
        group=_text(group),
        written=None if embedded else str(written),
        path=file,
        row=number if embedded else None,
    )


def _text(value: object) -> str | None:
    """A value of a column as text; None where it is missing, as pandas' NaN is."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value)


def _label(value: object, names: tuple[str, ...] | None) -> str | None:
    """A label as text, the class's name where it is the number of one; None where it is missing."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if names is None or isinstance(value, str):
        return str(value) if str(value).strip() else None
    if isinstance(value, int | float) and 0 <= value < len(names) and value == int(value):
        return names[int(value)]
    # No class has an empty name: whoever asks for it finds that there is none.
    return ""
