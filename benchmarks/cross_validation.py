"""What a cross-validation costs: one fold after the other, one fold a core, and single runs.

    python benchmarks/cross_validation.py [--rounds 3] [--folds 5] [--data fashion-mnist]
                                          [--epochs X] [--sample X] [--at-once CORES]

In every round, in turn: each fold's training alone, as ``convolens train`` does it on data that
are in memory, summed up; the whole of ``cross_validate`` with one fold after the other on all
threads; and the whole of it with one fold a core. The two of ``cross_validate`` contain all that a
user waits for beside training: reading, looking for copies, dividing, predicting what was held
out, and starting processes. Their ratios to the sum decide ``usual_at_once`` in
``convolens/experiments/sharing.py``; the goal is at most 1.05.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from convolens.data import Splitting
from convolens.experiments import cross_validate
from convolens.experiments.material import read_material
from convolens.recipes import fast
from convolens.training import train_recipe
from machine import write_result
from workers import spread


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--epochs", type=float, default=None)
    parser.add_argument("--sample", type=float, default=1.0)
    parser.add_argument("--at-once", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()

    load = os.getloadavg()[0]
    warm_up()
    rounds = [measure(given) for _ in range(given.rounds)]
    for number, row in enumerate(rounds, 1):
        print(f"round {number}: {row}")
    result: dict[str, Any] = {
        "data": given.data,
        "folds": given.folds,
        "epochs": given.epochs,
        "sample": given.sample,
        "at_once": given.at_once,
        "threads": torch.get_num_threads(),
        "load_average_before": load,
        "rounds": rounds,
    }
    for name in ("one_by_one_over_singles", "at_once_over_singles", "at_once_over_one_by_one"):
        result[name] = spread([row[name] for row in rounds])
        print(f"{name}: {result[name]}")
    if not given.dry:
        write_result("cross_validation", result)


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """One round of all three."""
    singles = sum(single_runs(given))
    one_by_one, first = whole(given, 1)
    at_once, second = whole(given, given.at_once)
    return {
        "singles_seconds": singles,
        "one_by_one_seconds": one_by_one,
        "at_once_seconds": at_once,
        "one_by_one_accuracy": first,
        "at_once_accuracy": second,
        "one_by_one_over_singles": one_by_one / singles,
        "at_once_over_singles": at_once / singles,
        "at_once_over_one_by_one": at_once / one_by_one,
    }


def warm_up() -> None:
    """What only the first training of a process pays for, such as importing matplotlib."""
    data = read_material("digits", sample=0.2).part().dataset
    with tempfile.TemporaryDirectory() as folder:
        train_recipe(data, fast(epochs=0.1), path=folder)


def single_runs(given: argparse.Namespace) -> list[float]:
    """Seconds of each fold's training, run folder, figures and test included."""
    material = read_material(given.data, sample=given.sample)
    seconds = []
    for fold in range(given.folds):
        data = material.part(Splitting(folds=given.folds, fold=fold)).dataset
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            train_recipe(data, fast(epochs=given.epochs), seed=fold, path=folder)
            seconds.append(time.perf_counter() - start)
    return seconds


def whole(given: argparse.Namespace, at_once: int) -> tuple[float, float]:
    """Seconds of a cross-validation from its name to its figures, and its accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = cross_validate(
            given.data,
            "fast",
            folds=given.folds,
            epochs=given.epochs,
            sample=given.sample,
            at_once=at_once,
            path=Path(folder) / "cv",
        )
        return time.perf_counter() - start, done.accuracy


if __name__ == "__main__":
    main()
