"""What a data set is here: pictures with labels in up to three splits, checked where made."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from convolens.data.numbers import Numbers
from convolens.data.problems import Problem
from convolens.data.stored import Images, StoredImages, image_chunks, select
from convolens.errors import DataError


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Pictures and their labels.

    Raises:
        DataError: a wrong type, shape or memory layout, no pictures, counts that differ, or a
            negative label.

    >>> Split(np.zeros((2, 8, 8, 1), np.uint8), np.array([0, 3]))
    Split(n=2, shape=(8, 8, 1))
    """

    images: Images
    """(n, height, width, channels), 0..255, n at least 1: a C-contiguous array, or pictures that
    stay on disk until they are indexed (:class:`~convolens.data.StoredImages`)."""
    labels: NDArray[np.int64]
    """(n,), each the index of a class, from 0."""
    names: Sequence[str] | None = None
    """What each picture is called: its path in the folder, or its row in the table. None for
    pictures that have no name but their number."""

    def __post_init__(self) -> None:
        if not isinstance(self.images, StoredImages):
            _check_array("images", self.images, np.uint8, "(n, height, width, channels)")
        elif len(self.images) == 0:
            raise DataError("no images; allowed: at least one")
        _check_array("labels", self.labels, np.int64, "(n,)")
        if len(self.images) != len(self.labels):
            raise DataError(
                f"{len(self.images):,} images with {len(self.labels):,} labels; "
                "each image needs exactly one label"
            )
        if self.labels.min() < 0:
            raise DataError(f"label {self.labels.min()}; allowed: the index of a class, from 0")
        if self.names is not None and len(self.names) != len(self.labels):
            raise DataError(f"{len(self.labels):,} images with {len(self.names):,} names")

    def name_of(self, index: int) -> str | None:
        """What a picture is called, where it has a name and not a number alone."""
        return None if self.names is None or isinstance(self.names, Numbers) else self.names[index]

    def select(self, indices: NDArray[Any] | slice) -> "Split":
        """The pictures at some positions, with their labels and names."""
        kept = None
        if self.names is not None:
            positions: list[int] = np.arange(len(self))[indices].tolist()
            kept = [self.names[position] for position in positions]
        return Split(select(self.images, indices), self.labels[indices], kept)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Split(n={len(self)}, shape={self.images.shape[1:]})"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set with its splits and class names.

    Raises:
        DataError: pictures of different shapes, a label without a class, or class names that are
            fewer than two, empty or not distinct.

    >>> part = Split(np.zeros((2, 8, 8, 1), np.uint8), np.array([0, 1]))
    >>> data = Dataset("blank", part, part, None, ("cat", "dog"), "made by hand")
    >>> list(data.splits), data.shape, data.n_classes
    (['train', 'validation'], (8, 8, 1), 2)
    """

    name: str
    """What it is called: "fashion-mnist"."""
    train: Split
    """What a model learns from."""
    validation: Split
    """What choices are made on."""
    test: Split | None
    """What a finished model is measured on, where there is such a part."""
    class_names: tuple[str, ...]
    """The name of each class, by its label."""
    source: str
    """Where it is from: a page or a path."""
    fit: str = "pad"
    """How pictures of another size are made to fit; a model trained on these does the same."""
    problems: tuple[Problem, ...] = ()
    """What reading found: each file or row that was skipped, and what a user should know."""
    left_out: int = 0
    """Good pictures that are in no split because that was asked for, by a sample or by folds."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The options it was read with where they are not the usual ones, so that it can be read
    again in the same way."""

    def __post_init__(self) -> None:
        names = self.class_names
        if len(names) < 2 or len(set(names)) < len(names) or not all(names):
            raise DataError(
                f"{self.name}: class names {names!r}; allowed: two or more, distinct, none empty"
            )
        for split_name, split in self.splits.items():
            if split.images.shape[1:] != self.shape:
                raise DataError(
                    f"{self.name}: {split_name} images are {split.images.shape[1:]} but train "
                    f"images {self.shape}; all must have one shape"
                )
            largest = int(split.labels.max())
            if largest >= len(names):
                raise DataError(
                    f"{self.name}: {split_name} holds label {largest} but there are {len(names)} "
                    f"classes; allowed: 0 to {len(names) - 1}"
                )

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={len(split)}" for name, split in self.splits.items())
        return f"Dataset({self.name!r}, {counts}, shape={self.shape}, classes={self.n_classes})"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of every picture."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels

    @property
    def n_classes(self) -> int:
        """How many classes there are, those without a picture included."""
        return len(self.class_names)

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that exist, in the order "train", "validation", "test"."""
        splits = {"train": self.train, "validation": self.validation}
        return splits if self.test is None else {**splits, "test": self.test}

    @property
    def n_used(self) -> int:
        """Pictures in all splits."""
        return sum(len(split) for split in self.splits.values())

    @property
    def skipped(self) -> tuple[Problem, ...]:
        """One entry for each file or row that is not used."""
        return tuple(problem for problem in self.problems if problem.skipped)

    @property
    def n_skipped(self) -> int:
        """Files, or rows, that are not used: with a problem, or left out on purpose."""
        return len(self.skipped) + self.left_out

    @property
    def n_seen(self) -> int:
        """Files, or rows, that were looked at: every one is either used or skipped."""
        return self.n_used + self.n_skipped

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the class names and every split's name, shape, pictures and labels.

        Computed when first asked for, then kept: pictures are not to be changed in place.
        """
        digest = hashlib.sha256(json.dumps(self.class_names).encode())
        for name, split in self.splits.items():
            digest.update(json.dumps([name, split.images.shape]).encode())
            for chunk in image_chunks(split.images):
                digest.update(chunk.data)
            digest.update(split.labels.astype("<i8").data)
        return digest.hexdigest()


def _check_array(name: str, array: object, dtype: Any, layout: str) -> None:
    axes = 4 if "height" in layout else 1
    if not isinstance(array, np.ndarray):
        raise DataError(f"{name} are a {type(array).__name__}; allowed: a NumPy array {layout}")
    array = cast("NDArray[Any]", array)
    if array.dtype != dtype or array.ndim != axes or array.size == 0:
        raise DataError(
            f"{name} of shape {array.shape} and dtype {array.dtype}; "
            f"allowed: {layout}, none of them zero, {np.dtype(dtype)}"
        )
    if not array.flags.c_contiguous:
        raise DataError(f"{name} are not C-contiguous; use numpy.ascontiguousarray first")
