"""How the runs of an experiment share a machine: how many go at once, and on how many threads."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from convolens.config import check_whole
from convolens.data import Dataset
from convolens.experiments.jobs import Job
from convolens.training import Recipe
from convolens.training.recording import settled_for

MOST_AT_ONCE = 4
"""Unless somebody asks for more: each process takes some hundred megabytes and reads the same
memory, and more of them than two were never measured."""
WORTH_PROCESSES = 50_000_000
"""Pixels that a run sees: a process starts in some seconds, and learns from as many in ten."""
MOST_SHARED = 4 * 2**30
"""Bytes of pictures that are written out for other processes without being asked to."""


def usual_at_once(jobs: int, data: Dataset, recipe: Recipe, *, timed: bool) -> int:
    """How many runs go at once unless somebody says it: one a core, where that pays.

    Measured on two cores with five folds of 48,000 pictures: one fold a core takes 0.72 to 0.88 of
    the time of one after the other, each on both (``benchmarks/cross_validation.py``). A run that
    has a time takes all of it on whatever it has; and a GPU is not shared.

    Args:
        jobs: how many runs there are.
        data: of one of them.
        recipe: of all.
        timed: whether they have a time instead of epochs.
    """
    epochs = settled_for(recipe, data).epochs
    assert epochs is not None
    height, width, channels = data.shape
    n = sum(map(len, data.splits.values()))
    if (
        timed
        or torch.cuda.is_available()
        or len(data.train) * epochs * height * width < WORTH_PROCESSES
        or n * height * width * channels > MOST_SHARED
    ):
        return 1
    return max(1, min(jobs, torch.get_num_threads(), MOST_AT_ONCE))


def recorded_at_once(record: Mapping[str, Any]) -> int | None:
    """How many went at once when an experiment began; None where it begins now.

    It is a setting like others: with more than three threads their number decides the last bits.
    """
    number = record.get("settings", {}).get("at_once")
    return None if number is None else int(number)


def check_at_once(asked: int | None) -> None:
    """Refuse what is no number of runs.

    Raises:
        ConfigError: it is below 1, or enormous.
    """
    if asked is not None:
        check_whole("at_once", asked, 1, 1024)


def threads_of(jobs: Sequence[Job], at_once: int) -> dict[str, int]:
    """For each job's folder on how many threads it runs, if so many go at once.

    The last ones, where they are fewer, share all threads. It depends on a job's place among all
    and not on which are left, since the last bits may depend on it.

    >>> jobs = [Job(name=f"seed {seed}", folder=f"{seed}", seed=seed) for seed in range(3)]
    >>> torch.set_num_threads(2)
    >>> threads_of(jobs, 2)
    {'0': 1, '1': 1, '2': 2}
    """
    threads, last = torch.get_num_threads(), len(jobs) % at_once
    return {
        job.folder: max(1, threads // (at_once if place < len(jobs) - last else last))
        for place, job in enumerate(jobs)
    }
