"""From all pictures of a source to a data set: which of them are for training, and which not."""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole
from convolens.data.datasets import Dataset, Split
from convolens.data.folds import k_folds, sample_indices
from convolens.data.grouping import merge_groups
from convolens.data.listing import SPLIT_NAMES
from convolens.data.manifest import LEFT_OUT, assign_splits, read_split_file
from convolens.data.numbers import Numbers
from convolens.data.pool import UNDIVIDED, Pool
from convolens.data.problems import Problem
from convolens.data.splits import divide_exactly
from convolens.data.splitting import Splitting
from convolens.data.stored import StoredImages, select
from convolens.errors import ConfigError, DataError

TRAIN, VALIDATION, TEST = range(3)

# The notes hold out 5,000 of Fashion-MNIST's 60,000. It is the size wherever it is at most a tenth.
_NOTES_SIZE = 5_000


def make_dataset(
    pool: Pool,
    splitting: Splitting | None = None,
    duplicates: NDArray[np.int64] | Callable[[], NDArray[np.int64]] | None = None,
) -> Dataset:
    """Divide the pictures of a source.

    A set that is not divided, or that has a training part alone, becomes train, validation and
    test: 80/10/10 unless told otherwise. A given test part stays what it is, and validation is
    taken from the training part; so do given validation parts. (A training part alone that is known
    to be shuffled, as IDX files are, has a validation split taken from it and no test.) With
    ``folds`` the training and validation parts are divided anew, and a given test part is left
    untouched. All that is drawn is stratified and keeps groups together. Inside a split the
    pictures keep their order.

    A sample is taken of each split after the division: the test split of a sample is a part of the
    test split of the whole. What it leaves out is told in one problem a split, and counted
    in ``left_out``.

    Where labels are corrected, the division is that of the labels as they were: no picture changes
    sides. What a list of corrections leaves out is left out afterwards, and counted there, too.

    Args:
        pool: all pictures, with the splits and groups that the source gives.
        splitting: how to divide; the defaults if None.
        duplicates: (m, 2), pairs of positions in the pool that show the same picture; or a function
            that finds them, called only when something is drawn at random.

    Returns:
        The data set, with the pool's problems and those of the division, and with ``splitting`` in
        its options.

    Raises:
        DataError: too few pictures or classes, a source or a split file without a training part, a
            split file that is damaged or of another data set, or splits that divide a group.
        ConfigError: a size that cannot be, a size for a split that is given, or fewer groups than
            splits.

    >>> labels = np.tile([0, 1], 50)
    >>> pixels = np.zeros((100, 2, 2, 1), np.uint8)
    >>> pool = Pool(
    ...     name="blank",
    ...     source="by hand",
    ...     images=pixels,
    ...     labels=labels,
    ...     class_names=("cat", "dog"),
    ...     given=np.full(100, UNDIVIDED),
    ... )
    >>> make_dataset(pool, Splitting(test_size=0.2))
    Dataset('blank', train=70, validation=10, test=20, shape=(2, 2, 1), classes=2)
    """
    splitting = splitting or Splitting()
    n = len(pool.labels)
    if len(pool.class_names) < 2:
        raise DataError(
            f"{pool.name}: all {n:,} images are of one class, {', '.join(pool.class_names)!r}; a "
            "classifier needs at least two (in a folder of pictures: one folder for each class)"
        )
    given, problems = _given(pool, splitting)
    _refuse_divided_groups(pool, given, splitting)
    together = _Together(pool, duplicates if splitting.keep_duplicates_together else None)
    part, found = _complete(pool, given, together, splitting)
    problems += found + _take_sample(part, pool.strata, splitting)
    part[~pool.kept] = LEFT_OUT
    _refuse_emptied(pool, part)
    splits = [_split(pool, np.flatnonzero(part == number)) for number in range(len(SPLIT_NAMES))]
    train, validation, test = splits
    assert train is not None, "every division leaves something to train on"
    assert validation is not None, "every division leaves something to validate on"
    told = sum(problem.kind == "not_in_split_file" for problem in problems)
    return Dataset(
        pool.name,
        train,
        validation,
        test,
        pool.class_names,
        pool.source,
        fit=pool.fit,
        problems=(*pool.problems, *problems, *_about_groups(pool)),
        left_out=n - sum(len(split) for split in splits if split is not None) - told,
        options=splitting.options(),
    )


class _Together:
    """Which pictures stay on one side: found out when it is asked for."""

    def __init__(
        self, pool: Pool, duplicates: NDArray[np.int64] | Callable[[], NDArray[np.int64]] | None
    ) -> None:
        self._pool = pool
        self._duplicates = duplicates

    @cached_property
    def groups(self) -> NDArray[np.int64] | None:
        """(n,), pictures of one number stay together; None where each is alone."""
        pairs = self._duplicates() if callable(self._duplicates) else self._duplicates
        if pairs is None or not len(pairs):
            return self._pool.groups
        return merge_groups(len(self._pool.labels), pairs, self._pool.groups)

    def of(self, positions: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """The same for some pictures of the pool."""
        return None if self.groups is None else self.groups[positions]


def _about_groups(pool: Pool) -> list[Problem]:
    """How many groups there are: a wrong column or pattern shows here, and nowhere else."""
    if pool.groups is None:
        return []
    _, sizes = np.unique(pool.groups, return_counts=True)
    reason = f"{len(sizes):,} groups of {sizes.min():,} to {sizes.max():,} images"
    return [Problem(kind="grouped", path=pool.name, reason=reason, skipped=False)]


def _given(pool: Pool, splitting: Splitting) -> tuple[NDArray[np.int64], list[Problem]]:
    """The part of each picture as the source, or a split file, gives it."""
    if splitting.split_file is None:
        return pool.given.astype(np.int64), []
    wanted = read_split_file(splitting.split_file)
    skipped = {problem.path for problem in pool.problems if problem.skipped}
    return assign_splits(str(splitting.split_file), wanted, _names(pool), skipped)


def _complete(
    pool: Pool,
    given: NDArray[np.int64],
    together: _Together,
    splitting: Splitting,
) -> tuple[NDArray[np.int64], list[Problem]]:
    """The part of each picture when the splits that are missing have been made."""
    present = [number for number in range(len(SPLIT_NAMES)) if (given == number).any()]
    free = int((given == UNDIVIDED).sum())
    if free and present:
        raise DataError(
            f"{pool.name}: {free:,} images are in no split and {len(given) - free:,} are; put each "
            "into one of train, validation and test, or none"
        )
    if not free and TRAIN not in present:
        parts = " and ".join(SPLIT_NAMES[number] for number in present) or "no split at all"
        raise DataError(
            f"{pool.name}: has {parts}, but nothing to train on; name a part train, or leave the "
            "set undivided"
        )
    part = np.where(given == UNDIVIDED, TRAIN, given)
    if splitting.folds is not None and splitting.fold is not None:
        problems = _hold_out_fold(part, pool, together, splitting, splitting.folds, splitting.fold)
        _carve(part, pool, together, splitting, (VALIDATION,))
        return part, problems
    for name, number in (
        ("test_size", TEST),
        ("validation_size", VALIDATION),
        ("validation", VALIDATION),
    ):
        if getattr(splitting, name) is not None and number in present:
            raise ConfigError(
                f"{name} is {getattr(splitting, name)!r}, but {pool.name} comes with a "
                f"{SPLIT_NAMES[number]} split; leave {name} out to use it"
            )
    wanted = [number for number in (VALIDATION, TEST) if number not in present]
    problems: list[Problem] = []
    if TEST in wanted and not free:
        # A validation part, or a shuffled source's training part, is there by somebody's decision
        # to test elsewhere; a folder "train" alone is most often all there is.
        if splitting.test_size is None and (VALIDATION in present or pool.last_is_fair):
            wanted.remove(TEST)
            reason = "there is none, and none is made (test_size takes one from train)"
        else:
            reason = "there is none; it is taken from train"
        problems.append(Problem(kind="missing_split", path="test", reason=reason, skipped=False))
    _carve(part, pool, together, splitting, tuple(wanted))
    return part, problems


def _hold_out_fold(
    part: NDArray[np.int64],
    pool: Pool,
    together: _Together,
    splitting: Splitting,
    folds: int,
    fold: int,
) -> list[Problem]:
    """Make one fold the test split, in place; a given test part is left out."""
    kept = np.flatnonzero(part == TEST)
    part[kept] = LEFT_OUT
    own = np.flatnonzero(part >= 0)
    fold_of = k_folds(pool.strata[own], folds, splitting.seed, together.of(own))
    part[own] = np.where(fold_of == fold, TEST, TRAIN)
    if not len(kept):
        return []
    reason = (
        f"the given test split of {len(kept):,} images is left untouched: folds divide the rest"
    )
    return [Problem(kind="not_in_sample", path="test", reason=reason, skipped=False)]


def _carve(
    part: NDArray[np.int64],
    pool: Pool,
    together: _Together,
    splitting: Splitting,
    wanted: tuple[int, ...],
) -> None:
    """Take the wanted splits from the training pictures, in place."""
    if not wanted:
        return
    own = np.flatnonzero(part == TRAIN)
    last = splitting.validation == "last"
    if splitting.validation is None and splitting.folds is None and wanted == (VALIDATION,):
        last = pool.last_is_fair and pool.groups is None and len(own) >= 10 * _NOTES_SIZE
    sizes = _sizes(len(own), pool.name, splitting, wanted)
    drawn = tuple(number for number in wanted if not (last and number == VALIDATION))
    if drawn:
        taken = [sizes[number] for number in drawn]
        numbers = np.array([TRAIN, *drawn])
        wanted_sizes = np.array([len(own) - sum(taken), *taken])
        part[own] = numbers[
            divide_exactly(pool.strata[own], wanted_sizes, splitting.seed, together.of(own))
        ]
    if last and VALIDATION in wanted:
        if pool.groups is not None:
            raise ConfigError(
                "validation is 'last', which may divide a group; use 'stratified' with groups"
            )
        part[np.flatnonzero(part == TRAIN)[-sizes[VALIDATION] :]] = VALIDATION


def _sizes(n: int, name: str, splitting: Splitting, wanted: tuple[int, ...]) -> dict[int, int]:
    """How many of n pictures each wanted split gets."""
    if n <= len(wanted):
        what = " and ".join(["training", *(SPLIT_NAMES[number] for number in wanted)])
        raise DataError(
            f"{name}: {n} training image{'s' * (n != 1)} cannot be divided into {what}; "
            f"at least {len(wanted) + 1} are needed"
        )
    usual = max(1, int(n * 0.1 + 0.5))
    if wanted == (VALIDATION,):
        usual = _NOTES_SIZE if n >= 10 * _NOTES_SIZE else max(1, n // 10)
    sizes: dict[int, int] = {}
    for number in reversed(wanted):
        setting = f"{SPLIT_NAMES[number]}_size"
        size: int | float | None = getattr(splitting, setting)
        if size is None:
            size = usual
        elif isinstance(size, float):
            setting = f"{setting} ({size:g} of {n:,} images)"
            size = max(1, int(n * size + 0.5))
        # Each other split needs one at least.
        others = sum(sizes.values()) + len(wanted) - len(sizes)
        check_whole(setting, size, 1, n - others)
        sizes[number] = int(size)
    return sizes


def _take_sample(
    part: NDArray[np.int64], labels: NDArray[np.int64], splitting: Splitting
) -> list[Problem]:
    """Leave all but a sample of each split out, in place."""
    problems: list[Problem] = []
    for number, split_name in enumerate(SPLIT_NAMES):
        own = np.flatnonzero(part == number)
        if splitting.sample == 1 or not len(own):
            continue
        chosen = own[sample_indices(labels[own], splitting.sample, splitting.seed)]
        part[own] = LEFT_OUT
        part[chosen] = number
        reason = (
            f"{len(chosen):,} of {len(own):,} images are used, every class in proportion "
            f"(sample {splitting.sample:g})"
        )
        problems.append(
            Problem(kind="not_in_sample", path=split_name, reason=reason, skipped=False)
        )
    return problems


def _refuse_divided_groups(pool: Pool, given: NDArray[np.int64], splitting: Splitting) -> None:
    """Groups are there so that none is divided: given splits that do so contradict them."""
    if pool.groups is None or splitting.folds is not None:
        return
    own = np.flatnonzero(given >= 0)
    # Side by side by group: one that is divided has neighbours in two splits.
    own = own[np.lexsort((given[own], pool.groups[own]))]
    first, second = own[:-1], own[1:]
    divided = (pool.groups[first] == pool.groups[second]) & (given[first] != given[second])
    if divided.any():
        pair = (int(first[divided][0]), int(second[divided][0]))
        names = _names(pool)
        shown = " and ".join(f"{names[one]!r} ({SPLIT_NAMES[given[one]]})" for one in pair)
        raise DataError(
            f"{pool.name}: groups and given splits contradict each other: {shown} are of one "
            "group; leave the groups out, or correct the splits"
        )


def _refuse_emptied(pool: Pool, part: NDArray[np.int64]) -> None:
    """Corrections may leave every picture of a split out."""
    for number in (TRAIN, VALIDATION):
        if not (part == number).any():
            raise DataError(
                f"{pool.name}: the list of corrections leaves out every picture of the split "
                f"{SPLIT_NAMES[number]}; keep some"
            )


def _names(pool: Pool) -> Sequence[str]:
    return Numbers(np.arange(len(pool.labels))) if pool.names is None else pool.names


def _split(pool: Pool, positions: NDArray[np.int64]) -> Split | None:
    if not len(positions):
        return None
    start, end = int(positions[0]), int(positions[-1]) + 1
    # Pictures side by side are not copied.
    index = slice(start, end) if end - start == len(positions) else positions
    images = select(pool.images, index)
    if not isinstance(images, StoredImages):
        images = np.ascontiguousarray(images)
    names: Sequence[str] = Numbers(positions)
    if pool.names is not None:
        everything, wanted = pool.names, list[int](positions.tolist())
        names = [everything[position] for position in wanted]
    return Split(images, np.ascontiguousarray(pool.labels[index], dtype=np.int64), names)
