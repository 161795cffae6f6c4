"""The pictures of an experiment: read once, searched for copies once, divided as often as needed.

Looking for copies costs more than all else that a division does: 8 of 9 seconds for the 70,000
pictures of Fashion-MNIST. Every fold needs what was found, so it is found once.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import from_dict, to_dict
from convolens.data import (
    Dataset,
    DataSource,
    Problem,
    Split,
    Splitting,
    StoredImages,
    download,
    image_chunks,
    select,
)
from convolens.data.dividing import TEST, make_dataset
from convolens.data.folds import sample_indices
from convolens.data.judging import join_splits
from convolens.data.kept_duplicates import kept_duplicates
from convolens.data.loading import read_pool
from convolens.data.options import data_options
from convolens.data.pool import Pool
from convolens.data.surveying import OnProgress, silent
from convolens.errors import ConfigError, DataError
from convolens.files import read_json, write_json

_ARRAYS = ("labels", "labels_as_given", "dropped", "given", "groups", "pairs")


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """One division of an experiment's pictures."""

    dataset: Dataset
    """What is trained on, validated on and tested on."""
    held_out: NDArray[np.int64]
    """(n_test,) the test pictures' positions among all that the experiment read."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Material:
    """All pictures of an experiment, not yet divided by it."""

    pool: Pool
    """The pictures, with the parts that the source gives them."""
    splitting: Splitting = field(default_factory=Splitting)
    """How they are divided where the experiment does not say otherwise."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Options of ``load_data`` that differ from the usual ones, without those of the division."""
    divided: Dataset | None = None
    """The data set that it was made of, where it came divided."""
    known_pairs: NDArray[np.int64] | None = None
    """(m, 2) pictures that are copies of each other, where they were looked for already."""

    @cached_property
    def pairs(self) -> NDArray[np.int64]:
        """(m, 2) positions of pictures that are copies of each other; none if nobody cares."""
        if self.known_pairs is not None:
            return self.known_pairs
        if not self.splitting.keep_duplicates_together:
            return np.zeros((0, 2), dtype=np.int64)
        return kept_duplicates(self.pool)

    @property
    def candidates(self) -> NDArray[np.int64]:
        """Positions of the pictures that folds divide: all but those of a given test part."""
        return np.flatnonzero(self.pool.kept & (self.pool.given != TEST))

    @property
    def grouped(self) -> bool:
        """Whether pictures belong to groups that stay together."""
        return self.pool.groups is not None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over classes, pictures, labels, given parts and groups."""
        pool = self.pool
        digest = hashlib.sha256(json.dumps([pool.class_names, pool.images.shape]).encode())
        for chunk in image_chunks(pool.images):
            digest.update(chunk.data)
        for numbers in (pool.labels, pool.given, pool.groups):
            digest.update(b"none" if numbers is None else numbers.astype("<i8").tobytes())
        for numbers in (pool.labels_as_given, pool.dropped):  # of which there may be none
            digest.update(b"" if numbers is None else numbers.astype("<i8").tobytes())
        return digest.hexdigest()

    def part(self, splitting: Splitting | None = None) -> Part:
        """Divide the pictures; the same as ``load_data`` with the same options.

        Args:
            splitting: how; that of the material if None.

        Raises:
            DataError: too few pictures or classes.
            ConfigError: a size, or a number of folds, that cannot be.
        """
        if splitting is None and self.divided is not None:
            return Part(dataset=self.divided, held_out=np.flatnonzero(self.pool.given == TEST))
        splitting = splitting or self.splitting
        divided = self._divided(splitting)
        splits = {
            name: Split(self._images(_positions(split)), split.labels, split.names)
            for name, split in divided.splits.items()
        }
        options = {**self.options, **splitting.options()}
        dataset = replace(divided, options=options, **splits)
        held_out = np.zeros(0, np.int64) if divided.test is None else _positions(divided.test)
        return Part(dataset=dataset, held_out=held_out)

    def trained_classes(self, splitting: Splitting | None = None) -> set[int]:
        """The classes that a division leaves something to train on of."""
        return set(self._divided(splitting or self.splitting).train.labels.tolist())

    def names(self, positions: NDArray[np.int64]) -> list[str]:
        """What some pictures are called; ``[17]`` where they have a number alone."""
        wanted: list[int] = positions.tolist()
        if self.pool.names is None:
            return [f"[{position}]" for position in wanted]
        return [self.pool.names[position] for position in wanted]

    def share(self, folder: Path) -> None:
        """Write everything to a folder, for other processes to map into their memory."""
        folder.mkdir(parents=True, exist_ok=True)
        pool = self.pool
        for name in _ARRAYS:
            array = self.pairs if name == "pairs" else getattr(pool, name)
            if array is not None:
                np.save(folder / f"{name}.npy", array)
        images = np.lib.format.open_memmap(
            folder / "images.npy", mode="w+", dtype=np.uint8, shape=pool.images.shape
        )
        start = 0
        for chunk in image_chunks(pool.images):
            images[start : start + len(chunk)] = chunk
            start += len(chunk)
        images.flush()
        described = {
            "name": pool.name,
            "source": pool.source,
            "class_names": list(pool.class_names),
            "names": None if pool.names is None else list(pool.names),
            "problems": [to_dict(problem) for problem in pool.problems],
            "fit": pool.fit,
            "last_is_fair": pool.last_is_fair,
            "options": dict(self.options),
            "splitting": self.splitting.options(),
        }
        write_json(folder / "material.json", described)

    def _divided(self, splitting: Splitting) -> Dataset:
        """A division whose pictures are only their own positions.

        What divides pictures gives pictures back. Here each is its position, eight bytes wide, so
        that what comes back says which went where.
        """
        n = len(self.pool.labels)
        positions = np.arange(n, dtype="<i8").view(np.uint8).reshape(n, 1, 1, 8)
        return make_dataset(replace(self.pool, images=positions), splitting, lambda: self.pairs)

    def _images(self, positions: NDArray[np.int64]) -> Any:
        images = select(self.pool.images, positions)
        return images if isinstance(images, StoredImages) else np.ascontiguousarray(images)


def read_material(
    data: Dataset | DataSource,
    *,
    groups: Any = None,
    on_progress: OnProgress = silent,
    sample_first: bool = True,
    **options: Any,
) -> Material:
    """Read what ``load_data`` reads, without dividing it yet.

    A sample is taken here, before any division: every fold of a sample divides the same pictures.
    What has one division alone takes it afterwards, as ``load_data`` does, and gets its pictures.

    Args:
        data: as for ``load_data``; or a data set, whose test part stays apart.
        groups: as for ``load_data``.
        on_progress: likewise.
        sample_first: whether a sample is taken before the division.
        **options: as for ``load_data``, but for ``fold``; the seed of the division is called
            ``split_seed``, since trainings have one of their own.

    Raises:
        DataError: as ``load_data``.
        ConfigError: options beside a data set that was read already, or one whose groups are no
            longer known.
    """
    if "split_seed" in options:
        options["seed"] = options.pop("split_seed")
    if isinstance(data, Dataset):
        if options or groups is not None:
            given = ", ".join([*options, *(["groups"] if groups is not None else [])])
            raise ConfigError(
                f"{given}: these say how data are read, but the data set is read already; hand "
                "over its name, its path or its arrays instead"
            )
        return _of_dataset(data)
    chosen = data_options(options)
    pool = read_pool(data, chosen, groups, download, on_progress)
    splitting = chosen.splitting
    if sample_first and splitting.sample < 1:
        pool = _sampled(pool, splitting)
        splitting = replace(splitting, sample=1.0)
    own = {name: value for name, value in chosen.to_dict().items() if name not in _SPLITTING}
    return Material(pool=pool, splitting=splitting, options=own)


def open_material(folder: Path) -> Material:
    """What :meth:`Material.share` wrote; the pictures are mapped, not read."""
    described = read_json(folder / "material.json", error=DataError)
    arrays = {
        name: np.load(folder / f"{name}.npy", allow_pickle=False)
        for name in _ARRAYS
        if (folder / f"{name}.npy").exists()
    }
    images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    pool = Pool(
        name=described["name"],
        source=described["source"],
        images=np.asarray(images),
        labels=arrays["labels"],
        class_names=tuple(described["class_names"]),
        names=described["names"],
        given=arrays["given"],
        labels_as_given=arrays.get("labels_as_given"),
        dropped=arrays.get("dropped"),
        groups=arrays.get("groups"),
        problems=tuple(from_dict(Problem, problem) for problem in described["problems"]),
        fit=described["fit"],
        last_is_fair=described["last_is_fair"],
    )
    return Material(
        pool=pool,
        splitting=from_dict(Splitting, described["splitting"]),
        options=described["options"],
        known_pairs=arrays["pairs"],
    )


_SPLITTING = Splitting.__dataclass_fields__.keys()


def _positions(split: Split) -> NDArray[np.int64]:
    return np.asarray(split.images).reshape(len(split), 8).view("<i8")[:, 0].astype(np.int64)


def _of_dataset(data: Dataset) -> Material:
    if any(problem.kind == "grouped" for problem in data.problems):
        raise ConfigError(
            f"{data.name} was read with groups, which a data set does not keep; hand over what "
            "load_data was given, with the same options"
        )
    everything = join_splits(list(data.splits.values()))
    sizes = [len(split) for split in data.splits.values()]
    pool = Pool(
        name=data.name,
        source=data.source,
        images=everything.images,
        labels=everything.labels,
        class_names=data.class_names,
        names=everything.names,
        given=np.repeat(np.arange(len(sizes)), sizes),
        problems=data.problems,
        fit=data.fit,
    )
    return Material(pool=pool, options=dict(data.options), divided=data)


def _sampled(pool: Pool, splitting: Splitting) -> Pool:
    """A share of each given part, every class in proportion."""
    kept: list[NDArray[np.int64]] = []
    for number in np.unique(pool.given):
        own = np.flatnonzero(pool.given == number)
        groups = None if pool.groups is None else pool.groups[own]
        kept.append(own[sample_indices(pool.strata[own], splitting.sample, splitting.seed, groups)])
    positions = np.sort(np.concatenate(kept))
    images = select(pool.images, positions)
    wanted: list[int] = positions.tolist()
    return replace(
        pool,
        images=images if isinstance(images, StoredImages) else np.ascontiguousarray(images),
        labels=pool.labels[positions],
        labels_as_given=None if pool.labels_as_given is None else pool.labels_as_given[positions],
        dropped=None if pool.dropped is None else pool.dropped[positions],
        given=pool.given[positions],
        groups=None if pool.groups is None else pool.groups[positions],
        # A number means the picture's place in the whole.
        names=[f"[{p}]" if pool.names is None else pool.names[p] for p in wanted],
        folder=None,  # what is kept there belongs to the whole
    )
