"""The predictions of a cross-validation: for every picture those of a model that never saw it."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ModelError
from convolens.experiments.jobs import Job, Workbench
from convolens.files import replacing

FILE = "out_of_fold.npz"


@dataclass(frozen=True, eq=False, kw_only=True)
class OutOfFold:
    """What ``out_of_fold.npz`` holds, which any NumPy reads without pickle."""

    probabilities: NDArray[np.float32]
    """(repeats, n, classes), each row summing to 1."""
    labels: NDArray[np.int64]
    """(n,) the index of each picture's class."""
    fold: NDArray[np.int64]
    """(repeats, n) which fold held the picture out, from 1."""
    names: tuple[str, ...]
    """(n,) what each picture is called; ``[17]`` where it has a number alone."""
    class_names: tuple[str, ...]
    """The name of each class, in the order of the probabilities."""
    copies: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    """(m, 2) pairs of positions that show the same picture, or nearly; none where copies were not
    looked for, and in files of before."""

    @property
    def mean_probabilities(self) -> NDArray[np.float64]:
        """(n, classes), over the repeats."""
        return self.probabilities.mean(axis=0, dtype=np.float64)


def collect(folder: Path, bench: Workbench, jobs: list[Job], folds: int) -> OutOfFold:
    """Put the predictions of all finished folds together, and write them."""
    material = bench.material
    everything = material.candidates
    repeats = len(jobs) // folds
    place_of = np.full(len(material.pool.labels), -1)
    place_of[everything] = np.arange(len(everything))
    n_classes = len(material.pool.class_names)
    probabilities = np.full((repeats, len(everything), n_classes), np.nan, dtype=np.float32)
    fold_of = np.zeros((repeats, len(everything)), dtype=np.int64)
    for number, job in enumerate(jobs):
        repeat, fold = divmod(number, folds)
        positions, predicted = bench.predictions(job)
        places = place_of[positions]
        assert (places >= 0).all(), "a fold holds out candidates only"
        assert (fold_of[repeat, places] == 0).all(), "no picture is held out twice"
        probabilities[repeat, places] = predicted
        fold_of[repeat, places] = fold + 1
    assert (fold_of > 0).all(), "every picture is held out once"
    kept = OutOfFold(
        probabilities=probabilities,
        labels=material.pool.labels[everything],
        fold=fold_of,
        names=tuple(material.names(everything)),
        class_names=material.pool.class_names,
        copies=_among(place_of, material.pairs),
    )
    with replacing(folder / FILE) as temporary:
        np.savez(
            temporary,
            probabilities=kept.probabilities,
            labels=kept.labels,
            fold=kept.fold,
            names=np.array(kept.names, dtype=np.str_),
            class_names=np.array(kept.class_names, dtype=np.str_),
            copies=kept.copies,
        )
    return kept


def _among(place_of: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of some pairs of pictures that are both held out, by their places there."""
    places = place_of[pairs]
    return places[(places >= 0).all(axis=1)]


def load_out_of_fold(folder: Path) -> OutOfFold:
    """Read the predictions of a finished cross-validation.

    Raises:
        ModelError: they are not there, or the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        raise ModelError(f"{path} does not exist; it is written when the last fold is done")
    try:
        with np.load(path, allow_pickle=False) as kept:
            return OutOfFold(
                probabilities=kept["probabilities"],
                labels=kept["labels"],
                fold=kept["fold"],
                names=tuple(kept["names"].tolist()),
                class_names=tuple(kept["class_names"].tolist()),
                **({"copies": kept["copies"]} if "copies" in kept else {}),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} is damaged ({error}); the same command makes it anew") from None
