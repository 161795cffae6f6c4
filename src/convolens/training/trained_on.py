"""Which pictures a run was trained on, so that none is taken for a new one later."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convolens.data import Dataset, Split, picture_digests
from convolens.files import replacing

TRAINED_ON = "trained_on.npy"
"""(n,) 64 bits of each training and validation picture's digest."""
CHOSEN_BY = "chosen_by.npy"
"""(n,) likewise of those validation pictures alone that are not training pictures, too."""


@dataclass(frozen=True, kw_only=True)
class SeenPictures:
    """How many of some pictures had a part in a training."""

    trained_on: int
    """It learned from them."""
    chosen_by: int
    """Its best epoch, its temperature and its thresholds were chosen by them."""


def remember_training_pictures(folder: Path, data: Dataset) -> None:
    """Write the digests of the pictures that a run learns from, or is chosen by."""
    learned = np.unique(picture_digests(data.train.images))
    chosen = np.setdiff1d(picture_digests(data.validation.images), learned)
    _write(folder / CHOSEN_BY, chosen)
    _write(folder / TRAINED_ON, np.union1d(learned, chosen))


def count_trained_on(folder: Path, split: Split) -> int | None:
    """How many pictures a run was trained on, or chosen by; None where that is not known.

    The pictures must have gone through the same preparation: those of another size are others.
    """
    seen = count_seen(folder, split)
    return None if seen is None else seen.trained_on + seen.chosen_by


def count_seen(folder: Path, split: Split) -> SeenPictures | None:
    """As :func:`count_trained_on`, but those that it learned from and was chosen by apart.

    Runs of earlier versions do not tell them apart: then all count as learned from.
    """
    known = _read(folder / TRAINED_ON)
    if known is None:
        return None
    digests = picture_digests(split.images)
    chosen_by = _read(folder / CHOSEN_BY)
    chosen = 0 if chosen_by is None else int(np.isin(digests, chosen_by).sum())
    return SeenPictures(trained_on=int(np.isin(digests, known).sum()) - chosen, chosen_by=chosen)


def _write(path: Path, digests: NDArray[np.uint64]) -> None:
    with replacing(path) as temporary:
        np.save(temporary, digests)


def _read(path: Path) -> NDArray[np.uint64] | None:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
