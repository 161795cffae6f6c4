"""What is wrong with the pictures and the classes of a data set."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.data.blanks import blank_reason
from convolens.data.datasets import Dataset
from convolens.data.duplicates import equal_digests, search_near
from convolens.data.problems import Problem
from convolens.data.scanning import Scan

FEW = 10
"""A class with fewer training pictures is called small. With ten, and one in ten held back, there
is one to judge it by."""
IMBALANCED = 10
"""The largest class may have so many times the training pictures of the smallest."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A problem, and the pictures that show it."""

    problem: Problem
    """What was found."""
    pictures: tuple[tuple[str, int], ...] = ()
    """Split and number of each picture concerned; of duplicates the later one, then the first."""


def diagnose(scan: Scan) -> Iterator[Finding]:
    """Everything that is wrong with a data set that has been read, in no order of gravity.

    Classes without a picture in a split, with fewer than 10 training pictures, or ten times smaller
    than another; exact and near duplicates; blank pictures, which are compared with nothing.

    Args:
        scan: of the data set.

    Yields:
        One finding a picture and reason, a class, or the data set.
    """
    yield from map(_without_pictures, _class_problems(scan.dataset))
    exact = equal_digests(scan.digests)
    exact = exact[~scan.blank[exact[:, 1]]]
    for first, later in exact.tolist():
        yield _exact_finding(scan, first, later)
    use = ~scan.blank
    use[exact[:, 1]] = False
    near = search_near(scan.prints, use, (len(use), *scan.dataset.shape), scan.fetch)
    for first, later in _one_for_each(scan, near.pairs):
        yield _near_finding(scan, first, later)
    if not near.complete:
        reason = "too many pictures are alike to compare each with each; some pairs may be missing"
        yield _without_pictures(_problem("search_cut", scan.dataset.name, reason))
    for index in np.flatnonzero(scan.blank).tolist():
        reason = blank_reason(scan.fetch(np.array([index]))[0])
        yield Finding(
            problem=_problem("blank_image", scan.name(index), reason),
            pictures=(scan.place(index),),
        )


def _class_problems(dataset: Dataset) -> Iterator[Problem]:
    for split_name, split in dataset.splits.items():
        counts = np.bincount(split.labels, minlength=dataset.n_classes)
        for label in np.flatnonzero(counts == 0).tolist():
            reason = f"holds no image of class {label} ({dataset.class_names[label]})"
            yield _problem("missing_class", split_name, reason)
    counts = np.bincount(dataset.train.labels, minlength=dataset.n_classes)
    for label in np.flatnonzero((counts > 0) & (counts < FEW)).tolist():
        images = "image" if counts[label] == 1 else "images"
        reason = f"has {counts[label]} training {images}; fewer than {FEW} are few to learn from"
        yield _problem("small_class", dataset.class_names[label], reason)
    present = np.flatnonzero(counts)
    least, most = (int(present[pick(counts[present])]) for pick in (np.argmin, np.argmax))
    if counts[most] > IMBALANCED * counts[least]:
        reason = (
            f"{dataset.class_names[most]} has {counts[most]:,} training images, "
            f"{dataset.class_names[least]} {counts[least]:,}: "
            f"{counts[most] / counts[least]:,.0f} times as many"
        )
        yield _problem("class_imbalance", "train", reason)


def _exact_finding(scan: Scan, first: int, later: int) -> Finding:
    across = scan.place(first)[0] != scan.place(later)[0]
    conflict = _conflict(scan, first, later)
    kind = "duplicate_across_splits" if across else "duplicate"
    reason = f"is the same picture as {_told(scan, first, across=across)}{conflict}"
    return _pair(scan, "contradictory_labels" if conflict else kind, reason, first, later)


def _near_finding(scan: Scan, first: int, later: int) -> Finding:
    across = scan.place(first)[0] != scan.place(later)[0]
    kind = "near_duplicate_across_splits" if across else "near_duplicate"
    other = _told(scan, first, across=across)
    reason = f"is nearly the same picture as {other}{_conflict(scan, first, later)}"
    return _pair(scan, kind, reason, first, later)


def _told(scan: Scan, index: int, *, across: bool) -> str:
    """The other picture's name, with its split where the name does not say it."""
    split_name, position = scan.place(index)
    named = scan.dataset.splits[split_name].name_of(position) is not None
    return scan.name(index) + (f" (in {split_name})" if named and across else "")


def _conflict(scan: Scan, first: int, later: int) -> str:
    label, other = scan.label(later), scan.label(first)
    if label == other:
        return ""
    names = scan.dataset.class_names
    return f", but labelled {names[label]}, not {names[other]}"


def _one_for_each(scan: Scan, pairs: NDArray[np.int64]) -> list[tuple[int, int]]:
    """One pair for each later picture: with one of another split if there is one, else the first.

    A burst of a hundred photographs is a hundred problems then, not five thousand.
    """
    chosen: dict[int, int] = {}
    for first, later in pairs.tolist():
        other = chosen.get(later)
        if other is None or (scan.place(other)[0] == scan.place(later)[0] != scan.place(first)[0]):
            chosen[later] = first
    return sorted((first, later) for later, first in chosen.items())


def _pair(scan: Scan, kind: str, reason: str, first: int, later: int) -> Finding:
    return Finding(
        problem=_problem(kind, scan.name(later), reason),
        pictures=(scan.place(later), scan.place(first)),
    )


def _problem(kind: str, path: str, reason: str) -> Problem:
    return Problem(kind=kind, path=path, reason=reason, skipped=False)


def _without_pictures(problem: Problem) -> Finding:
    return Finding(problem=problem)
