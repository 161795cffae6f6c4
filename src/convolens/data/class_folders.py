"""A folder of pictures in class folders, with or without train, validation and test.

No picture is opened here: what its content is comes later. Every file gets one answer, an entry or
a problem.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from convolens.data.classes import case_twins, natural_key, natural_sorted
from convolens.data.folder_tree import (
    IMAGE_SUFFIXES,
    OTHER_FORMATS,
    FolderTree,
    has_image_suffix,
    is_housekeeping,
    join,
    suffix_of,
    walk_folder,
)
from convolens.data.listing import SPLIT_NAMES, Entry, Listing
from convolens.data.problems import Problem
from convolens.errors import DataError
from convolens.images.signatures import format_begun

_SYNONYMS = {
    "train": "train|training",
    "validation": "val|valid|validation|dev|development",
    # "eval" beside "dev" is the part to be tested on; Hugging Face's readers take it so as well.
    "test": "test|testing|eval|evaluation|heldout|holdout",
}
_SPLIT_PATTERNS = {
    split: re.compile(f"(?:{words})(?:set|data|images|split)?[0-9]*")
    for split, words in _SYNONYMS.items()
}

_ALLOWED = "allowed: FOLDER/<class>/picture.jpg or FOLDER/{train,val,test}/<class>/picture.jpg"
# The split and the class that a folder belongs to; None for one above or beside the classes.
_Place = tuple[str | None, str] | None


def split_of(name: str) -> str | None:
    """The split that a folder's name, or a value of a table's split column, stands for.

    Known, in any case and with any of ``-_.`` and spaces inside: train, training; val, valid,
    validation, dev, development; test, testing, eval, evaluation, held out, holdout. "set", "data",
    "images" or "split" may follow, and then a number: ``Training-Set``, ``val2017``.

    Returns:
        "train", "validation", "test", or None for any other name.

    >>> [split_of(name) for name in ("Valid", "held_out", "train2017", "trains")]
    ['validation', 'test', 'train', None]
    """
    word = re.sub(r"[\s_.-]+", "", name.casefold())
    return next((s for s, pattern in _SPLIT_PATTERNS.items() if pattern.fullmatch(word)), None)


def list_class_folders(root: Path) -> Listing:
    """List ``root/<class>/…``, or ``root/{train,val,test}/<class>/…``, without opening a picture.

    A class is called as the first folder below the root, or below the split; folders further down
    belong to it. A set is divided where folders named as splits (:func:`split_of`) have folders
    with pictures below them, and either no other folder beside them has pictures, or there are two
    such splits. Links are followed (:func:`~convolens.data.folder_tree.walk_folder`).

    Hidden and system files are skipped as "other_file", and so are those whose suffix promises no
    picture, unless they lie in a class and begin as a picture does. A file without a suffix is
    taken for a picture where it lies in a class. A folder
    that cannot be opened is "unreadable", with ``skipped`` False: it is no file.

    Args:
        root: the folder; only read, never written to.

    Returns:
        Entries by split, class, folder and name, each in natural order, their names the paths from
        ``root`` with "/". The class names are those of all splits, in natural order.

    Raises:
        DataError: there is no such folder, it cannot be read, has no class folder with a picture,
            has splits without class folders, or holds all its pictures one level further down.

    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("train/cat/1.jpg", "train/dog/1.jpg", "Valid/cat/old/2.jpg"):
    ...     (root / name).parent.mkdir(parents=True)
    ...     (root / name).touch()
    >>> [(entry.name, entry.label, entry.split) for entry in list_class_folders(root).entries][1:]
    [('train/dog/1.jpg', 'dog', 'train'), ('Valid/cat/old/2.jpg', 'cat', 'validation')]
    """
    root = Path(root)
    tree = walk_folder(root)
    found = _picture_folders(tree)
    divided = _is_divided(root, found)
    places = {folder: _place(folder, divided) for folder in tree.files}
    entries: list[Entry] = []
    problems = [*tree.problems, *_buried_splits(found, divided), *_split_as_class(found, divided)]
    for folder, place in sorted(places.items(), key=_folder_order):
        hidden = is_housekeeping(folder)
        for name in sorted(tree.files[folder], key=natural_key):
            path = join(folder, name)
            fault = _fault(name, tree.odd.get(path), hidden=hidden, in_class=place is not None)
            if fault is not None and place is not None and _is_picture(root / path, fault[0]):
                fault = None
            if fault is not None:
                problems.append(Problem(kind=fault[0], path=path, reason=fault[1], skipped=True))
            elif place is not None:
                entries.append(Entry(name=path, label=place[1], split=place[0]))
    if not entries:
        raise DataError(f"{root}: {_nothing_found(tree)}; {_ALLOWED}")
    used = {(entry.split, entry.label) for entry in entries}
    class_names = natural_sorted({label for _, label in used})
    problems += _empty_classes(places, used, divided)
    return Listing(
        name=root.resolve().name or str(root),
        root=root,
        entries=entries,
        problems=[*problems, *case_twins(class_names)],
        class_names=class_names,
    )


def _picture_folders(tree: FolderTree) -> dict[str, set[str]]:
    """Each folder of the first level with pictures in or below it, to the folders in it that have.

    "" stands for pictures in the folder itself. Where no name promises a picture, files without a
    suffix count; otherwise a LICENSE in a folder of documents would make it a class or a split.
    """
    for wanted in (IMAGE_SUFFIXES, {""}):
        found: dict[str, set[str]] = {}
        for folder, names in tree.files.items():
            if not folder or is_housekeeping(folder):
                continue
            if any(suffix_of(name) in wanted and not is_housekeeping(name) for name in names):
                top, _, rest = folder.partition("/")
                found.setdefault(top, set()).add(rest.partition("/")[0])
        if found:
            return found
    return {}


def _is_divided(root: Path, found: dict[str, set[str]]) -> bool:
    nested = [top for top, below in found.items() if below != {""}]
    splits = {split_of(top) for top in nested} - {None}
    if len(splits) >= 2:
        return True
    tops = ", ".join(natural_sorted(found))
    if found and all(map(split_of, found)):
        if splits:
            return True
        raise DataError(
            f"{root}: pictures lie in {tops} without class folders; {_ALLOWED}, or a CSV table of "
            "paths and labels"
        )
    if len(found) == 1 and len(found[tops]) > 1 and "" not in found[tops]:
        raise DataError(
            f"{root}: all pictures lie in {tops!r}, in {len(found[tops])} folders; if those are "
            f"the classes or the splits, use {root / tops}"
        )
    return False


def _buried_splits(found: dict[str, set[str]], divided: bool) -> Iterator[Problem]:
    """A word on ``<class>/train``: taken for granted, the user's test part would be trained on."""
    below = {name for names in found.values() for name in names if split_of(name)}
    if not divided and len({split_of(name) for name in below}) >= 2:
        reason = (
            f"the folders {', '.join(natural_sorted(below))} inside classes are not taken for "
            "splits; splits come first, as in train/<class>"
        )
        yield Problem(kind="missing_split", path="train", reason=reason, skipped=False)


def _split_as_class(found: dict[str, set[str]], divided: bool) -> Iterator[Problem]:
    """A word on a class that is called like a split: a stray folder beside it may be the reason."""
    called = [name for name in found if not divided and split_of(name)]
    for name in natural_sorted(called):
        others = ", ".join(other for other in natural_sorted(found) if other not in called)
        reason = f"the folder {name} is taken for a class because of those beside it: {others}"
        yield Problem(kind="split_as_class", path=name, reason=reason[:300], skipped=False)


def _place(folder: str, divided: bool) -> _Place:
    parts = folder.split("/")
    if not folder or is_housekeeping(folder):
        return None
    if not divided:
        return None, parts[0]
    split = split_of(parts[0])
    return (split, parts[1]) if split is not None and len(parts) > 1 else None


def _folder_order(item: tuple[str, _Place]) -> tuple[int, tuple[str, str], tuple[str, str]]:
    folder, place = item
    if place is None:
        return -1, ("", ""), natural_key(folder)
    rank = 0 if place[0] is None else SPLIT_NAMES.index(place[0])
    return rank, natural_key(place[1]), natural_key(folder)


def _fault(
    name: str, odd: tuple[str, str] | None, *, hidden: bool, in_class: bool
) -> tuple[str, str] | None:
    """Why a file is skipped, as the kind and the reason of the problem; None where it is not."""
    suffix = suffix_of(name)
    if hidden or is_housekeeping(name):
        return "other_file", "hidden, or one of the system's own files"
    if odd is not None and odd[0] == "not_an_image":
        return odd
    if suffix in OTHER_FORMATS and in_class:
        return "other_format", f"a picture in the format {'.' + suffix!r}, which is not read"
    if suffix and suffix not in IMAGE_SUFFIXES:
        return (
            "other_file",
            f"its suffix {'.' + suffix!r} is not that of a picture that can be read",
        )
    if odd is not None or in_class:
        return odd
    if not suffix:
        return "other_file", "no suffix, and it lies in no class's folder"
    return "outside_classes", "a picture that lies in no class's folder"


def _is_picture(path: Path, kind: str) -> bool:
    """Whether a file begins as a picture does, for one whose name says otherwise."""
    if kind not in ("other_file", "other_format") or is_housekeeping(path.name):
        return False
    try:
        with path.open("rb") as file:
            return format_begun(file.read(16)) is not None
    except OSError:
        return False


def _empty_classes(
    places: dict[str, _Place], used: set[tuple[str | None, str]], divided: bool
) -> Iterator[Problem]:
    depth = 1 if divided else 0
    for folder, place in sorted(places.items(), key=_folder_order):
        if place is not None and place not in used and folder.count("/") == depth:
            reason = f"the folder of class {place[1]!r} has no picture"
            yield Problem(kind="empty_class", path=folder, reason=reason, skipped=False)


def _nothing_found(tree: FolderTree) -> str:
    n_files = sum(map(len, tree.files.values()))
    n_pictures = sum(map(has_image_suffix, tree.files[""]))
    found = f"no pictures among {n_files:,} files" if n_files else "no files"
    if n_pictures:
        found = f"{n_pictures:,} pictures but no class folders"
    closed = sum(problem.kind == "unreadable" for problem in tree.problems)
    return f"{found}, and {closed:,} folders that cannot be opened" if closed else found
