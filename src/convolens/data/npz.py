"""A data set as an ``.npz`` file: NumPy's archive of named arrays. Nothing in it is unpickled."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convolens.config import check_whole
from convolens.data.arrays import pool_from_arrays
from convolens.data.npz_archive import Archive, shown
from convolens.data.pool import Pool
from convolens.errors import ConfigError, DataError

MAX_BYTES = 8 * 2**30
"""Of all arrays that are read from one file, unpacked: 57,000 RGB pictures of 224 x 224 pixels.
A few kilobytes of a crafted file can promise, and deliver, terabytes."""

_SPLITS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_ROLES = {
    "x": "images", "images": "images", "image": "images", "data": "images",
    "y": "labels", "labels": "labels", "label": "labels", "targets": "labels", "target": "labels",
    "groups": "groups", "group": "groups",
}  # fmt: skip
_CLASSES = ("class_names", "label_names", "target_names", "classes")

_WORDS = (
    re.compile(f"(?:(?P<split>{'|'.join(_SPLITS)})[ _.-]?)?(?P<role>{'|'.join(_ROLES)})"),
    re.compile(f"(?P<role>{'|'.join(_ROLES)})[ _.-]?(?P<split>{'|'.join(_SPLITS)})"),
)


def read_npz(
    path: str | Path,
    *,
    images: str | None = None,
    labels: str | None = None,
    max_bytes: int = MAX_BYTES,
    class_names: Sequence[str] | None = None,
    **options: Any,
) -> Pool:
    """Read an ``.npz`` file, such as ``numpy.savez`` and MedMNIST write it.

    Arrays are found by the usual names, whatever their case: ``x_train`` and ``y_train``,
    ``train_images`` and ``train_labels``, likewise for ``val``, ``valid`` or ``validation`` and
    ``test``; or one undivided pair, ``images`` and ``labels``, ``x`` and ``y``, ``data`` and
    ``target`` and the like, or ``arr_0`` and ``arr_1``. ``groups`` or ``train_groups``, and
    ``class_names`` or ``label_names``, are used where they are there.

    Args:
        path: the file.
        images: name of the array of pictures, instead; then there is one undivided pair.
        labels: name of the array of labels, likewise.
        max_bytes: size of the arrays that are read, together, at most.
        class_names: names by label, instead of the file's.
        **options: ``shape``, ``channels_first``, ``value_range``, ``size``, ``channels`` and
            ``fit``, as for :func:`~convolens.data.arrays.pool_from_arrays`.

    Returns:
        The pool. Pictures are called ``train[17]``, or ``[17]`` in an undivided set.

    Raises:
        DataError: the file is missing, no ``.npz`` file, truncated, damaged or encrypted, holds
            Python objects or more than ``max_bytes`` where arrays are wanted, or it does not say
            which arrays are meant.
        ConfigError: an option that is not allowed.

    >>> import tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "shapes.npz"
    >>> np.savez(file, x_train=np.zeros((4, 8, 8), np.uint8), y_train=[0, 1, 0, 1])
    >>> pool = read_npz(file)
    >>> pool.name, pool.images.shape, pool.labels.tolist(), pool.names[3]
    ('shapes', (4, 8, 8, 1), [0, 1, 0, 1], 'train[3]')
    """
    path = Path(path)
    check_whole("max_bytes", max_bytes, 1, 2**63 - 1)
    if (images is None) != (labels is None):
        raise ConfigError("name images= and labels= together, or neither of them")
    with Archive(path, max_bytes) as archive:
        if images is None or labels is None:
            wanted = _find(archive)
        else:
            wanted: _Keys = {None: {"images": images, "labels": labels}}
        read = {
            split: {role: archive.read(key) for role, key in keys.items()}
            for split, keys in wanted.items()
        }
        class_names = class_names if class_names is not None else _class_names(archive, wanted)
    groups = {split: arrays["groups"] for split, arrays in read.items() if "groups" in arrays}
    try:
        return pool_from_arrays(
            {split: (arrays["images"], arrays["labels"]) for split, arrays in read.items()},
            name=path.stem,
            source=str(path),
            class_names=class_names,
            groups=groups or None,
            **options,
        )
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


_Keys = dict[str | None, dict[str, str]]


def _find(archive: Archive) -> _Keys:
    """Which arrays are the pictures and labels of which part."""
    found: _Keys = {}
    for key in archive.members:
        split, role = _meaning(key)
        if role is not None:
            keys = found.setdefault(split, {})
            if role in keys:
                both = f"{shown(keys[role])} and {shown(key)}"
                raise _unclear(archive, f"{both} are both {role}")
            keys[role] = key
    if {"arr_0", "arr_1"} == {key for key in archive.members if key.startswith("arr_")}:
        found = found or {None: {"images": "arr_0", "labels": "arr_1"}}
    if not found:
        raise _unclear(archive, "no arrays of the usual names, such as x_train and y_train")
    if None in found and len(found) > 1:
        raise _unclear(archive, "there are a divided and an undivided set")
    for keys in found.values():
        for role in ("images", "labels"):
            if role not in keys:
                raise _unclear(archive, f"{shown(next(iter(keys.values())))} has no {role}")
    return found


def _meaning(key: str) -> tuple[str | None, str | None]:
    for words in _WORDS:
        match = words.fullmatch(key.lower())
        if match:
            split = match["split"]
            return split and _SPLITS[split], _ROLES[match["role"]]
    return None, None


def _unclear(archive: Archive, reason: str) -> DataError:
    return DataError(
        f"{archive.path}: {reason}; name one pair by images= and labels=. There are: "
        f"{archive.described()}"
    )


def _class_names(archive: Archive, wanted: _Keys) -> Sequence[str] | None:
    used = {key for keys in wanted.values() for key in keys.values()}
    found = [
        key
        for key, member in archive.members.items()
        if key.lower() in _CLASSES and member.dtype.kind in "USO" and key not in used
    ]
    if len(found) > 1:
        raise _unclear(archive, f"{' and '.join(map(shown, found))} are both names of classes")
    if not found:
        return None
    names = archive.read(found[0]).ravel().tolist()
    return [name.decode(errors="replace") if isinstance(name, bytes) else name for name in names]
