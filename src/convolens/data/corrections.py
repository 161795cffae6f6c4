"""A list of corrected labels, as a person fills it in: reading it, and applying it to pictures."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convolens.config import did_you_mean
from convolens.data.numbers import Numbers
from convolens.data.pool import Pool
from convolens.data.problems import Problem
from convolens.data.spreadsheet import from_cell, read_cells
from convolens.errors import DataError

PICTURE, LABEL, CORRECTED = "picture", "label", "corrected"
"""The columns that are read; others are there for the person alone."""
DROP = "-"
"""In place of a class: the picture is left out. A class of that name goes before it."""

_MOST_COMPARED = 20_000  # names that a wrong one is compared with, in some tenths of a second
_NUMBER = re.compile(r"\[(0|[1-9][0-9]{0,17})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One row of a list that has a correction."""

    picture: str
    """What the data set calls the picture."""
    corrected: str
    """The name of its class, or ``DROP``."""
    label: str = ""
    """The name of the class that it had when the list was made; empty if the list does not say."""
    row: int = 0
    """Of the file, from 1, the one with the column's names included; 0 where there is none."""


@dataclass(frozen=True, kw_only=True)
class Corrections:
    """A list of corrected labels."""

    path: Path
    """The file."""
    by_picture: Mapping[str, Correction]
    """Rows that have a correction, in the file's order."""

    @property
    def digest(self) -> str:
        """SHA-256 of what the list says, however a spreadsheet saved it and in whatever order."""
        rows = sorted((each.picture, each.corrected) for each in self.by_picture.values())
        return hashlib.sha256(repr(rows).encode("utf-8", "surrogatepass")).hexdigest()


def read_corrections(path: str | Path) -> Corrections:
    r"""Read a list of corrected labels.

    Args:
        path: a CSV file as ``convolens cv`` writes it (``label_errors.csv``) and a spreadsheet
            saves it, or made by hand. The columns picture and corrected are needed: what the data
            set calls the picture, and the name of its class, or ``-`` to leave the picture out. A
            row with nothing in the column corrected says nothing. Where the column label says
            which class a picture had, it is compared with the data.

    Returns:
        The rows that have a correction.

    Raises:
        DataError: the file cannot be read, is empty, or lacks a column; a row is too long, has a
            correction and no picture, or corrects a picture in another way than a row before it.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "label_errors.csv"
    >>> _ = file.write_text("picture,label,corrected\na.png,cat,dog\nb.png,cat,\n")
    >>> list(read_corrections(file).by_picture)
    ['a.png']
    """
    path = Path(path)
    rows = read_cells(path, "list of corrected labels")
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if not any(header):
        raise DataError(f"{path} is empty; {_ALLOWED}")
    for needed in (PICTURE, CORRECTED):
        if header.count(needed) != 1:
            what = "twice" if needed in header else "not"
            raise DataError(
                f"{path}: the column {needed} is {what} in the first row ({', '.join(rows[0])}); "
                f"{_ALLOWED}"
            )
    by_picture: dict[str, Correction] = {}
    for number, row in enumerate(rows[1:], start=2):
        found = _correction(f"{path}: row {number}", header, row, number)
        if found is None:
            continue
        before = by_picture.setdefault(found.picture, found)
        if before.corrected != found.corrected:
            raise DataError(
                f"{path}: row {number} corrects {found.picture!r} to {found.corrected!r}, and row "
                f"{before.row} to {before.corrected!r}; leave one of them empty"
            )
    return Corrections(path=path, by_picture=by_picture)


def correct(pool: Pool, corrections: Corrections) -> Pool:
    """The same pictures with corrected labels.

    The pictures keep their places, and divisions go on following the labels as they were: no
    picture changes sides because another was corrected.

    Args:
        pool: all pictures of a source.
        corrections: the list. Pictures that could not be read may be in it.

    Returns:
        The pool, with a problem of the kind "corrected" that counts what was done.

    Raises:
        DataError: a picture that is not there, a class that is not there, or a label that is
            another in the data than in the list.
    """
    if pool.names is None:
        places = {name: at for name in corrections.by_picture if (at := _numbered(name, pool)) >= 0}
    else:
        places = {name: at for at, name in enumerate(pool.names) if name in corrections.by_picture}
    unusable = {problem.path for problem in pool.problems if problem.skipped}
    class_of = {name: label for label, name in enumerate(pool.class_names)}
    labels, dropped = pool.labels.copy(), np.zeros(len(pool.labels), dtype=bool)
    for each in corrections.by_picture.values():
        where = f"{corrections.path}: row {each.row}"
        if (place := places.get(each.picture)) is None:
            if each.picture in unusable:
                continue
            raise DataError(f"{where}: unknown picture {each.picture!r}{_nearest(each, pool)}")
        _refuse_other_label(where, each, pool.class_names[int(labels[place])])
        if each.corrected in class_of:
            labels[place] = class_of[each.corrected]
        elif each.corrected == DROP:
            dropped[place] = True
        else:
            raise DataError(
                f"{where}: unknown class {each.corrected!r}"
                f"{did_you_mean(each.corrected, [*pool.class_names, DROP])}; a correction makes no "
                f"new class, and {DROP} leaves the picture out"
            )
    return replace(
        pool,
        labels=labels,
        labels_as_given=pool.labels,
        dropped=dropped,
        problems=(*pool.problems, _told(corrections, pool.labels, labels, dropped)),
    )


def corrections_said(problems: Iterable[Problem]) -> list[str]:
    """Of the problems of a data set what was corrected, in a line for people each."""
    return [
        f"{problem.path}: {problem.reason}" for problem in problems if problem.kind == "corrected"
    ]


_ALLOWED = (
    f"a list of corrected labels is a CSV file with the columns {PICTURE} and {CORRECTED}, such as "
    "the label_errors.csv that convolens cv writes"
)


def _correction(where: str, header: list[str], row: list[str], number: int) -> Correction | None:
    if any(cell.strip() for cell in row[len(header) :]):
        raise DataError(f"{where} has {len(row)} fields; the first row has {len(header)}")
    # Excel leaves empty fields at the end of a row out.
    cells = dict(zip(header, [*row, *[""] * len(header)], strict=False))
    cell = cells[CORRECTED]
    # After an apostrophe a space at the end is part of the name.
    corrected = from_cell(cell if cell.startswith("'") else cell.strip())
    if not corrected:
        return None
    picture = from_cell(cells[PICTURE])
    if not picture.strip():
        raise DataError(f"{where} has the correction {corrected!r}, but no picture")
    label = from_cell(cells.get(LABEL, ""))
    return Correction(picture=picture, corrected=corrected, label=label, row=number)


def _numbered(name: str, pool: Pool) -> int:
    """The place of a picture that has a number alone; -1 where there is none."""
    found = _NUMBER.fullmatch(name)
    place = int(found[1]) if found else -1
    return place if place < len(pool.labels) else -1


def _nearest(each: Correction, pool: Pool) -> str:
    if pool.names is None:
        return f"; allowed: {Numbers(np.arange(1))[0]} to [{len(pool.labels) - 1}]"
    # What has the same end is most likely meant: a folder was renamed, or a picture moved.
    end = each.picture.replace("\\", "/").rpartition("/")[2]
    alike: Sequence[str] = [name for name in pool.names if name.endswith(end)]
    names = (alike or pool.names)[:_MOST_COMPARED]
    close = get_close_matches(each.picture, names, n=1, cutoff=0.3)
    meant = f"; did you mean {close[0]!r}?" if close else f"; allowed: such as {pool.names[0]!r}"
    return f"{meant} Use the list with the data set that it was made for"


def _refuse_other_label(where: str, each: Correction, label: str) -> None:
    """A list of other data, or one that was made after other corrections, would do harm."""
    if each.label and label not in (each.label, each.corrected):
        raise DataError(
            f"{where}: {each.picture!r} is {label!r} in the data and {each.label!r} in the list; "
            "use the list with the data that it was made for, or empty its column label"
        )


def _told(
    corrections: Corrections,
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    dropped: NDArray[np.bool_],
) -> Problem:
    changed, left_out = int((before != after).sum()), int(dropped.sum())
    reason = f"{changed:,} label{'s' * (changed != 1)} corrected by it"
    if left_out:
        reason += f", {left_out:,} picture{'s' * (left_out != 1)} left out"
    if not corrections.by_picture:
        reason = f"nothing is corrected by it: its column {CORRECTED} is empty"
    return Problem(kind="corrected", path=str(corrections.path), reason=reason, skipped=False)
