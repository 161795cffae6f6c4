"""The folds of a cross-validation: which there are, and which cannot be."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from convolens.errors import ConfigError, DataError
from convolens.experiments.jobs import Job, division_of
from convolens.experiments.material import Material


def fold_jobs(material: Material, folds: int, repeats: int, seed: int) -> list[Job]:
    """One job for each fold of each repeat.

    Args:
        material: what is divided.
        folds: of a repeat, at least 2.
        repeats: how often all of it is divided, each time anew.
        seed: of the first job; each after it takes the next one.

    Raises:
        ConfigError: a class has fewer pictures than there are folds.
        DataError: a fold leaves no picture of a class to train on.
    """
    _refuse_rare_classes(material, folds)
    jobs: list[Job] = []
    for repeat in range(repeats):
        for fold in range(folds):
            splitting = replace(
                material.splitting,
                folds=folds,
                fold=fold,
                seed=(material.splitting.seed + repeat) % 2**64,
            )
            words = f"fold {fold + 1} of {folds}"
            folder = f"fold-{fold + 1}-of-{folds}"
            if repeats > 1:
                words = f"repeat {repeat + 1}, {words}"
                folder = f"repeat-{repeat + 1}/fold-{fold + 1}"
            jobs.append(
                Job(
                    name=words,
                    folder=folder,
                    seed=seed + len(jobs),
                    splitting=splitting.options(),
                    keeps_predictions=True,
                )
            )
    _refuse_missing_classes(material, jobs)
    return jobs


def refuse_other_divisions(options: Mapping[str, Any]) -> None:
    """Refuse options of ``load_data`` that say what the test part is.

    Raises:
        ConfigError: there is one.
    """
    for name in ("folds", "fold", "test_size", "split_file"):
        if options.get(name) is not None:
            raise ConfigError(
                f"{name} and a cross-validation both say what the test part is; leave {name} out"
            )


def _refuse_rare_classes(material: Material, folds: int) -> None:
    """Every fold is to test every class, and to leave some of it to train on."""
    labels = material.pool.labels[material.candidates]
    counts = np.bincount(labels, minlength=len(material.pool.class_names))
    rarest = int(np.where(counts > 0, counts, len(labels) + 1).argmin())
    if counts[rarest] < folds:
        n = int(counts[rarest])
        name = material.pool.class_names[rarest]
        remedy = f"use at most {n} folds, or" if n > 1 else "add pictures of it, or"
        raise ConfigError(
            f"folds is {folds}, but the class {name!r} has {n} picture{'s' * (n != 1)}, so not "
            f"every fold could test it; {remedy} leave the class out"
        )


def _refuse_missing_classes(material: Material, jobs: list[Job]) -> None:
    """Groups and copies may put all pictures of a class into one fold."""
    if not material.grouped and not len(material.pairs):
        return
    classes = set(material.pool.labels[material.candidates].tolist())
    for job in jobs:
        missing = classes - material.trained_classes(division_of(job))
        if missing:
            names = ", ".join(material.pool.class_names[label] for label in sorted(missing))
            raise DataError(
                f"{job.name} leaves no picture of {names} to train on, because pictures of one "
                "group, or copies, stay together; use fewer folds, or more groups for this class"
            )
