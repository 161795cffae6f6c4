"""Walking a folder once: which files lie where, however deep and however linked.

Nothing is opened but folders: names, kinds of file and links are all that is looked at.
"""

import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from convolens.data.classes import natural_key
from convolens.data.problems import Problem
from convolens.errors import DataError

_JPEG = {"jpg", "jpeg", "jpe", "jfif"}
_PNM = {"pbm", "pgm", "ppm", "pnm", "pfm"}
IMAGE_SUFFIXES = frozenset(
    _JPEG | _PNM | {"png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff"}
)
"""Suffixes of file names, in lower case and without the dot, that promise a picture."""

OTHER_FORMATS = frozenset(
    {"heic", "heif", "hif", "avif", "jxl", "jp2", "j2k", "svg", "psd", "tga", "ico", "pcx", "eps"}
    | {"dng", "cr2", "cr3", "nef", "arw", "raf", "orf", "rw2"}
)
"""Suffixes of pictures that are not read: those of telephones, drawing programs and raw cameras."""

# What operating systems, network drives and archives leave behind; some of it has picture names.
_SYSTEM_FOLDERS = {"__macosx", "@eadir", "$recycle.bin", "system volume information"}
_SYSTEM_NAMES = _SYSTEM_FOLDERS | {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}


@dataclass(frozen=True)
class FolderTree:
    """What lies below a root; paths count from there, with "/" between their parts."""

    files: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Folder to the names in it that are no folders, in no order; "" is the root. A folder that
    cannot be opened, or is read under another path, is not here."""
    odd: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Path of what is no ordinary file to the kind and the reason of its problem."""
    problems: list[Problem] = field(default_factory=list[Problem])
    """What is wrong with folders; none of these counts as a file."""


def suffix_of(name: str) -> str:
    """What follows the last dot of a file's name, in lower case; empty where nothing does.

    >>> suffix_of("a.b.JPG"), suffix_of(".jpg"), suffix_of("readme")
    ('jpg', '', '')
    """
    stem, _, suffix = name.rpartition(".")
    return suffix.lower() if stem else ""


def has_image_suffix(name: str) -> bool:
    """Whether a file's name promises a picture.

    >>> has_image_suffix("cat.JPG"), has_image_suffix("jpg"), has_image_suffix("cat.txt")
    (True, False, False)
    """
    return suffix_of(name) in IMAGE_SUFFIXES


def is_housekeeping(path: str) -> bool:
    """Whether a path is hidden, the system's own (``Thumbs.db``), or in a folder that is.

    >>> is_housekeeping("cat/1.jpg"), is_housekeeping("__MACOSX/cat/1.jpg")
    (False, True)
    """
    return any(part.startswith(".") or part.casefold() in _SYSTEM_NAMES for part in path.split("/"))


def join(folder: str, name: str) -> str:
    """The path of a name in a folder; "" is the root."""
    return f"{folder}/{name}" if folder else name


def walk_folder(root: Path) -> FolderTree:
    """Find all files below a folder, following links to files and to folders.

    A folder that is reached twice, or that contains the root, is read once and is a problem of kind
    "link_loop" the second time. Ordinary folders are read before links to folders, and those before
    hidden ones, so that pictures appear under the plainest of several paths. A folder that cannot
    be opened is "unreadable". Links inside hidden folders are not followed.

    Args:
        root: the folder.

    Raises:
        DataError: ``root`` is no folder, or cannot be opened.

    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> (root / "cat").mkdir()
    >>> (root / "cat" / "up").symlink_to("..")
    >>> walk_folder(root).problems[0].path
    'cat/up'
    """
    # A queue instead of recursion: folders may be nested deeper than Python calls can be.
    walk = _Walk(root)
    try:
        known = {_identity(parent) for parent in root.resolve().parents}
        is_folder = root.is_dir()
    except OSError as error:
        raise DataError(f"{root} cannot be opened: {error.strerror or error}") from None
    if not is_folder:
        raise DataError(f"{root} is no folder; allowed: a folder of pictures in class folders")
    while (folder := walk.next_folder()) is not None:
        try:
            identity = _identity(root / folder)
            if identity not in known:
                known.add(identity)
                walk.read(folder)
            else:
                walk.note(
                    "link_loop", folder, "a folder that is read already, or holds the data set"
                )
        except OSError as error:
            reason = f"the folder cannot be opened: {error.strerror or error}"
            if not folder:
                raise DataError(f"{root}: {reason}; allow reading it") from None
            walk.note("unreadable", folder, reason)
    return walk.tree


class _Walk:
    """A walk under way: what was found, and the folders that are still to be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = FolderTree()
        self._folders = deque([""])
        self._links: list[str] = []
        self._hidden: list[str] = []

    def next_folder(self) -> str | None:
        if not self._folders:
            later = self._links or self._hidden
            self._folders.extend(sorted(later, key=natural_key))
            later.clear()
        return self._folders.popleft() if self._folders else None

    def note(self, kind: str, folder: str, reason: str) -> None:
        self.tree.problems.append(Problem(kind=kind, path=folder, reason=reason, skipped=False))

    def read(self, folder: str) -> None:
        folders: list[str] = []
        with os.scandir(self.root / folder) as items:
            names = self.tree.files[folder] = []
            for item in items:
                path = join(folder, item.name)
                try:
                    if item.is_dir():
                        self._enter(path, folders, linked=item.is_symlink())
                        continue
                    if not item.is_file():
                        self.tree.odd[path] = _oddity(item)
                except OSError as error:
                    self.tree.odd[path] = _broken_link(error)
                names.append(item.name)
        self._folders.extend(sorted(folders, key=natural_key))

    def _enter(self, path: str, folders: list[str], *, linked: bool) -> None:
        if not is_housekeeping(path):
            (self._links if linked else folders).append(path)
        elif not linked:
            self._hidden.append(path)
        else:
            self.note("other_file", path, "a hidden link to a folder; it is not followed")


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _oddity(item: "os.DirEntry[str]") -> tuple[str, str]:
    if item.is_symlink() and not Path(item.path).exists():
        return "missing_file", "a link to a file that does not exist"
    return "not_an_image", "a device, a socket or a pipe, not a file"


def _broken_link(error: OSError) -> tuple[str, str]:
    kind = "unreadable" if isinstance(error, PermissionError) else "missing_file"
    return kind, f"a link that leads to no file: {error.strerror or error}"
