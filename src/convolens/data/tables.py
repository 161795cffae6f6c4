"""What CSV and Parquet share: finding the columns, and turning rows into a listing."""

import re
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convolens.config import did_you_mean
from convolens.data.class_folders import split_of
from convolens.data.classes import case_twins, natural_sorted
from convolens.data.listing import Entry, Listing
from convolens.data.problems import Problem
from convolens.errors import ConfigError, DataError

# In lower case, without spaces and "_-.". A column named so is taken if it is the only one.
_IMAGE_NAMES = {
    *("image", "images", "img", "picture", "photo", "path", "file", "filename", "filepath"),
    *("imagepath", "imagefile", "imagename", "imagefilename", "imgpath", "imgfile", "imgname"),
    *("picturepath", "photopath"),
}
_LABEL_NAMES = {"label", "labels", "class", "classname", "classlabel", "category", "target", "y"}
_SPLIT_NAMES = {"split", "set", "subset", "partition"}

_WHOLE = re.compile(r"([+-]?[0-9]+)\.0*")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")
_NO_NUMBER = "nan"

UNKNOWN_SPLIT = "unknown_split"
"""Kind of the problem of a row whose split is none of the three, where other rows' splits are."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column of a table holds what."""

    image: str
    """Paths, or the bytes of pictures."""
    label: str
    """The class of each picture."""
    split: str | None
    """Which part a picture belongs to, where there is such a column."""
    group: str | None
    """What must stay on one side of a division, where a user named such a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table that has a picture and a label, as written."""

    name: str
    """``table.csv[17]``: no two rows have the same."""
    label: str
    """As text, not empty."""
    split: str | None = None
    """The value of the split column."""
    group: str | None = None
    """The value of the group column."""
    written: str | None = None
    """The path in the table; None for an embedded picture."""
    path: str
    """The picture's file, or the table that holds its bytes."""
    row: int | None = None
    """The row that holds the picture's bytes."""


def choose_columns(
    source: str,
    names: Sequence[str],
    *,
    images: str | None = None,
    labels: str | None = None,
    group: str | None = None,
) -> Columns:
    """Find the columns of pictures, labels and splits among those of a table.

    Args:
        source: what to call the table in a message.
        names: the columns.
        images: the column of paths or pictures; None finds one called image, img, picture, photo,
            path, file, file name, file path, image path or the like, in any case and spelling.
        labels: the column of labels; None finds label, class, class name, category, target or y.
        group: the column of groups; None is no groups.

    Returns:
        The columns. The split column is the one called split, set, subset or partition.

    Raises:
        ConfigError: a column that is not there, none or several that may be meant, or one column
            for two things.

    >>> choose_columns("birds.csv", ["File Name", "class", "sex"])
    Columns(image='File Name', label='class', split=None, group=None)
    """
    image = _column(source, names, "images", images, _IMAGE_NAMES)
    label = _column(source, names, "labels", labels, _LABEL_NAMES)
    if image == label:
        raise ConfigError(f"{source}: images and labels are both column {image!r}; name two")
    if group is not None:
        _named(source, names, "group", group)
    taken = {image, label, group}
    splits = [name for name in names if _plain(name) in _SPLIT_NAMES and name not in taken]
    if len(splits) > 1:
        raise ConfigError(
            f"{source}: columns {', '.join(map(repr, splits))} may all be the split; "
            "keep one, or rename the others"
        )
    return Columns(image=image, label=label, split=splits[0] if splits else None, group=group)


def find_file(folder: Path, written: str) -> tuple[str, tuple[str, str] | None]:
    """Find the file of a path as written in a table.

    Args:
        folder: where relative paths count from.
        written: relative or absolute, with "/" or, where that finds nothing, with a backslash.

    Returns:
        The file's path and None; or the path and the kind and the reason of a problem.

    >>> find_file(Path("/nowhere"), "1.png")[1]
    ('missing_file', "there is no file '1.png'")
    """
    for spelling in dict.fromkeys((written, written.replace("\\", "/"))):
        path = folder / spelling
        try:
            mode = path.stat().st_mode
        except PermissionError as error:
            return str(path), ("unreadable", f"cannot be looked at: {error.strerror}")
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(mode):
            return str(path), None
        what = "a folder" if stat.S_ISDIR(mode) else "a device, a socket or a pipe"
        return str(path), ("not_an_image", f"{written!r} is {what}, not a file")
    return str(folder / written), ("missing_file", f"there is no file {written!r}")


def skipped_row(kind: str, name: str, reason: str) -> Problem:
    """The problem of a row, or of a whole table, that is left out."""
    return Problem(kind=kind, path=name, reason=reason, skipped=True)


def build_listing(
    root: Path,
    rows: Iterable[Row | Problem],
    *,
    class_names: tuple[str, ...] | None = None,
    image_column: str | None = None,
) -> Listing:
    """Make a listing of a table's rows, once all are known.

    Only then can be said what a label, a split or a name is. Where all labels are numbers, "3.0"
    becomes "3" and "nan" is a missing label. A split column in which no value names a split divides
    nothing; where some do, rows with another value, or none, are skipped. An entry is called by the
    path as written, or by its row where that path is written twice.

    Args:
        root: the table, or the folder of tables.
        rows: rows that can be used, and problems, in the order of the table.
        class_names: names by label where the format fixes them; labels then stay as they are.
        image_column: the column of embedded pictures.

    Raises:
        DataError: no row can be used.
    """
    kept: list[Row] = []
    problems: list[Problem] = []
    for row in rows:
        if isinstance(row, Row):
            kept.append(row)
        else:
            problems.append(row)
    values = {row.split for row in kept if row.split is not None}
    splits = {value: split for value in values if (split := split_of(value))}
    if values and not splits:
        problems.append(_no_split(root, values))
    labels = {} if class_names else _whole_numbers({row.label for row in kept})
    written = Counter(row.written for row in kept)
    entries: list[Entry] = []
    for row in kept:
        label = labels.get(row.label, row.label)
        split = splits.get(row.split or "")
        if not label:
            problems.append(skipped_row("missing_label", row.name, f"the label is {row.label!r}"))
        elif splits and split is None:
            reason = f"the split is {row.split or 'missing'!r}; allowed: train, validation, test"
            problems.append(skipped_row(UNKNOWN_SPLIT, row.name, reason))
        else:
            name = _name(row, once=written[row.written] == 1)
            entries.append(
                Entry(
                    name=name, label=label, split=split, group=row.group, path=row.path, row=row.row
                )
            )
    if not entries:
        first = f"; {problems[0].path}: {problems[0].reason}" if problems else ""
        raise DataError(f"{root}: none of its {len(problems):,} rows can be used{first}")
    problems += case_twins({entry.label for entry in entries})
    return Listing(
        name=root.resolve().stem,
        root=root,
        entries=entries,
        problems=problems,
        class_names=class_names,
        image_column=image_column,
    )


def _column(
    source: str, names: Sequence[str], option: str, asked: str | None, wanted: Collection[str]
) -> str:
    if asked is not None:
        return _named(source, names, option, asked)
    found = [name for name in names if _plain(name) in wanted]
    if len(found) == 1:
        return found[0]
    which = "no column is known to hold" if not found else "several columns may hold"
    listed = ", ".join(map(repr, (found or names)[:30]))
    raise ConfigError(f"{source}: {which} the {option}; say which with {option}=, of: {listed}")


def _named(source: str, names: Sequence[str], option: str, asked: str) -> str:
    n = names.count(asked)
    if n == 1:
        return asked
    if n > 1:
        raise ConfigError(f"{source}: {n} columns are called {asked!r}; rename all but one")
    raise ConfigError(f"{source}: {option}={asked!r} is no column{did_you_mean(asked, names)}")


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name.casefold())


def _whole_numbers(labels: set[str]) -> dict[str, str]:
    """What labels become where all are numbers: "3.0" is "3", and "nan" is nothing."""
    numbers = {label for label in labels if label.strip().lower() != _NO_NUMBER}
    if not numbers or not all(map(_NUMBER.fullmatch, numbers)):
        return {}
    changed = dict.fromkeys(labels - numbers, "")
    return changed | {label: found[1] for label in numbers if (found := _WHOLE.fullmatch(label))}


def _no_split(root: Path, values: set[str]) -> Problem:
    listed = ", ".join(map(repr, natural_sorted(values)[:5]))
    reason = f"no value of the split column names a split ({listed}); it is not used"
    return Problem(kind="missing_split", path=root.name, reason=reason, skipped=False)


def _name(row: Row, *, once: bool) -> str:
    # A path that looks like a row's name could be the name of that row.
    if row.written is None or not once or row.written.endswith("]"):
        return row.name
    return row.written
