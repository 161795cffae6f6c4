"""What all experiments of several runs do alike: the record, and a word after each run."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from convolens.data import Dataset, check_data, is_official, refuse_bad, refuse_one_class
from convolens.experiments.events import JobEnded, JobStarted, Telling
from convolens.experiments.folder import ExperimentFolder
from convolens.experiments.jobs import Job, Outcome, Workbench
from convolens.experiments.material import Material
from convolens.experiments.runner import run_jobs
from convolens.experiments.sharing import threads_of
from convolens.experiments.timing import PlannedRecipe, Time
from convolens.files import sha256
from convolens.training.progress_words import duration

Entry = dict[str, Any]
"""Of a finished run in the record."""


@dataclass(frozen=True, kw_only=True)
class Doing:
    """How the jobs of an experiment are done."""

    at_once: int
    """As for :func:`convolens.experiments.runner.run_jobs`."""
    telling: Telling
    """Who hears of it."""
    describe: Callable[[Job, Outcome], Entry]
    """From a job and its outcome to its entry in the record."""
    time: Time | None = None
    """What each run gets of it; None for the recipe's epochs."""


def do_jobs(
    folder: ExperimentFolder, bench: Workbench, jobs: list[Job], doing: Doing
) -> list[Entry]:
    """Do all jobs that are not done yet, and keep the record up to date.

    Args:
        folder: its record's ``runs`` is written after each job.
        bench: where they are done.
        jobs: all of them, in order.
        doing: how.

    Returns:
        The entries of all finished jobs, in their order; not of all jobs after Ctrl-C.
    """
    done: dict[str, Entry] = {}
    for job in jobs:
        if (outcome := bench.finished(job)) is not None:
            done[job.folder] = doing.describe(job, outcome)
    waiting = [job for job in jobs if job.folder not in done]
    if done:
        doing.telling.say(f"{len(done)} of {len(jobs)} were done before and are kept")
    timed = doing.time.begin(len(waiting), doing.at_once) if doing.time else _as_it_is
    # Runs of one time must not differ in what they have to spend it on.
    threads = {} if doing.time else threads_of(jobs, doing.at_once)
    begin = time.monotonic()

    def hand_out(job: Job) -> Job:
        return replace(timed(job), threads=threads.get(job.folder))

    def how_far(here: int) -> dict[str, Any]:
        rounds = math.ceil(here / doing.at_once)
        return {
            "done": len(done),
            "jobs": len(jobs),
            # Those that began together end together, or nearly so.
            "seconds_each": (time.monotonic() - begin) / rounds if rounds else None,
            "at_once": doing.at_once,
            "seconds_left": doing.time.left() if doing.time else None,
        }

    def started(job: Job) -> None:
        here = len(waiting) - (len(jobs) - len(done))
        doing.telling.on_event(JobStarted(job=job.name, **how_far(here)))

    def ended(job: Job, outcome: Outcome) -> None:
        done[job.folder] = doing.describe(job, outcome)
        folder.write(runs=_in_order(done, jobs))
        event = JobEnded(job=job.name, **how_far(len(waiting) - (len(jobs) - len(done))))
        doing.telling.on_event(event)
        doing.telling.say(_line(job, outcome, event))

    with suppress(KeyboardInterrupt):  # between two runs; during one, the run ends in order
        run_jobs(
            bench,
            waiting,
            at_once=doing.at_once,
            hand_out=hand_out,
            on_start=started,
            on_end=ended,
            on_event=doing.telling.on_event,
        )
    return _in_order(done, jobs)


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


def first_entries(data: dict[str, Any], plan: PlannedRecipe | None) -> dict[str, Any]:
    """What the record of several runs begins with, beside its settings."""
    planned = {} if plan is None else {"plan": plan.to_dict()}
    return {"data": data, "runs": [], "summary": {}, **planned}


def describe_division(material: Material) -> dict[str, Any]:
    """How pictures are divided, as a setting: of a split file its content, wherever it is."""
    options = material.splitting.options()
    file = options.pop("split_file", None)
    return options if file is None else {**options, "split_file_sha256": sha256(file)}


def check_dataset(dataset: Dataset, max_bad: float) -> dict[str, int]:
    """How many problems of each kind the data have.

    Raises:
        DataError: too many files are bad, or there is one class only.
    """
    refuse_bad(dataset, max_bad)
    refuse_one_class(dataset)
    return {} if is_official(dataset) else dict(check_data(dataset, near=False).kinds)


def _as_it_is(job: Job) -> Job:
    return job


def _in_order(done: dict[str, Entry], jobs: list[Job]) -> list[Entry]:
    return [done[job.folder] for job in jobs if job.folder in done]


def _line(job: Job, outcome: Outcome, ended: JobEnded) -> str:
    """How a run ended, and how long the others will take."""
    judged = outcome.results.get("test_accuracy")
    where = "test" if judged is not None else "validation"
    accuracy = outcome.results["val_accuracy"] if judged is None else judged
    assert ended.jobs is not None
    assert ended.seconds_each is not None
    left = ended.seconds_left
    if left is None:
        left = ended.seconds_each * math.ceil((ended.jobs - ended.done) / ended.at_once)
    rest = f"; about {duration(left)} left" if ended.done < ended.jobs else ""
    return (
        f"{job.name}: {accuracy:.2%} of {outcome.counts[where]:,} {where} pictures, after "
        f"{outcome.results['train_seconds']:.1f} s of training{rest}"
    )
