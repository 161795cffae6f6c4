"""Looking at the files of a listing: what is known is looked up, the rest is read."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.data.index import Stamp, Survey, SurveyIndex
from convolens.data.listing import Entry, Listing
from convolens.data.pixel_cache import PASSING
from convolens.images import ImageFacts, ImageLimits
from convolens.images.reading_pool import ReadingTask, survey_pictures

OnProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many pictures are done, and how many there are."""

_TELL_EVERY = 32  # pictures
_KEEP_EVERY = 2_000  # surveys between two writings of the index
_FEW = 200  # pictures that take about as long as starting a process


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
    tasks = reading_tasks(listing, unknown, listing.entries)
    n_workers = enough_workers(workers, len(unknown))
    answers = survey_pictures(tasks, limits, workers=n_workers) if unknown else iter(())
    for done, (number, answer) in enumerate(answers, start=1):
        found.add(number, _to_survey(answer))
        if done % _TELL_EVERY == 0 or done == len(unknown):
            on_progress("looking at files", done, len(unknown))
    return found.all()


def reading_tasks(
    listing: Listing,
    numbers: Sequence[int],
    entries: Sequence[Entry],
    contents: NDArray[np.uint8] | None = None,
) -> Iterator[ReadingTask]:
    """A task for each of some entries; those inside tables with their bytes, table by table.

    Args:
        listing: where the entries are from.
        numbers: positions in ``entries``.
        entries: of the listing.
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
        from convolens.data.parquet_table import read_embedded  # the one reader that needs pyarrow

        assert listing.image_column is not None
        numbered = {row: number for _, row, number in group}
        for row, content in read_embedded(path, listing.image_column, sorted(numbered)):
            yield task(numbered[row], content or b"")


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
        self._fresh: list[tuple[str, str, Stamp, Survey]] = []

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
        known = self._index.known((entries[n].name, self._stamps[n]) for n in present)
        for number, (_, found) in zip(present, known, strict=True):
            self._surveys[number] = found
        self._index.forget_surplus(len(entries))
        return [number for number in present if self._surveys[number] is None]

    def add(self, number: int, found: Survey) -> None:
        """Take what was found out about an entry, and keep it from time to time."""
        self._surveys[number] = found
        if found.verdict not in PASSING:
            entry = self._listing.entries[number]
            self._fresh.append((entry.name, entry.label, self._stamps[number], found))
        if len(self._fresh) >= _KEEP_EVERY:
            self._keep()

    def all(self) -> list[Survey]:
        """Every survey, in order."""
        self._keep()
        missing = Survey(verdict="unreadable", reason="the table cannot be read at this row")
        return [found or missing for found in self._surveys]

    def _keep(self) -> None:
        self._index.keep(self._fresh)
        self._fresh = []


_NO_STAMP = Stamp(size=0, changed=0)


def _stamp(path: str) -> Stamp | Survey:
    """Size and time of change of a file, or why there are none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a million of them
    except FileNotFoundError:
        return Survey(verdict="vanished", reason="the file is gone")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Survey(verdict="unreadable", reason=f"cannot be read: {reason}")
    return Stamp(size=status.st_size, changed=status.st_mtime_ns)


def _to_survey(answer: Sequence[Any]) -> Survey:
    if answer[0]:
        return Survey(verdict=was_there(answer[0]), reason=answer[1])
    file_format, height, width, channels, frames = answer[2:]
    facts = ImageFacts(
        format=file_format, height=height, width=width, channels=channels, frames=frames
    )
    return Survey(sha256=bytes.fromhex(answer[1]), facts=facts)
