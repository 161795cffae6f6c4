"""The pictures that a finished model is judged on: whatever labelled pictures somebody has."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from convolens.data.catalogue import KNOWN_DATASETS
from convolens.data.datasets import Dataset, Split
from convolens.data.directory import Fetch, download
from convolens.data.dividing import make_dataset
from convolens.data.kept_duplicates import kept_duplicates
from convolens.data.listing import SPLIT_NAMES
from convolens.data.loading import DataSource, read_pool
from convolens.data.options import data_options
from convolens.data.pool import Pool
from convolens.data.problems import Problem
from convolens.data.splitting import Splitting
from convolens.data.stored import StoredImages, select
from convolens.data.surveying import OnProgress, silent
from convolens.errors import ConfigError, DataError


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledPictures:
    """Pictures with their classes, for judging a model; one class, or one picture, is enough."""

    name: str
    """What the data set is called."""
    which: str
    """Which of its pictures these are, in words."""
    split: Split
    """The pictures."""
    class_names: tuple[str, ...]
    """The name of each class, by its label."""
    problems: tuple[Problem, ...]
    """What was skipped, and what a user should know."""


def load_pictures(
    source: DataSource,
    split: str | None = None,
    *,
    fetch: Fetch = download,
    on_progress: OnProgress = silent,
    **options: Any,
) -> LabelledPictures:
    """Load the pictures that a model is to be judged on.

    Where a set is not divided, all of its pictures are taken: they are somebody's test set, and
    none of them is needed to train on. Where it has a test part, that. To judge on a part of a
    division by :func:`convolens.data.load_data`, name the part.

    Args:
        source: as for ``load_data``.
        split: "train", "validation", "test" or "all". None: the test part of a known or a divided
            set, and all of any other.
        fetch: as for ``load_data``.
        on_progress: likewise.
        **options: likewise.

    Returns:
        The pictures, and in words which they are.

    Raises:
        DataError: as for ``load_data``.
        ConfigError: there is no such part.

    >>> x = np.zeros((3, 4, 4), np.uint8)
    >>> load_pictures((x, ["cat"] * 3)).which
    'all 3 pictures'
    """
    allowed = (*SPLIT_NAMES, "all", None)
    if split not in allowed:
        raise ConfigError(f"split is {split!r}; allowed: {', '.join(SPLIT_NAMES)}, all")
    chosen = data_options(options)
    pool = read_pool(source, chosen, None, fetch, on_progress)
    divided_at_will = chosen.splitting != Splitting()
    known = isinstance(source, str) and source in KNOWN_DATASETS
    if split is None and (known or divided_at_will):
        split = "test"
    given = {name for number, name in enumerate(SPLIT_NAMES) if (pool.given == number).any()}
    if split is None:
        split = "test" if "test" in given else "all"
    if divided_at_will or (split != "all" and split not in given):
        dataset = make_dataset(pool, chosen.splitting, lambda: kept_duplicates(pool))
        return pictures_of(dataset, split)
    return _of_pool(pool, split)


def pictures_of(dataset: Dataset, split: str) -> LabelledPictures:
    """The pictures of one split of a data set, or of "all" of them.

    Raises:
        ConfigError: there is no such split.
    """
    if split == "all":
        part = join_splits(list(dataset.splits.values()))
        which = f"all {len(part):,} pictures"
    elif split in dataset.splits:
        part = dataset.splits[split]
        which = f"the {len(part):,} pictures of the split {split}"
    else:
        present = ", ".join(dataset.splits)
        raise ConfigError(f"{dataset.name} has no split {split!r}; allowed: {present}, all")
    return LabelledPictures(
        name=dataset.name,
        which=which,
        split=part,
        class_names=dataset.class_names,
        problems=dataset.problems,
    )


def join_splits(parts: list[Split]) -> Split:
    """Several splits of one data set as one; pictures on disk stay there."""
    names = [part.names for part in parts]
    joined = None
    if all(own is not None for own in names):
        joined = [name for own in names for name in own or ()]
    stored = [part.images for part in parts if isinstance(part.images, StoredImages)]
    if len(stored) == len(parts):
        images = stored[0].joined_with(stored[1:])
    else:
        images = np.concatenate([np.asarray(part.images) for part in parts])
    return Split(images, np.concatenate([part.labels for part in parts]), joined)


def _of_pool(pool: Pool, split: str) -> LabelledPictures:
    everything = np.flatnonzero(pool.kept)
    if split != "all":
        everything = np.flatnonzero(pool.kept & (pool.given == SPLIT_NAMES.index(split)))
    if not len(everything):
        raise DataError(f"{pool.name}: the list of corrections leaves out every picture of {split}")
    names = None if pool.names is None else [pool.names[index] for index in everything.tolist()]
    part = Split(select(pool.images, everything), pool.labels[everything], names)
    which = f"all {len(part):,} pictures"
    if split != "all":
        which = f"the {len(part):,} pictures of the split {split}"
    return LabelledPictures(
        name=pool.name,
        which=which,
        split=part,
        class_names=pool.class_names,
        problems=pool.problems,
    )
