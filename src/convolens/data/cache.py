"""The cache directory: what can be made again at any time, kept within a bound."""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from convolens.errors import ConfigError, DataError

GIGABYTE = 10**9
_DEFAULT_LIMIT = 50.0


def cache_directory() -> Path:
    """Where prepared pictures are kept: ``CONVOLENS_CACHE`` if set, else the user's cache folder.

    Everything in it can be removed at any time; it is then made again when needed.
    """
    chosen = os.environ.get("CONVOLENS_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("convolens")) / "prepared"


def cache_limit() -> int:
    """Bytes that prepared pictures may take on disk in all.

    ``CONVOLENS_CACHE_GB`` in gigabytes, 50 if it is not set.

    Raises:
        ConfigError: the variable is not a number above 0.
    """
    return gigabytes(
        "CONVOLENS_CACHE_GB", os.environ.get("CONVOLENS_CACHE_GB", str(_DEFAULT_LIMIT))
    )


def gigabytes(name: str, text: str) -> int:
    """An environment variable in gigabytes, as bytes.

    Raises:
        ConfigError: it is not a number above 0.

    >>> gigabytes("CONVOLENS_CACHE_GB", "0.5")
    500000000
    """
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not 0 < limit < float("inf"):
        raise ConfigError(f"{name} is {text!r}; allowed: gigabytes, a number above 0")
    return int(limit * GIGABYTE)


def make_folder(folder: Path) -> Path:
    """Make a folder of the cache, or say what to do when it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "it cannot be written to")
    except OSError as error:
        raise DataError(
            f"{folder}: the cache cannot be used ({error.strerror or error}); set CONVOLENS_CACHE "
            "to a folder that can be written to"
        ) from None
    return folder


def make_room(folder: Path, n_bytes: int) -> None:
    """Remove the entries of a folder that were used longest ago until there is room for another.

    An entry that another process has mapped stays readable to it, where the system allows its
    removal at all.

    Args:
        folder: holds one folder an entry.
        n_bytes: size of the entry to come.

    Raises:
        DataError: it is larger than the limit, or than what is left on the disk.
    """
    limit = cache_limit()
    if n_bytes > limit:
        raise DataError(
            f"the prepared pictures take {_gigabytes(n_bytes)} and the cache may hold "
            f"{_gigabytes(limit)}: choose a smaller size, or raise CONVOLENS_CACHE_GB"
        )
    everything = [entry for entry in folder.iterdir() if entry.is_dir()]
    # What another process is writing at the moment counts, but is not for this one to remove.
    entries = [entry for entry in everything if not entry.name.startswith(".")]
    taken = sum(map(_size, everything))
    for entry in sorted(entries, key=last_used):
        if taken + n_bytes <= limit and _free(folder) >= n_bytes:
            break
        taken -= _size(entry)
        shutil.rmtree(entry, ignore_errors=True)
    if _free(folder) < n_bytes:
        raise DataError(
            f"the prepared pictures take {_gigabytes(n_bytes)}, and {folder} has only "
            f"{_gigabytes(_free(folder))} left: choose a smaller size, make room, or set "
            "CONVOLENS_CACHE to a folder on another disk"
        )


def mark_used(entry: Path) -> None:
    """Remember that an entry was used now."""
    with suppress(OSError):
        now = time.time()
        os.utime(entry, (now, now))


def remove_abandoned(folder: Path, *, older_than: float = 86_400.0) -> None:
    """Remove the temporary folders of processes that were killed while they wrote.

    Args:
        folder: where they lie.
        older_than: seconds since anything in one was written. A folder's own time stands still
            while its files are filled.
    """
    for entry in folder.glob(".*"):
        with suppress(OSError):
            written = max(path.stat().st_mtime for path in (entry, *entry.iterdir()))
            if time.time() - written > older_than:
                shutil.rmtree(entry, ignore_errors=True)


def last_used(entry: Path) -> float:
    """When :func:`mark_used` was last called for it; 0 if it is gone."""
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0


def _size(entry: Path) -> int:
    """Bytes of an entry, which another process may remove meanwhile."""
    total = 0
    with suppress(OSError):
        for file in entry.iterdir():
            with suppress(OSError):
                total += file.stat().st_size
    return total


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _gigabytes(n_bytes: int) -> str:
    return f"{n_bytes / GIGABYTE:,.1f} GB"
