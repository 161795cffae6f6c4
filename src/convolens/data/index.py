"""What was found out about the files of a data set, kept so that only changed ones are read again.

One SQLite file for each data set and set of limits, in the cache directory. A picture is known by
its file, its row and its column; a file that did not change is known by its size, its times and its
number on the disk. One that changed within the last moments before it was looked at is not kept,
because a second change in the same moment would not show.
"""

import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from convolens.data.cache import cache_directory, make_folder
from convolens.images import ImageFacts, ImageLimits

_FORMAT = 2
_AT_ONCE = 500  # pictures in one question; SQLite allows 999 and more
_UNSETTLED_NS = 2 * 10**9  # the coarsest file system in use counts in steps of 2 seconds

_TABLE = """CREATE TABLE IF NOT EXISTS pictures (
    key BLOB PRIMARY KEY, class TEXT, stamp BLOB, crc32 INTEGER, verdict TEXT, reason TEXT,
    sha256 BLOB, format TEXT, height INTEGER, width INTEGER, channels INTEGER, frames INTEGER
) WITHOUT ROWID"""

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """By which a file is seen to be the same as before."""

    changed: int
    """Nanoseconds since 1970."""
    digest: bytes
    """16 bytes, of its size, its times and its number on the disk."""


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file.

    Size and time of change alone are equal where a file is replaced by another that has the same:
    its number (inode) tells, and the time at which the system itself last touched its entry.
    Windows has no such time: there, ``st_ctime`` is when the file was made.
    """
    touched = 0 if os.name == "nt" else status.st_ctime_ns
    figures = (status.st_size, status.st_mtime_ns, touched, status.st_ino)
    digest = hashlib.blake2b(repr(figures).encode(), digest_size=16).digest()
    return Stamp(changed=status.st_mtime_ns, digest=digest)


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


def picture_key(path: str, row: int | None = None, column: str | None = None) -> bytes:
    r"""By which a picture is known in the index of its data set.

    Args:
        path: its file, or the table that holds it, the same in every run.
        row: of the table.
        column: of the table: another one holds other pictures.

    >>> picture_key("pets.parquet", 17, "image")
    b'pets.parquet\x0017\x00image'
    """
    if row is None:
        return os.fsencode(path)
    return b"\0".join((os.fsencode(path), b"%d" % row, (column or "").encode("utf-8", "replace")))


def root_digest(root: Path) -> str:
    """A name for a folder or a table, the same however its path is written."""
    # A link to a table is a table of its own: the paths in it count from where the link lies.
    place = root.resolve() if root.is_dir() else root.parent.resolve() / root.name
    return hashlib.sha256(os.fsencode(place)).hexdigest()[:32]


class SurveyIndex:
    """The surveys of one data set.

    A damaged file is begun anew. One that cannot be used, because the disk is full or another
    process has it locked, is done without: then nothing is known and nothing is kept.

    Args:
        root: the folder or the table.
        limits: those the pictures are judged by; under others, other things are known.
        patience: seconds that are waited for while another process uses the file.
    """

    def __init__(self, root: Path, limits: ImageLimits, *, patience: float = 30.0) -> None:
        folder = make_folder(cache_directory() / "indexes")
        judged_by = json.dumps([_FORMAT, asdict(limits)], sort_keys=True)
        name = f"{root_digest(root)}-{hashlib.sha256(judged_by.encode()).hexdigest()[:16]}"
        self.path = folder / f"{name}.sqlite"
        self._patience = patience
        self._began = time.time_ns()
        self._connection = self._opened()

    def known(self, stamped: Iterable[tuple[bytes, Stamp]]) -> Iterator[Survey | None]:
        """For each key in turn what is known of it, or None when it must be looked at."""
        stream = iter(stamped)
        while chunk := list(islice(stream, _AT_ONCE)):
            rows = self._read([key for key, _ in chunk])
            for key, stamp in chunk:
                row = rows.get(key)
                yield _survey(row) if row is not None and _holds(key, stamp, row) else None

    def keep(self, found: Iterable[tuple[bytes, str, Stamp, Survey]]) -> None:
        """Remember surveys: key, class, stamp and what was found."""
        settled = [
            _row(key, label, stamp, survey)
            for key, label, stamp, survey in found
            if stamp.changed < self._began - _UNSETTLED_NS
        ]
        marks = ",".join("?" * (4 + len(_FIELDS)))

        def write(connection: sqlite3.Connection) -> bool:
            with connection:
                connection.executemany(
                    f"INSERT OR REPLACE INTO pictures VALUES ({marks})",  # noqa: S608 - marks
                    settled,
                )
            return True

        if not self._attempt(write, otherwise=False):
            self._attempt(write, otherwise=False)  # into a file that was begun anew

    def forget_surplus(self, n: int) -> None:
        """Begin anew when most of what is kept is of files that are gone."""

        def forget(connection: sqlite3.Connection) -> None:
            (kept,) = connection.execute("SELECT COUNT(*) FROM pictures").fetchone()
            if kept > 2 * n + 1000:
                with connection:
                    connection.execute("DELETE FROM pictures")

        self._attempt(forget, otherwise=None)

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, tuple[Any, ...]]:
        marks = ",".join("?" * len(keys))
        columns = ", ".join(("key", "stamp", "crc32", *_FIELDS))
        question = f"SELECT {columns} FROM pictures WHERE key IN ({marks})"  # noqa: S608 - likewise

        def read(connection: sqlite3.Connection) -> dict[bytes, tuple[Any, ...]]:
            with closing(connection.execute(question, keys)) as cursor:
                return {row[0]: row[1:] for row in cursor}

        return self._attempt(read, otherwise={})

    def _attempt(
        self, action: Callable[[sqlite3.Connection], _Found], *, otherwise: _Found
    ) -> _Found:
        """Do something with the file, and begin it anew, or give it up, where that fails."""
        if self._connection is None:
            return otherwise
        try:
            return action(self._connection)
        except sqlite3.DatabaseError as error:
            self.close()
            if _is_damaged(error):
                self._remove()
                self._connection = self._opened()
        return otherwise

    def _opened(self) -> sqlite3.Connection | None:
        for _ in range(2):
            try:
                return self._open()
            except sqlite3.DatabaseError as error:
                if not _is_damaged(error):
                    return None
                self._remove()
        return None

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=self._patience)
        try:
            # What is lost with the power can be found out again; the file itself stays whole.
            connection.execute("PRAGMA synchronous = NORMAL")
            with connection:
                connection.execute(_TABLE)
        except BaseException:
            connection.close()
            raise
        return connection

    def _remove(self) -> None:
        for path in (self.path, self.path.with_name(f"{self.path.name}-journal")):
            with suppress(OSError):
                path.unlink()


_FIELDS = ("verdict", "reason", "sha256", "format", "height", "width", "channels", "frames")


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    """Whether a file is not as it was written, rather than locked, full or out of reach."""
    if not isinstance(error, sqlite3.OperationalError):
        return True
    # Not even a code: what it holds is not what it was made to hold.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code == sqlite3.SQLITE_ERROR


def _row(key: bytes, label: str, stamp: Stamp, survey: Survey) -> tuple[Any, ...]:
    facts = (getattr(survey.facts, name) for name in _FIELDS[3:])
    columns = (survey.verdict, _text(survey.reason), survey.sha256, *facts)
    return key, _text(label), stamp.digest, _checksum(key, columns), *columns


def _holds(key: bytes, stamp: Stamp, row: tuple[Any, ...]) -> bool:
    """Whether a row is of this very file, and as it was written: SQLite itself does not check."""
    return row[0] == stamp.digest and row[1] == _checksum(key, row[2:])


def _checksum(key: bytes, columns: tuple[Any, ...]) -> int:
    return zlib.crc32(repr((key, columns)).encode())


def _survey(row: tuple[Any, ...]) -> Survey:
    verdict, reason, sha256, *facts = row[2:]
    head = ImageFacts(**dict(zip(_FIELDS[3:], facts, strict=True)))
    return Survey(verdict=verdict, reason=reason, sha256=sha256, facts=head)


def _text(value: str) -> str:
    """A name of a file need not be text that SQLite takes."""
    return value.encode("utf-8", "backslashreplace").decode()
