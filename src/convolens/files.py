"""Writing files so that none is ever half-written, and reading JSON with clear errors.

Everything is written beside its place under a temporary name, flushed to the disk and renamed: a
reader, or a crash, sees the old file or the new one and nothing between. A folder that takes the
place of an older one needs two renames; a crash exactly between them leaves both, whole, under
names that begin with a dot.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from convolens.errors import ConvolensError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without an error.

    Works for a file and, where ``path`` does not exist yet or is a folder, for a folder. The parent
    folder is made when missing. On an error the temporary one is removed and ``path`` is untouched.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "new" / "note.txt"
    >>> with replacing(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last: libraries choose the format by it.
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        _flush(temporary)
        _put_in_place(temporary, path)
        _flush_folder(path.parent)
    except BaseException:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            with suppress(FileNotFoundError):
                temporary.unlink()
        raise


def write_text(path: str | Path, text: str) -> None:
    """Write a text file whole, as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write a JSON file whole, indented; NaN and infinity are refused (JSON has neither)."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    if not _is_text(text):  # a file's name need not be: what is not becomes \udc80 to \udcff
        text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    write_text(path, text)


def read_json(path: str | Path, *, error: type[ConvolensError]) -> dict[str, Any]:
    """The object in a JSON file; anything else is an ``error`` that names the file."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise error(f"{path} does not exist") from None
    except (ValueError, UnicodeDecodeError) as reason:
        raise error(f"{path} is not valid JSON: {reason}") from None
    if not isinstance(value, dict):
        raise error(f"{path} holds a {type(value).__name__}, not a JSON object")
    return value


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's content, as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _flush(path: Path) -> None:
    files = [entry for entry in path.rglob("*") if entry.is_file()] if path.is_dir() else [path]
    for file in files:
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
    if path.is_dir():
        _flush_folder(path)


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":  # other systems cannot open a folder
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_in_place(temporary: Path, path: Path) -> None:
    if not (temporary.is_dir() and path.is_dir()):
        temporary.replace(path)
        return
    # A folder cannot be renamed over a full one: move the old one aside first, remove it last.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
    path.rename(aside)
    try:
        temporary.rename(path)
    except BaseException:
        aside.rename(path)
        raise
    shutil.rmtree(aside, ignore_errors=True)
