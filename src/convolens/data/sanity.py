"""The notes' sanity checks as one table, and what is wrong with a data set."""

import hashlib
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from convolens.config import to_dict
from convolens.data.datasets import Dataset, Split
from convolens.data.problems import Problem
from convolens.data.stored import image_chunks

_FIRST = 10  # labels that the notes list
_MOST_CLASSES = 40  # rows of the table before it is cut
_MOST_PROBLEMS = 5  # of each kind, likewise


@dataclass(frozen=True, kw_only=True)
class SplitSummary:
    """The figures of one split."""

    n: int
    """How many pictures."""
    minimum: int
    """Smallest pixel."""
    maximum: int
    """Largest pixel."""
    mean: float
    """Mean of all pixels, 0..255."""
    standard_deviation: float
    """Standard deviation of all pixels."""
    class_counts: tuple[int, ...]
    """Pictures of each class, by label."""
    first_labels: tuple[int, ...]
    """The first ten labels."""


@dataclass(frozen=True, kw_only=True)
class DataSummary:
    """What is in a data set and what is wrong with it; ``str`` gives a table for a terminal."""

    name: str
    """The data set's name."""
    n: int
    """Pictures in all splits."""
    splits: dict[str, SplitSummary]
    """Each split by its name."""
    classes: tuple[str, ...]
    """Class names by label."""
    shape: tuple[int, int, int]
    """(height, width, channels)."""
    dtype: str
    """NumPy's name of the type of a pixel."""
    problems: tuple[Problem, ...]
    """What was found, gravest kind first."""

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON types."""
        return to_dict(self)

    def __str__(self) -> str:
        """Counts, pictures a class, first labels and problems, in at most 80 columns."""
        height, width, channels = self.shape
        lines = [
            *_wrapped(
                f"{self.name}: {self.n:,} images of {height} x {width} x {channels}, {self.dtype}, "
                f"{len(self.classes)} classes"
            ),
            "",
            _row("", self.splits),
            _row("images", [f"{split.n:,}" for split in self.splits.values()]),
            _row("pixels", [f"{split.minimum} to {split.maximum}" for split in self._all()]),
            _row("mean", [f"{split.mean:.3f}" for split in self._all()]),
            _row("spread", [f"{split.standard_deviation:.3f}" for split in self._all()]),
            "",
        ]
        for label, name in enumerate(self.classes[:_MOST_CLASSES]):
            counts = [f"{split.class_counts[label]:,}" for split in self._all()]
            lines.append(_row(f"{label:>3} {name}", counts))
        if len(self.classes) > _MOST_CLASSES:
            lines.append(f"... and {len(self.classes) - _MOST_CLASSES} more classes")
        for name, split in self.splits.items():
            labels = " ".join(map(str, split.first_labels))
            named = ", ".join(self.classes[label] for label in split.first_labels)
            lines += ["", f"first labels of {name}: {labels}", *_wrapped(f"  {named}")]
        lines += ["", "no problems found" if not self.problems else "problems:"]
        for kind in dict.fromkeys(problem.kind for problem in self.problems):
            alike = [problem for problem in self.problems if problem.kind == kind]
            for problem in alike[:_MOST_PROBLEMS]:
                lines += _wrapped(f"- {problem.path}: {problem.reason}")
            if len(alike) > _MOST_PROBLEMS:
                lines.append(f"- and {len(alike) - _MOST_PROBLEMS:,} more of the kind {kind}")
        return "\n".join(lines)

    def _all(self) -> list[SplitSummary]:
        return list(self.splits.values())


def check_data(dataset: Dataset) -> DataSummary:
    """Run the notes' sanity checks, and look for what commonly spoils a data set.

    A class that is missing from a split, pictures of one single value, and pictures that are
    exactly the same in two splits (a model is then measured on what it has seen).

    Args:
        dataset: the data set; nothing in it is changed.

    Returns:
        The figures and the problems.

    >>> from convolens.data import load_data
    >>> summary = check_data(load_data("digits"))
    >>> summary.n, summary.splits["test"].class_counts
    (1797, (18, 18, 18, 19, 18, 18, 18, 18, 17, 18))
    """
    problems = [
        *_missing_classes(dataset),
        *_duplicates_across_splits(dataset),
        *_constant_images(dataset),
    ]
    return DataSummary(
        name=dataset.name,
        n=sum(len(split) for split in dataset.splits.values()),
        splits={name: _summarise(split, dataset) for name, split in dataset.splits.items()},
        classes=dataset.class_names,
        shape=dataset.shape,
        dtype=str(dataset.train.images.dtype),
        problems=tuple(problems),
    )


def _summarise(split: Split, dataset: Dataset) -> SplitSummary:
    # From the 256 counts of values, so exact and without a copy of the pictures as floats.
    histogram = np.zeros(256, dtype=np.int64)
    for chunk in image_chunks(split.images):
        histogram += np.bincount(chunk.ravel(), minlength=256)
    values = np.arange(256)
    present = np.flatnonzero(histogram)
    mean = float((histogram * values).sum() / histogram.sum())
    variance = float((histogram * (values - mean) ** 2).sum() / histogram.sum())
    counts = np.bincount(split.labels, minlength=dataset.n_classes)
    return SplitSummary(
        n=len(split),
        minimum=int(present[0]),
        maximum=int(present[-1]),
        mean=mean,
        standard_deviation=variance**0.5,
        class_counts=tuple(counts.tolist()),
        first_labels=tuple(split.labels[:_FIRST].tolist()),
    )


def _missing_classes(dataset: Dataset) -> Iterator[Problem]:
    for split_name, split in dataset.splits.items():
        counts = np.bincount(split.labels, minlength=dataset.n_classes)
        for label in np.flatnonzero(counts == 0).tolist():
            reason = f"holds no image of class {label} ({dataset.class_names[label]})"
            yield Problem(kind="missing_class", path=split_name, reason=reason, skipped=False)


def _constant_images(dataset: Dataset) -> Iterator[Problem]:
    for split_name, split in dataset.splits.items():
        flat = np.asarray(split.images).reshape(len(split), -1)
        for index in np.flatnonzero(flat.min(axis=1) == flat.max(axis=1)).tolist():
            yield Problem(
                kind="blank_image",
                path=f"{split_name}[{index}]",
                reason=f"every pixel is {flat[index, 0]}",
                skipped=False,
            )


def _duplicates_across_splits(dataset: Dataset) -> Iterator[Problem]:
    seen: dict[bytes, tuple[str, int]] = {}
    for split_name, split in dataset.splits.items():
        own: dict[bytes, tuple[str, int]] = {}
        for index, image in enumerate(split.images):
            digest = hashlib.blake2b(image.data, digest_size=16).digest()
            own.setdefault(digest, (split_name, index))
            if digest in seen:
                other_name, other = seen[digest]
                own_label, label = split.labels[index], dataset.splits[other_name].labels[other]
                conflict = "" if own_label == label else f", labelled {own_label} and {label}"
                yield Problem(
                    kind="duplicate_across_splits",
                    path=f"{split_name}[{index}]",
                    reason=f"is the same picture as {other_name}[{other}]{conflict}",
                    skipped=False,
                )
        seen = own | seen


def _row(head: str, cells: "list[str] | dict[str, SplitSummary]") -> str:
    head = head if len(head) <= 37 else f"{head[:34]}..."
    return f"{head:<38}" + "".join(f"{cell:>14}" for cell in cells)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 80, subsequent_indent="  ")
