"""Folds for cross-validation, and samples: what uses one part of a division."""

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole
from convolens.data.grouping import NO_PAIRS, merge_groups
from convolens.data.splits import FOLDS_STREAM, SAMPLE_STREAM, divide_exactly
from convolens.errors import ConfigError, DataError


def k_folds(
    labels: NDArray[np.int64],
    folds: int,
    seed: int,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """The fold of each picture: each is held out once, every class in proportion.

    The sizes of any two folds differ by at most one picture, unless groups stand against it.

    Args:
        labels: (n,), the class of each picture, from 0.
        folds: how many, 2 to n.
        seed: 0 to 2**64 - 1; the same seed makes the same folds.
        groups: (n,), pictures of one number are in one fold; None where each is on its own.

    Returns:
        (n,) int64, each 0 to ``folds`` - 1; no fold is empty.

    Raises:
        ConfigError: more folds than pictures or groups, or fewer than 2.
        DataError: fewer than 2 pictures, or labels or groups of another shape or below 0.

    >>> k_folds(np.array([0, 0, 0, 1, 1, 1]), 3, seed=0)
    array([0, 1, 2, 2, 1, 0])
    """
    n = len(labels)
    if n < 2:
        raise DataError(f"{n} images cannot be divided into folds; at least 2 are needed")
    check_whole("folds", folds, 2, n)
    sizes = np.full(folds, n // folds)
    sizes[: n % folds] += 1
    return divide_exactly(labels, sizes, seed, groups, stream=FOLDS_STREAM)


def sample_indices(
    labels: NDArray[np.int64],
    fraction: float,
    seed: int,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Some pictures at random, every class in proportion and none left out.

    Args:
        labels: (n,), the class of each picture, from 0.
        fraction: how much of the whole, above 0 and up to 1. The number of pictures is rounded, and
            at least that of the classes; with groups it is as near as they allow.
        seed: 0 to 2**64 - 1.
        groups: (n,), pictures of one number are all in the sample, or none; None where each is on
            its own.

    Returns:
        Their numbers in ascending order, int64, at least one picture of each class.

    Raises:
        ConfigError: a fraction outside its range.
        DataError: labels or groups of another shape or below 0.

    >>> sample_indices(np.array([0, 0, 0, 0, 1, 1, 1, 1, 2]), 0.5, seed=0)
    array([1, 2, 4, 6, 8])
    """
    if not 0 < fraction <= 1:
        raise ConfigError(f"sample is {fraction!r}; allowed: above 0, up to 1 (all)")
    classes, numbers = np.unique(labels, return_inverse=True)
    n, n_classes = len(labels), len(classes)
    size = max(n_classes, int(n * fraction + 0.5))
    if size >= n:
        return np.arange(n)
    sizes = np.array([size, n - size])
    if groups is None:
        part_of = divide_exactly(labels, sizes, seed, least=(1, 0), stream=SAMPLE_STREAM)
        return np.flatnonzero(part_of == 0)
    groups = merge_groups(n, NO_PAIRS, groups)
    if groups.max() == 0:
        return np.arange(n)
    part_of = divide_exactly(labels, sizes, seed, groups, stream=SAMPLE_STREAM)
    members = np.bincount(groups)
    missing = np.bincount(numbers[part_of == 0], minlength=n_classes) == 0
    for number in np.flatnonzero(missing).tolist():  # the smallest group that has one joins
        own = np.flatnonzero(numbers == number)
        if part_of[own].all():
            part_of[groups == groups[own[members[groups[own]].argmin()]]] = 0
    return np.flatnonzero(part_of == 0)
