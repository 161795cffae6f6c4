"""Which pictures a run was trained on, so that none is taken for a new one later."""

from pathlib import Path

import numpy as np

from convolens.data import Dataset, Split, picture_digests
from convolens.files import replacing

TRAINED_ON = "trained_on.npy"
"""(n,) 64 bits of each training and validation picture's digest."""


def remember_training_pictures(folder: Path, data: Dataset) -> None:
    """Write the digests of the pictures that a run learns from, or is chosen by."""
    digests = [picture_digests(split.images) for split in (data.train, data.validation)]
    with replacing(folder / TRAINED_ON) as temporary:
        np.save(temporary, np.unique(np.concatenate(digests)))


def count_trained_on(folder: Path, split: Split) -> int | None:
    """How many pictures the run in a folder was trained on; None where that is not known.

    The pictures must have gone through the same preparation: those of another size are others.
    """
    try:
        known = np.load(folder / TRAINED_ON, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return int(np.isin(picture_digests(split.images), known).sum())
