"""What all experiments of several runs do alike: the record, and a word after each run."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from convolens.config import check_whole
from convolens.data import Dataset, check_data, is_official, refuse_bad, refuse_one_class
from convolens.experiments.folder import ExperimentFolder
from convolens.experiments.jobs import Job, Outcome, Workbench
from convolens.experiments.material import Material
from convolens.experiments.runner import AT_ONCE, run_jobs

Say = Callable[[str], None]
"""Gets a line of text from time to time, while an experiment goes."""


def do_jobs(
    folder: ExperimentFolder,
    bench: Workbench,
    jobs: list[Job],
    at_once: int,
    say: Say,
    describe: Callable[[Job, Outcome], dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Do all jobs that are not done yet, and keep the record up to date.

    Args:
        folder: its record's ``runs`` is written after each job.
        bench: where they are done.
        jobs: all of them, in order.
        at_once: as for :func:`convolens.experiments.runner.run_jobs`.
        say: called with a line for each job.
        describe: from a job and its outcome to its entry in the record.

    Returns:
        The entries of all finished jobs, by the job's folder; not of all jobs after Ctrl-C.
    """
    done: dict[str, dict[str, Any]] = {}
    for job in jobs:
        if (outcome := bench.finished(job)) is not None:
            done[job.folder] = describe(job, outcome)
    waiting = [job for job in jobs if job.folder not in done]
    if done:
        say(f"{len(done)} of {len(jobs)} were done before and are kept")
    begin = time.monotonic()

    def ended(job: Job, outcome: Outcome) -> None:
        done[job.folder] = describe(job, outcome)
        folder.write(runs=[done[each.folder] for each in jobs if each.folder in done])
        left = len(jobs) - len(done)
        here = len(waiting) - left
        seconds = (time.monotonic() - begin) / here * left
        rest = f"; about {seconds:.0f} s left" if left else ""
        judged = outcome.results.get("test_accuracy")
        where = "test" if judged is not None else "validation"
        accuracy = outcome.results["val_accuracy"] if judged is None else judged
        say(
            f"{job.name}: {accuracy:.2%} of {outcome.counts[where]:,} {where} pictures, after "
            f"{outcome.results['train_seconds']:.1f} s of training{rest}"
        )

    with suppress(KeyboardInterrupt):  # between two runs; during one, the run ends in order
        run_jobs(bench, waiting, at_once=at_once, on_end=ended)
    return done


def chosen_at_once(folder: ExperimentFolder, asked: int | None) -> int:
    """How many runs at once: as asked for; else as it was begun; else the usual number.

    It is a setting like others: with fewer threads a sum is made in another order, and its last
    bits differ.
    """
    if asked is not None:
        return asked
    return int(folder.record.get("settings", {}).get("at_once", AT_ONCE))


def check_at_once(asked: int | None) -> None:
    """Refuse what is no number of runs.

    Raises:
        ConfigError: it is below 1, or enormous.
    """
    if asked is not None:
        check_whole("at_once", asked, 1, 1024)


def describe_data(material: Material) -> dict[str, Any]:
    """What a record says of the data."""
    pool = material.pool
    return {
        "name": pool.name,
        "source": pool.source,
        "options": {**material.options, **material.splitting.options()},
        "n": len(pool.labels),
        "shape": list(pool.images.shape[1:]),
        "classes": list(pool.class_names),
    }


def check_dataset(dataset: Dataset, max_bad: float) -> dict[str, int]:
    """How many problems of each kind the data have.

    Raises:
        DataError: too many files are bad, or there is one class only.
    """
    refuse_bad(dataset, max_bad)
    refuse_one_class(dataset)
    return {} if is_official(dataset) else dict(check_data(dataset, near=False).kinds)
