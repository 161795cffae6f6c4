"""One process a run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from convolens.errors import ConfigError

LOCK = "run.lock"


@contextmanager
def lock_run(folder: Path) -> Iterator[None]:
    """Keep other processes out of a run folder while the block runs.

    The lock is the operating system's and ends with the process, however that ends: only the empty
    file stays behind, and means nothing.

    Raises:
        ConfigError: another process has it.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ConfigError(
            f"{folder} is in use by another process; wait until it has ended, or name another "
            "folder with --run"
        ) from None
    try:
        yield
    finally:
        lock.release()
