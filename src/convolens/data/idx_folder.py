"""A data set as a folder of IDX files, named as MNIST names them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.data.catalogue import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from convolens.data.datasets import Split
from convolens.data.idx import read_idx
from convolens.data.pool import Pool
from convolens.errors import DataError

_NAMES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

_CLASSES = "classes.txt"


def find_idx_file(folder: Path, name: str) -> Path | None:
    """The file of an official name, packed (``.gz``) or not; None where there is neither."""
    candidates = (folder / f"{name}.gz", folder / name)
    return next((path for path in candidates if path.is_file()), None)


def find_idx_files(folder: Path) -> dict[str, Path]:
    """The official names for which a folder has a file."""
    return {name: path for name in _NAMES if (path := find_idx_file(folder, name))}


def idx_pool(files: Mapping[str, Path], folder: Path | None) -> Pool:
    """The pictures of IDX files as a pool.

    Args:
        files: official name (without ``.gz``) to path.
        folder: where ``classes.txt`` may lie, and what names the data set; None for a known set.

    Raises:
        DataError: as for :func:`read_splits` and :func:`read_class_names`.
    """
    source = str(folder or "")
    train, test = read_splits(files, source)
    parts = [train] if test is None else [train, test]
    labels = np.concatenate([part.labels for part in parts])
    names = (
        read_class_names(folder, int(labels.max()))
        if folder
        else tuple(str(label) for label in range(int(labels.max()) + 1))
    )
    return Pool(
        name=folder.resolve().name if folder else "",
        source=source,
        images=np.concatenate([np.asarray(part.images) for part in parts]),
        labels=labels,
        class_names=names,
        given=np.repeat([0, 2][: len(parts)], [len(part) for part in parts]),
        last_is_fair=True,
    )


def read_splits(files: Mapping[str, Path], source: str) -> tuple[Split, Split | None]:
    """Read the training part and, where there is one, the test part.

    Args:
        files: official name (without ``.gz``) to path.
        source: what to call the data set in a message.

    Returns:
        Both parts; pictures are (n, height, width, 1).

    Raises:
        DataError: a file is missing, damaged or of another kind, or its counts do not agree.
    """
    missing = [name for name in (TRAIN_IMAGES, TRAIN_LABELS) if name not in files]
    if (TEST_IMAGES in files) != (TEST_LABELS in files):
        missing += [name for name in (TEST_IMAGES, TEST_LABELS) if name not in files]
    if missing:
        raise DataError(f"{source}: missing {' and '.join(missing)} (with or without .gz)")
    train = _read_split(files[TRAIN_IMAGES], files[TRAIN_LABELS])
    if TEST_IMAGES not in files:
        return train, None
    return train, _read_split(files[TEST_IMAGES], files[TEST_LABELS])


def read_class_names(folder: Path, largest_label: int) -> tuple[str, ...]:
    """Class names from ``classes.txt``, one a line by label; "0", "1", ... where there is none.

    Raises:
        DataError: the file is not text, has an empty line between others, or too few lines.
    """
    path = folder / _CLASSES
    if not path.is_file():
        return tuple(str(label) for label in range(largest_label + 1))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as reason:
        raise DataError(f"{path}: cannot be read as UTF-8 text: {reason}") from None
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if not all(names) or len(set(names)) < len(names) or len(names) <= largest_label:
        raise DataError(
            f"{path}: has {len(names)} lines for labels 0 to {largest_label}; allowed: one name a "
            "line for each label, distinct, none empty"
        )
    return names


def _read_split(images_path: Path, labels_path: Path) -> Split:
    images = _read_bytes(images_path, 3, "images (n, height, width)")
    labels = _read_bytes(labels_path, 1, "labels (n,)")
    if len(images) != len(labels):
        raise DataError(
            f"{images_path} holds {len(images):,} images but {labels_path.name} {len(labels):,} "
            "labels; the counts must agree"
        )
    return Split(images[:, :, :, np.newaxis], labels.astype(np.int64))


def _read_bytes(path: Path, axes: int, wanted: str) -> NDArray[Any]:
    values = read_idx(path)
    if values.ndim != axes or values.dtype != np.uint8:
        raise DataError(
            f"{path}: holds {values.dtype} values of shape {values.shape}; allowed: {wanted}, uint8"
        )
    return values
