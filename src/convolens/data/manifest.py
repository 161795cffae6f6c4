"""Which picture is in which split, as a small CSV file that is written once and read back."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convolens.config import did_you_mean
from convolens.data.datasets import Dataset
from convolens.data.listing import SPLIT_NAMES
from convolens.data.problems import Problem
from convolens.errors import DataError
from convolens.files import replacing

LEFT_OUT = -2
"""Neither in a split nor to be put into one."""

_COLUMNS = ("name", "class", "split")

# Names of files that are not UTF-8 reach Python with lone surrogates, which UTF-8 cannot hold. They
# are written as \udcff; a backslash that only looks like the start of such an escape as \u005c.
_ESCAPED = re.compile(r"\\u(d[89a-f][0-9a-f]{2}|005c)")
_PLAIN = re.compile(r'[^\s,"\\\ud800-\udfff]*')
_TO_ESCAPE = re.compile(r"[\ud800-\udfff]|\\(?=u(?:d[89a-f][0-9a-f]{2}|005c))")


def write_split_file(path: str | Path, dataset: Dataset) -> None:
    """Write which picture is in which split, so that exactly this division can be used again.

    A UTF-8 CSV file with the columns name, class and split and one row for each picture, in the
    order of the splits. A picture without a name is called by its number in the undivided set,
    ``[17]``; in a data set that was made by hand, without names, by its place: ``train[17]``.

    Args:
        path: the file; an older one is replaced.
        dataset: a divided data set.

    Raises:
        DataError: two pictures have the same name.

    >>> import tempfile
    >>> from convolens.data import Split
    >>> pixels = np.zeros((2, 8, 8, 1), np.uint8)
    >>> train = Split(pixels, np.array([0, 1]), ["cats/1.png", "dogs/1.png"])
    >>> validation = Split(pixels, np.array([0, 1]), ["cats/2.png", "dogs/2.png"])
    >>> data = Dataset("pets", train, validation, None, ("cat", "dog"), "made by hand")
    >>> file = Path(tempfile.mkdtemp()) / "pets.csv"
    >>> write_split_file(file, data)
    >>> print(file.read_text().rstrip())
    name,class,split
    cats/1.png,cat,train
    dogs/1.png,dog,train
    cats/2.png,cat,validation
    dogs/2.png,dog,validation
    """
    seen: set[str] = set()
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write(_line(_COLUMNS))
        for split_name, split in dataset.splits.items():
            labels: list[int] = split.labels.tolist()
            for index, label in enumerate(labels):
                name = None if split.names is None else split.names[index]
                name = f"{split_name}[{index}]" if name is None else name
                if name in seen:
                    raise DataError(
                        f"two images are called {name!r}; a split file needs distinct names"
                    )
                seen.add(name)
                file.write(_line((name, dataset.class_names[label], split_name)))


def read_split_file(path: str | Path) -> dict[str, str]:
    r"""Read which picture is in which split.

    Args:
        path: a CSV file, UTF-8 with or without a byte order mark, as :func:`write_split_file` makes
            it or made by hand: the columns name and split are needed, others are ignored.

    Returns:
        The split ("train", "validation" or "test") of each picture by its name, in the file's
        order.

    Raises:
        DataError: the file cannot be read, is not UTF-8 or not CSV, lacks a column or has no rows;
            a row is too short or too long, or names an unknown split or a picture for the second
            time.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "mine.csv"
    >>> _ = file.write_text("split,name\ntrain,cats/1.png\ntest,cats/2.png\n")
    >>> read_split_file(file)
    {'cats/1.png': 'train', 'cats/2.png': 'test'}
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            return _read_rows(str(path), _rows(str(path), file))
    except FileNotFoundError:
        raise DataError(f"there is no split file {str(path)!r}") from None
    except UnicodeDecodeError as reason:
        raise DataError(f"{path}: is not UTF-8 text ({reason}); save it as CSV UTF-8") from None
    except (OSError, ValueError) as reason:
        if isinstance(reason, DataError):
            raise
        raise DataError(f"{str(path)!r} cannot be read as a split file: {reason}") from None


def assign_splits(
    file: str, wanted: Mapping[str, str], names: Sequence[str], skipped: Collection[str]
) -> tuple[NDArray[np.int64], list[Problem]]:
    """The split of each picture of a set, and how the set and a split file disagree.

    Args:
        file: the split file, for messages.
        wanted: what :func:`read_split_file` gave.
        names: (n,) what each picture of the set is called.
        skipped: names that are known to be unusable: the file may have them.

    Returns:
        (n,) int64, indices of ``SPLIT_NAMES``, or ``LEFT_OUT``; and a problem for each picture that
        the file does not name, and for each name without a picture.

    Raises:
        DataError: more names are without a picture than with one.

    >>> part_of, problems = assign_splits("s.csv", {"a": "test", "b": "train"}, ["b", "a", "c"], ())
    >>> part_of, [(problem.kind, problem.path) for problem in problems]
    (array([ 0,  2, -2]), [('not_in_split_file', 'c')])
    """
    codes = [SPLIT_NAMES.index(wanted[name]) if name in wanted else LEFT_OUT for name in names]
    there = set(names)
    absent = [name for name in wanted if name not in there and name not in skipped]
    n_found = len(codes) - codes.count(LEFT_OUT)
    if len(absent) > n_found:
        raise DataError(
            f"{file}: {len(absent):,} of the images that it names are not in the data "
            f"({absent[0]!r} is not), and {n_found:,} are; use the split file of this data set"
        )
    problems = [
        Problem(
            kind="not_in_split_file", path=name, reason=f"{file} does not name it", skipped=True
        )
        for name, code in zip(names, codes, strict=True)
        if code == LEFT_OUT
    ]
    problems += [
        Problem(
            kind="missing_file", path=name, reason=f"{file} has it in {wanted[name]}", skipped=True
        )
        for name in absent
    ]
    return np.array(codes, dtype=np.int64), problems


def _rows(path: str, file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the number of the line it ends in."""
    reader = csv.reader(file, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as reason:
        raise DataError(f"{path}: line {reader.line_num} is not CSV: {reason}") from None


def _read_rows(path: str, rows: Iterator[tuple[int, list[str]]]) -> dict[str, str]:
    header = next(rows, (0, [""]))[1]
    columns = [column.strip().lower() for column in header]
    for needed in ("name", "split"):
        if columns.count(needed) != 1:
            what = "twice" if needed in columns else "not"
            raise DataError(
                f"{path}: the column {needed} is {what} in the first line ({', '.join(header)}); "
                "a split file has the columns name, class, split"
            )
    name_at, split_at = columns.index("name"), columns.index("split")
    splits: dict[str, str] = {}
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(
                f"{path}: line {line} has {len(row)} fields; the first line has {len(header)}"
            )
        name, split = _ESCAPED.sub(_unescaped, row[name_at]), row[split_at]
        if split not in SPLIT_NAMES:
            raise DataError(
                f"{path}: line {line}: unknown split {split!r}{did_you_mean(split, SPLIT_NAMES)}"
            )
        if name in splits:
            raise DataError(f"{path}: line {line}: {name!r} is named for the second time")
        splits[name] = split
    if not splits:
        raise DataError(f"{path}: names no image; a split file has a row for each")
    return splits


def _line(fields: Iterable[str]) -> str:
    # Quoted by hand: which characters the csv module quotes differs between Python's versions.
    return ",".join(map(_quoted, fields)) + "\n"


def _quoted(field: str) -> str:
    if _PLAIN.fullmatch(field):
        return field
    field = _TO_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", field)
    if any(special in field for special in ',"\r\n') or field != field.strip():
        return '"' + field.replace('"', '""') + '"'
    return field


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))
