"""The folder of an experiment: whose it is, what it holds, and going on with it."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from convolens.errors import ConfigError
from convolens.files import read_json, write_json
from convolens.training.run import make_run_folder

FORMAT_VERSION = 1
_LOCK = ".lock"
SHARED = ".shared"


@dataclass(eq=False, kw_only=True)
class ExperimentFolder:
    """A folder that this process alone writes to, with its record."""

    path: Path
    """The folder."""
    name: str
    """Of the record's file, such as ``cv.json``."""
    record: dict[str, Any] = field(default_factory=dict[str, Any])
    """What was last written; empty before the first time."""

    def write(self, **changes: Any) -> None:
        """Change some entries of the record and write it whole."""
        self.record |= changes
        now = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(self.path / self.name, {**self.record, "written": now})

    def begin(self, settings: Mapping[str, Any], fingerprint: str, **first: Any) -> None:
        """Take up what the folder holds, or begin its record.

        Args:
            settings: everything that decides the result, as plain JSON types.
            fingerprint: of the data.
            **first: further entries of a new record.

        Raises:
            ConfigError: the folder belongs to other data or other settings.
        """
        if not self.record:
            self.write(
                format_version=FORMAT_VERSION,
                settings=dict(settings),
                fingerprint=fingerprint,
                status="running",
                **first,
            )
            return
        file = self.path / self.name
        if self.record.get("format_version") != FORMAT_VERSION:
            raise ConfigError(
                f"{file} has format version {self.record.get('format_version')!r}; this version "
                f"of Convolens goes on with {FORMAT_VERSION} only"
            )
        if self.record.get("fingerprint") != fingerprint:
            raise ConfigError(
                f"{file} is about other data: {_data_name(self.record)} as it was then; name "
                "another folder, or the data set that it began with"
            )
        _refuse_contradiction(file, self.record.get("settings", {}), settings)
        self.write(status="running")

    @contextmanager
    def status_of_failure(self) -> Iterator[None]:
        """Whatever ends the block early is written to the record before it goes on its way.

        Raises:
            InterruptedExperiment: in place of Ctrl-C.
        """
        try:
            yield
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            with suppress(OSError):  # on a full disk, what went wrong first is what must be said
                self.write(status="interrupted" if interrupted else "failed")
            if interrupted:
                raise InterruptedExperiment(self.path) from error
            raise


class InterruptedExperiment(KeyboardInterrupt):
    """Ctrl-C outside every run, such as while all are summed up; knows what to go on with.

    Args:
        path: the experiment's folder.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


@contextmanager
def open_folder(
    path: str | Path | None, name: str, *, kind: str, data: str, resume: bool
) -> Iterator[ExperimentFolder]:
    """Make the folder of a new experiment, or open that of one that was begun.

    Args:
        path: where; by default ``runs/<data>-<kind>-<n>`` with the next free n.
        name: of its record's file.
        kind: a word for the default name.
        data: name of the data set.
        resume: whether there has to be one that was begun.

    Yields:
        The folder, which no other process can open at the same time.

    Raises:
        ConfigError: something else is at ``path``, another process is at work there, or there is
            nothing to go on with.
    """
    if resume and (path is None or not (Path(path) / name).is_file()):
        where = "no folder is named" if path is None else f"{path} has no {name}"
        raise ConfigError(f"there is nothing to go on with: {where}; leave resume out to begin")
    folder = _claim(Path(path), name) if path is not None else None
    if folder is None:
        folder = make_run_folder(None, data=data, recipe=kind)
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ConfigError(
            f"{folder} is in use by another process; wait for it, or name another folder"
        ) from None
    try:
        known = record_at(folder, name)
        shutil.rmtree(folder / SHARED, ignore_errors=True)  # of a process that was killed
        yield ExperimentFolder(path=folder, name=name, record=known)
    finally:
        shutil.rmtree(folder / SHARED, ignore_errors=True)
        lock.release()


def record_at(path: str | Path | None, name: str) -> dict[str, Any]:
    """The record of an experiment that was begun at a path; empty where there is none.

    Raises:
        ConfigError: it is damaged.
    """
    file = None if path is None else Path(path) / name
    return read_json(file, error=ConfigError) if file is not None and file.is_file() else {}


def _claim(folder: Path, name: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # What begins with a dot was left by a process that was killed before its first record.
        occupied = any(not entry.name.startswith(".") for entry in folder.iterdir())
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(f"{folder} is a file; an experiment needs a folder of its own") from None
    except OSError as error:
        raise ConfigError(
            f"{folder}: nothing can be written there ({error.strerror or error}); name another "
            "folder"
        ) from None
    if occupied and not (folder / name).is_file():
        raise ConfigError(
            f"{folder} is not empty and has no {name} to go on with; name another folder, or none"
        )
    return folder


def _refuse_contradiction(file: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    # As JSON, since the old ones come from there: a tuple and a list are the same.
    new = json.loads(json.dumps(new))
    for key in new:
        if old.get(key) != new[key]:
            then, now = _difference(old.get(key), new[key])
            raise ConfigError(
                f"{file} was begun with {key} {then} and not {now}; use the same settings to go "
                "on, or name another folder"
            )


def _difference(old: Any, new: Any) -> tuple[str, str]:
    """Two values in words; of two mappings only what differs."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        pairs = [_difference(old.get(key), new.get(key)) for key in keys[:3]]
        sides = zip(*pairs, strict=True)
        then, now = (
            ", ".join(f"{key} {value}" for key, value in zip(keys, side, strict=False))
            for side in sides
        )
        return then, now
    return json.dumps(old), json.dumps(new)


def _data_name(record: Mapping[str, Any]) -> str:
    return str(record.get("data", {}).get("source", "another data set"))
