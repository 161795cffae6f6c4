"""Labels that are made wrong on purpose, and what models say of the pictures out of fold."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import convolens as cl
from convolens.experiments import load_cross_validation

KINDS = ("symmetric", "similar")
RATES = (0.05, 0.10, 0.20)
CHOOSING_SEED = 1
"""Of the noise on which anything in ours was chosen: a tenth of the labels, of both kinds. It is
reported apart, and no other setting was looked at before."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How labels are made wrong."""

    kind: str
    """"clean", "symmetric" (any other class) or "similar" (the class that it is most confused
    with)."""
    rate: float = 0.0
    """The share of all labels."""
    seed: int = 0
    """Of which labels, of the division into folds and of the trainings."""

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.kind}-{100 * self.rate:g}-seed-{self.seed}"


def choosing() -> Iterator[Setting]:
    """The settings on which ways to flag and to rank were compared."""
    for kind in KINDS:
        yield Setting(kind=kind, rate=0.10, seed=CHOOSING_SEED)


def reported(seeds: list[int]) -> Iterator[Setting]:
    """The settings whose figures are published."""
    assert CHOOSING_SEED not in seeds, "that noise was chosen on"
    for seed in seeds:
        for kind in KINDS:
            for rate in RATES:
                yield Setting(kind=kind, rate=rate, seed=seed)


def planted(truth: NDArray[np.int64], setting: Setting, similar: list[int]) -> NDArray[np.int64]:
    """The labels with a share of them made wrong.

    Args:
        truth: (n,) the labels as published.
        setting: how.
        similar: for each class the one that it is most confused with.
    """
    generator = np.random.default_rng(setting.seed)
    chosen = generator.permutation(len(truth))[: round(setting.rate * len(truth))]
    labels = truth.copy()
    if setting.kind == "similar":
        labels[chosen] = np.array(similar)[truth[chosen]]
    else:
        steps = generator.integers(1, len(similar), len(chosen))
        labels[chosen] = (truth[chosen] + steps) % len(similar)
    return labels


def most_confused(confusions: NDArray[np.int64]) -> list[int]:
    """For each class the one that its pictures are most often called instead."""
    others = confusions.copy()
    np.fill_diagonal(others, -1)
    return others.argmax(axis=1).tolist()


def similar_classes(work: Path, sample: int | None, folds: int) -> list[int]:
    """Those of models that were trained on the labels as published."""
    clean = out_of_fold(work, Setting(kind="clean"), [], sample, folds)
    n_classes = clean["probabilities"].shape[1]
    called = clean["probabilities"].argmax(axis=1)
    cells = np.bincount(clean["truth"] * n_classes + called, minlength=n_classes**2)
    return most_confused(cells.reshape(n_classes, n_classes))


def out_of_fold(
    work: Path, setting: Setting, similar: list[int], sample: int | None, folds: int
) -> dict[str, Any]:
    """Probabilities out of fold, planted labels and truth; from a file where they are there.

    A cross-validation that was stopped goes on where it was.
    """
    file = work / f"{setting.name}.npz"
    if not file.exists():
        images, truth, class_names = pictures(sample)
        labels = truth if setting.kind == "clean" else planted(truth, setting, similar)
        path = work / setting.name
        cl.cross_validate(
            (images, labels),
            "fast",
            folds=folds,
            seed=setting.seed,
            split_seed=setting.seed,
            class_names=class_names,
            path=path,
            say=lambda line: print(f"{setting.name}: {line}", flush=True),
        )
        done = load_cross_validation(path)
        kept = done.out_of_fold()
        assert np.array_equal(kept.labels, labels), "the pictures keep their order"
        np.savez(
            file,
            probabilities=kept.probabilities.mean(axis=0, dtype=np.float64),
            labels=labels,
            truth=truth,
            accuracy=done.accuracy,
        )
    with np.load(file) as there:
        return dict(there)


def pictures(sample: int | None) -> tuple[Any, NDArray[np.int64], tuple[str, ...]]:
    """The official training pictures of Fashion-MNIST, or the first of them, as published."""
    data = cl.load_data("fashion-mnist", validation="last")
    images = np.concatenate([data.train.images, data.validation.images])
    labels = np.concatenate([data.train.labels, data.validation.labels])
    return images[:sample], labels[:sample], data.class_names
