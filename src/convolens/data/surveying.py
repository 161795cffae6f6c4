"""Looking at the files of a listing: what is known is looked up, the rest is read."""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from convolens.data.index import Stamp, Survey, SurveyIndex, picture_key, stamp_of
from convolens.data.listing import Entry, Listing
from convolens.data.pixel_cache import PASSING
from convolens.errors import ConfigError, DataError
from convolens.images import ImageFacts, ImageLimits
from convolens.images.reading_pool import ReadingTask, survey_pictures

OnProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many pictures are done, and how many there are."""

_TELL_EVERY = 32  # pictures
_KEEP_EVERY = 2_000  # surveys between two writings of the index
_FEW = 200  # pictures that take about as long as starting a process

_Answer = TypeVar("_Answer")


def silent(what: str, done: int, n: int) -> None:
    """Tell nobody."""


def enough_workers(asked: int | None, n: int) -> int | None:
    """How many processes read n pictures: as asked, or one for a few, or None for one a core."""
    return asked or (1 if n < _FEW else None)


def survey(
    listing: Listing,
    index: SurveyIndex,
    limits: ImageLimits,
    workers: int | None,
    on_progress: OnProgress = silent,
) -> list[Survey]:
    """What each entry of a listing is, in order.

    Args:
        listing: from a reader.
        index: what is known already, and where what is found out is kept.
        limits: what a picture may be at most.
        workers: processes that read; as many as there are cores if None.
        on_progress: called from time to time.
    """
    found = _Found(listing, index)
    unknown = found.look_up()
    n = len(unknown)
    refused: dict[int, tuple[str, str]] = {}
    if unknown:
        tasks = reading_tasks(listing, unknown, listing.entries, refused)
        answers = survey_pictures(tasks, limits, workers=enough_workers(workers, n))
        with ending(answers):
            for done, (number, answer) in enumerate(answers, start=1):
                found.add(number, _to_survey(answer))
                if done % _TELL_EVERY == 0 or done == n:
                    on_progress("looking at files", done, n)
    if refused:
        found.refuse(refused)
        on_progress("looking at files", n, n)
    return found.all()


def ending(answers: Iterator[_Answer]) -> "closing[Generator[_Answer]]":
    """Ends the processes behind some answers with a block, whichever way the block is left.

    A traceback that somebody keeps would keep them too.
    """
    return closing(cast("Generator[_Answer]", answers))


def reading_tasks(
    listing: Listing,
    numbers: Sequence[int],
    entries: Sequence[Entry],
    refused: dict[int, tuple[str, str]],
    contents: NDArray[np.uint8] | None = None,
) -> Iterator[ReadingTask]:
    """A task for each of some entries; those inside tables with their bytes, table by table.

    Args:
        listing: where the entries are from.
        numbers: positions in ``entries``.
        entries: of the listing.
        refused: filled in while the tasks are taken, perhaps by another thread: kind and reason for
            each number whose bytes cannot be got out of its table.
        contents: (len(entries), 32) the SHA-256 that each must have.
    """

    def task(number: int, content: bytes | None = None) -> ReadingTask:
        entry = entries[number]
        return ReadingTask(
            number=number,
            name=entry.name,
            path=listing.path_of(entry) if entry.row is None else None,
            content=content,
            row=number,
            sha256="" if contents is None else contents[number].tobytes().hex(),
        )

    yield from (task(number) for number in numbers if entries[number].row is None)
    embedded = sorted(
        (listing.path_of(entry), entry.row, number)
        for number in numbers
        if (entry := entries[number]).row is not None
    )
    for path, group in groupby(embedded, key=itemgetter(0)):
        assert listing.image_column is not None
        numbered = {row: number for _, row, number in group}
        for row, content in _embedded(path, listing.image_column, numbered, refused):
            yield task(numbered[row], content or b"")


def _embedded(
    path: str, column: str, numbered: dict[int, int], refused: dict[int, tuple[str, str]]
) -> Iterator[tuple[int, bytes | None]]:
    """Rows of a table and their bytes, without those that are damaged."""
    from convolens.data.parquet_file import read_whole_rows  # the one reader that needs pyarrow

    def skip(rows: Sequence[int], reason: str) -> None:
        why = ("damaged", f"the table cannot be read at this row: {reason}")
        refused.update((numbered[row], why) for row in rows)

    rows = sorted(numbered)
    taken = 0
    try:
        for row, content in read_whole_rows(path, column, rows, on_damage=skip):
            yield row, content
            taken += 1
    except (DataError, ConfigError) as error:
        # It could be read when it was listed.
        why = ("vanished", f"the table changed or disappeared: {error}")
        for row in rows[taken:]:
            refused.setdefault(numbered[row], why)


def was_there(kind: str) -> str:
    """The kind of the problem of a file that was there a moment ago."""
    return "vanished" if kind == "missing_file" else kind


class _Found:
    """The surveys of a listing as they come in."""

    def __init__(self, listing: Listing, index: SurveyIndex) -> None:
        self._listing = listing
        self._index = index
        self._surveys: list[Survey | None] = []
        self._stamps: list[Stamp] = []
        self._fresh: list[tuple[bytes, str, Stamp, Survey]] = []
        # What is inside is named from there, so that it has the same name from everywhere.
        folder = listing.root if listing.root.is_dir() else listing.root.parent
        self._inside = os.path.join(folder, "")  # noqa: PTH118 - with a slash at its end

    def look_up(self) -> list[int]:
        """Take what is known; the numbers of the entries of which nothing is."""
        tables: dict[str, Stamp | Survey] = {}
        for entry in self._listing.entries:
            path = self._listing.path_of(entry)
            stamp = tables.get(path) or _stamp(path)
            if entry.row is not None:
                tables[path] = stamp
            gone = isinstance(stamp, Survey)
            self._surveys.append(stamp if gone else None)
            self._stamps.append(_NO_STAMP if gone else stamp)
        present = [number for number, found in enumerate(self._surveys) if found is None]
        entries = self._listing.entries
        known = self._index.known((self._key(entries[n]), self._stamps[n]) for n in present)
        for number, found in zip(present, known, strict=True):
            self._surveys[number] = found
        self._index.forget_surplus(len(entries))
        return [number for number in present if self._surveys[number] is None]

    def add(self, number: int, found: Survey) -> None:
        """Take what was found out about an entry, and keep it from time to time."""
        self._surveys[number] = found
        if found.verdict not in PASSING:
            entry = self._listing.entries[number]
            self._fresh.append((self._key(entry), entry.label, self._stamps[number], found))
        if len(self._fresh) >= _KEEP_EVERY:
            self._keep()

    def refuse(self, refused: dict[int, tuple[str, str]]) -> None:
        """Take why entries could not be looked at. It is not kept: the disk may be at fault."""
        for number, (kind, reason) in refused.items():
            self._surveys[number] = Survey(verdict=kind, reason=reason)

    def all(self) -> list[Survey]:
        """Every survey, in order."""
        self._keep()
        missing = Survey(verdict="unreadable", reason="the table cannot be read at this row")
        return [found or missing for found in self._surveys]

    def _keep(self) -> None:
        self._index.keep(self._fresh)
        self._fresh = []

    def _key(self, entry: Entry) -> bytes:
        if entry.path is None:
            return picture_key(entry.name)
        path = entry.path.removeprefix(self._inside)
        return picture_key(path, entry.row, self._listing.image_column)


_NO_STAMP = Stamp(changed=0, digest=b"")


def _stamp(path: str) -> Stamp | Survey:
    """The stamp of a file, or why there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a million of them
    except FileNotFoundError:
        return Survey(verdict="vanished", reason="the file is gone")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Survey(verdict="unreadable", reason=f"cannot be read: {reason}")
    return stamp_of(status)


def _to_survey(answer: Sequence[Any]) -> Survey:
    if answer[0]:
        return Survey(verdict=was_there(answer[0]), reason=answer[1])
    file_format, height, width, channels, frames = answer[2:]
    facts = ImageFacts(
        format=file_format, height=height, width=width, channels=channels, frames=frames
    )
    return Survey(sha256=bytes.fromhex(answer[1]), facts=facts)
