"""The notes' sanity checks as one table, and everything that is wrong with a data set."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import to_dict
from convolens.data.datasets import Dataset, Split
from convolens.data.diagnosis import Finding, diagnose
from convolens.data.problems import PROBLEM_KINDS, Problem, by_gravity
from convolens.data.scanning import scan_dataset
from convolens.data.summary_text import summary_text

_FIRST = 10  # labels that the notes list


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
    """Pictures in all splits: those that are used."""
    seen: int
    """Files, or rows, that were looked at: ``used + skipped``."""
    used: int
    """Those that became a picture of a split; the same as ``n``."""
    skipped: int
    """Those that did not; each has a problem that says why."""
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
    findings: tuple[Finding, ...] = field(default=(), repr=False)
    """Those of the problems that can be shown in pictures, with the places of these; not part of
    ``to_dict``."""

    @property
    def sorted_by_class(self) -> bool:
        """Whether the first labels of every split are one and the same class, as in a folder."""
        return all(len(set(split.first_labels)) == 1 for split in self.splits.values())

    @property
    def kinds(self) -> dict[str, int]:
        """How many problems there are of each kind, gravest kind first."""
        return dict(Counter(problem.kind for problem in self.problems))

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON types, with title, advice and count of each kind of problem."""
        found = to_dict(replace(self, findings=()))
        del found["findings"]
        found["kinds"] = {
            kind: {
                "title": PROBLEM_KINDS[kind].title,
                "advice": PROBLEM_KINDS[kind].advice,
                "count": count,
            }
            for kind, count in self.kinds.items()
        }
        return found

    def __str__(self) -> str:
        """What was seen, counts, first labels and problems, in at most 80 columns."""
        return summary_text(self)


def check_data(dataset: Dataset, *, near: bool = True) -> DataSummary:
    """Run the notes' sanity checks, and look for what commonly spoils a data set.

    What reading skipped and remarked; classes that are missing from a split, have fewer than 10
    training pictures, or ten times fewer than another; pictures that are there twice, exactly or
    nearly (:func:`convolens.data.duplicates.near_duplicates` says how alike that is), within a
    split, in two (a model is then measured on what it has seen) or under two classes; blank
    pictures. All pictures are read once, and those of likely pairs again; memory grows by some
    300 bytes a picture at most.

    Args:
        dataset: the data set; nothing in it is changed.
        near: whether near copies are looked for, too, which takes most of the time.

    Returns:
        The figures and the problems.

    >>> from convolens.data import load_data
    >>> summary = check_data(load_data("digits"))
    >>> summary.n, summary.splits["test"].class_counts
    (1797, (18, 18, 18, 19, 18, 18, 18, 18, 17, 18))
    >>> print(str(summary).splitlines()[0])
    seen 1,797 = used 1,797 + skipped 0
    """
    scan = scan_dataset(dataset, near=near)
    findings = tuple(diagnose(scan))
    return DataSummary(
        name=dataset.name,
        n=dataset.n_used,
        seen=dataset.n_seen,
        used=dataset.n_used,
        skipped=dataset.n_skipped,
        splits={
            name: _summarise(split, scan.histograms[name], dataset.n_classes)
            for name, split in dataset.splits.items()
        },
        classes=dataset.class_names,
        shape=dataset.shape,
        dtype=str(dataset.train.images.dtype),
        problems=by_gravity([*dataset.problems, *(finding.problem for finding in findings)]),
        findings=tuple(finding for finding in findings if finding.pictures),
    )


def _summarise(split: Split, histogram: NDArray[np.int64], n_classes: int) -> SplitSummary:
    # From the 256 counts of values, so exact and without a copy of the pictures as floats.
    values = np.arange(256)
    present = np.flatnonzero(histogram)
    mean = float((histogram * values).sum() / histogram.sum())
    variance = float((histogram * (values - mean) ** 2).sum() / histogram.sum())
    counts = np.bincount(split.labels, minlength=n_classes)
    return SplitSummary(
        n=len(split),
        minimum=int(present[0]),
        maximum=int(present[-1]),
        mean=mean,
        standard_deviation=variance**0.5,
        class_counts=tuple(counts.tolist()),
        first_labels=tuple(split.labels[:_FIRST].tolist()),
    )
