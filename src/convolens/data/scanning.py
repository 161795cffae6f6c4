"""One pass over all pictures of a data set: everything that the doctor needs of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.data.blanks import blank_pictures
from convolens.data.datasets import Dataset
from convolens.data.duplicates import CHUNK_BYTES, digest_pictures
from convolens.data.perceptual import Fingerprints, fingerprint, join_fingerprints
from convolens.data.same_rules import rule_for
from convolens.data.stored import map_chunks

_Looks = tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.bool_], list[Fingerprints]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scan:
    """What was seen of the n pictures of a data set, its splits one after the other."""

    dataset: Dataset
    """Whose pictures they are."""
    histograms: dict[str, NDArray[np.int64]]
    """How often each of the 256 values is in a split."""
    digests: NDArray[np.uint64]
    """(n, 2), 128 bits that are equal where the pixels are."""
    blank: NDArray[np.bool_]
    """(n,), whether a picture shows nothing."""
    prints: Fingerprints | None
    """None where near duplicates are not looked for, or the pictures too small for it."""
    starts: dict[str, int]
    """The index of each split's first picture."""

    def place(self, index: int) -> tuple[str, int]:
        """The split of a picture and its number there."""
        name = [name for name, start in self.starts.items() if start <= index][-1]
        return name, index - self.starts[name]

    def name(self, index: int) -> str:
        """What a picture is called: by its file or row, else as ``test[3]``."""
        split_name, position = self.place(index)
        own = self.dataset.splits[split_name].name_of(position)
        return f"{split_name}[{position}]" if own is None else own

    def label(self, index: int) -> int:
        """The label of a picture."""
        split_name, position = self.place(index)
        return int(self.dataset.splits[split_name].labels[position])

    def fetch(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pictures by their indices, ascending."""
        parts: list[NDArray[np.uint8]] = []
        for name, split in self.dataset.splits.items():
            own = indices - self.starts[name]
            inside = own[(own >= 0) & (own < len(split))]
            if len(inside):
                parts.append(split.images[inside])
        return np.concatenate(parts)


def scan_dataset(dataset: Dataset, *, near: bool = True) -> Scan:
    """Look at every picture once, some megabytes at a time.

    Args:
        dataset: the data set, in memory or on disk.
        near: whether to take what near copies are found by.

    Returns:
        For each picture 17 bytes and, from 8 x 8 pixels on, another 71 to 213.

    >>> from convolens.data.datasets import Split
    >>> part = Split(np.zeros((2, 8, 8, 1), np.uint8), np.array([0, 1]))
    >>> scan = scan_dataset(Dataset("blank", part, part, None, ("cat", "dog"), "made by hand"))
    >>> scan.name(2), int(scan.blank.sum())
    ('validation[0]', 4)
    """
    comparable = near and rule_for((0, *dataset.shape)) is not None

    def look_at(chunk: NDArray[np.uint8]) -> _Looks:
        histogram = np.bincount(chunk.ravel(), minlength=256)
        prints = [fingerprint(chunk)] if comparable else []
        return histogram, digest_pictures(chunk), blank_pictures(chunk), prints

    histograms: dict[str, NDArray[np.int64]] = {}
    starts: dict[str, int] = {}
    digests: list[NDArray[np.uint64]] = []
    blank: list[NDArray[np.bool_]] = []
    prints: list[Fingerprints] = []
    for name, split in dataset.splits.items():
        starts[name] = sum(map(len, blank))
        histograms[name] = np.zeros(256, dtype=np.int64)
        for histogram, digest, is_blank, own in map_chunks(look_at, split.images, CHUNK_BYTES):
            histograms[name] += histogram
            digests.append(digest)
            blank.append(is_blank)
            prints += own
    return Scan(
        dataset=dataset,
        histograms=histograms,
        digests=np.concatenate(digests),
        blank=np.concatenate(blank),
        prints=join_fingerprints(prints) if prints else None,
        starts=starts,
    )
