"""What was found out about the files of a data set, kept so that only changed ones are read again.

One SQLite file for each data set, in the cache directory. A file is known by its path, its size and
the time of its last change; one that changed within the last moments before it was looked at is not
kept, because a second change in the same moment would not show.
"""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from convolens.data.cache import cache_directory, make_folder
from convolens.images import ImageFacts, ImageLimits

_FORMAT = 1
_AT_ONCE = 500  # names in one question; SQLite allows 999 and more
_UNSETTLED_NS = 2 * 10**9  # the coarsest file system in use counts in steps of 2 seconds

_TABLE = """CREATE TABLE IF NOT EXISTS pictures (
    name BLOB PRIMARY KEY, class TEXT, size INTEGER, changed INTEGER, verdict TEXT, reason TEXT,
    sha256 BLOB, format TEXT, height INTEGER, width INTEGER, channels INTEGER, frames INTEGER
) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """By which a file is seen to be the same as before."""

    size: int
    """Bytes."""
    changed: int
    """Nanoseconds since 1970."""


_NO_FACTS = ImageFacts(format="", height=0, width=0, channels=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is known of a picture without decoding it."""

    verdict: str = ""
    """Empty where it can be used, else the kind of its problem."""
    reason: str = ""
    """Why it cannot be used."""
    sha256: bytes = b""
    """Of the file, or of the embedded bytes: 32 bytes."""
    facts: ImageFacts = _NO_FACTS
    """Its head."""


class SurveyIndex:
    """The surveys of one data set. A damaged file is begun anew.

    Args:
        root: the folder or the table.
        limits: those the pictures were judged by; under others nothing is known yet.
    """

    def __init__(self, root: Path, limits: ImageLimits) -> None:
        folder = make_folder(cache_directory() / "indexes")
        self.path = (
            folder / f"{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]}.sqlite"
        )
        self._limits = json.dumps([_FORMAT, asdict(limits)])
        self._began = time.time_ns()
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError:
            with suppress(FileNotFoundError):
                self.path.unlink()
            self._connection = self._open()

    def known(self, stamped: Iterable[tuple[str, Stamp]]) -> Iterator[tuple[str, Survey | None]]:
        """For each name in turn what is known of it, or None when it must be looked at."""
        stream = iter(stamped)
        while chunk := list(islice(stream, _AT_ONCE)):
            rows = self._read([os.fsencode(name) for name, _ in chunk])
            for name, stamp in chunk:
                row = rows.get(os.fsencode(name))
                if row is None or row[:2] != (stamp.size, stamp.changed):
                    yield name, None
                else:
                    yield name, _survey(*row[2:])

    def keep(self, found: Iterable[tuple[str, str, Stamp, Survey]]) -> None:
        """Remember surveys: name, class, stamp and what was found."""
        settled = (
            (
                os.fsencode(name),
                label.encode("utf-8", "backslashreplace").decode(),
                stamp.size,
                stamp.changed,
                *_columns(survey),
            )
            for name, label, stamp, survey in found
            if stamp.changed < self._began - _UNSETTLED_NS
        )
        marks = ",".join("?" * (4 + len(_FIELDS)))
        with self._connection:
            self._connection.executemany(
                f"INSERT OR REPLACE INTO pictures VALUES ({marks})",  # noqa: S608 - question marks
                settled,
            )

    def forget_surplus(self, n: int) -> None:
        """Begin anew when most of what is kept is of files that are gone."""
        (kept,) = self._connection.execute("SELECT COUNT(*) FROM pictures").fetchone()
        if kept > 2 * n + 1000:
            with self._connection:
                self._connection.execute("DELETE FROM pictures")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _read(self, names: Sequence[bytes]) -> dict[bytes, tuple[Any, ...]]:
        marks = ",".join("?" * len(names))
        columns = ", ".join(("name", "size", "changed", *_FIELDS))
        question = f"SELECT {columns} FROM pictures WHERE name IN ({marks})"  # noqa: S608 - likewise
        with closing(self._connection.execute(question, names)) as cursor:
            return {row[0]: row[1:] for row in cursor}

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=60)
        try:
            # What is lost with the power can be found out again; the file itself stays whole.
            connection.execute("PRAGMA synchronous = NORMAL")
            with connection:
                connection.execute("CREATE TABLE IF NOT EXISTS made_for (limits TEXT)")
                connection.execute(_TABLE)
                row = connection.execute("SELECT limits FROM made_for").fetchone()
                if row != (self._limits,):
                    connection.execute("DROP TABLE pictures")
                    connection.execute(_TABLE)
                    connection.execute("DELETE FROM made_for")
                    connection.execute("INSERT INTO made_for VALUES (?)", (self._limits,))
        except BaseException:
            connection.close()
            raise
        return connection


_FIELDS = ("verdict", "reason", "sha256", "format", "height", "width", "channels", "frames")


def _columns(survey: Survey) -> tuple[Any, ...]:
    facts = (getattr(survey.facts, name) for name in _FIELDS[3:])
    return survey.verdict, survey.reason, survey.sha256, *facts


def _survey(verdict: str, reason: str, sha256: bytes, *facts: Any) -> Survey:
    head = ImageFacts(**dict(zip(_FIELDS[3:], facts, strict=True)))
    return Survey(verdict=verdict, reason=reason, sha256=sha256, facts=head)
