"""One run of an experiment: what is to be trained, doing it, and knowing it when it is done."""

import shutil
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens import errors
from convolens.data import Splitting
from convolens.errors import ConfigError, ConvolensError, ModelError
from convolens.experiments.material import Material, Part
from convolens.files import replacing
from convolens.training import Callback, Recipe, Run, load_run
from convolens.training.budget import Budget
from convolens.training.cadence import EVERY, CheckpointEvery
from convolens.training.planning import Plan, keep_reserve
from convolens.training.recording import prepare_job
from convolens.training.resuming import resume_run
from convolens.training.running import train_plan

HELD_OUT = "held_out.npz"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run."""

    name: str
    """In words, for messages: "fold 2 of 5"."""
    folder: str
    """Of its run, inside the experiment's."""
    seed: int
    """Of initial weights, order, augmentation and dropout."""
    splitting: dict[str, Any] | None = None
    """Options of the division; None for that of the data."""
    keeps_predictions: bool = False
    """Whether the probabilities of the test pictures are kept beside the run."""
    seconds: float | None = None
    """That the run may take; None for the recipe's epochs."""
    since: float = 0.0
    """``time.time()`` when they began to run: the start of a process is to count, too."""
    threads: int | None = None
    """Of a run in a process of its own; None for as many as there are."""

    def budget(self) -> Budget | None:
        """The time that the run may take, if it has one."""
        if self.seconds is None:
            return None
        gone = time.time() - self.since
        return Budget(seconds=self.seconds, started=time.perf_counter() - gone)


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """What became of a job."""

    status: str
    """"completed" or "interrupted"."""
    results: dict[str, Any] = field(default_factory=dict[str, Any])
    """Those of the run."""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """Pictures of each split."""
    stop_asked: bool = False
    """Whether somebody asked to stop, be it in the last step of a run that is complete."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How each run of an experiment is carried out; it changes no weight."""

    checkpoint_every: CheckpointEvery = EVERY
    """As for :func:`convolens.training.train_recipe`."""
    tensorboard: bool = False
    """Whether files for TensorBoard are written."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, for other processes.

        Raises:
            ConfigError: ``checkpoint_every`` is an object.
        """
        if not isinstance(self.checkpoint_every, str | int | float):
            raise ConfigError(
                "checkpoint_every must be a text or seconds where several runs go at once; got a "
                f"{type(self.checkpoint_every).__name__}"
            )
        return asdict(self)


def division_of(job: Job) -> Splitting | None:
    """How a job's pictures are divided; None for as the data are."""
    return None if job.splitting is None else Splitting(**job.splitting)


class Workbench:
    """Where jobs are done: the material, the recipe and the folder that they have in common."""

    def __init__(
        self,
        material: Material,
        recipe: Recipe,
        folder: Path,
        problems: Mapping[str, int] | None = None,
        options: RunOptions = RunOptions(),
    ) -> None:
        self.material = material
        self.recipe = recipe
        self.folder = folder
        self.problems = dict(problems or {})
        self.options = options
        # Divisions are made one after the other; only the last one is worth its memory.
        self._part = lru_cache(maxsize=1)(material.part)

    def part(self, job: Job) -> Part:
        """The pictures of a job."""
        return self._part(division_of(job))

    def do(self, job: Job, on_event: Callback = lambda _: None) -> Outcome:
        """Train; what was begun is gone on with from its last checkpoint.

        Args:
            job: what to do.
            on_event: called with every event of the run.

        Raises:
            ConvolensError: as :func:`convolens.training.train_recipe`, the job's name first.
        """
        part, place = self.part(job), self.folder / job.folder
        try:
            run = self._go_on(job, part, on_event) or self._begin(job, part, on_event)
        except ConvolensError as error:
            raise named(error, job.name) from None
        if run.status == "completed" and job.keeps_predictions:
            _write_predictions(place, part, _probabilities(run, part))
        return _outcome(run)

    def finished(self, job: Job) -> Outcome | None:
        """The outcome of a job that was done before, or None where it is still to be done.

        A run that is damaged counts as not done.

        Raises:
            ConfigError: in its place is a run of other data or settings.
        """
        place = self.folder / job.folder
        try:
            run = load_run(place)
            if run.status != "completed":
                return None
            part = self.part(job)
            self._refuse_other(job, run, part)
            run.model()  # checks its files
            if job.keeps_predictions and _read_predictions(place, part) is None:
                _write_predictions(place, part, _probabilities(run, part))
        except ModelError:
            return None
        return _outcome(run)

    def predictions(self, job: Job) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Positions of the pictures that a finished job held out, and their probabilities."""
        part = self.part(job)
        probabilities = _read_predictions(self.folder / job.folder, part)
        assert probabilities is not None, "the job is finished"
        return part.held_out, probabilities

    def _begin(self, job: Job, part: Part, on_event: Callback) -> Run:
        begin, place = time.perf_counter(), self.folder / job.folder
        shutil.rmtree(place, ignore_errors=True)
        prepared = prepare_job(part.dataset, self.recipe, job.seed)
        plan = Plan(job=prepared, budget=job.budget())
        return train_plan(
            # The recipe was planned for all runs alike, and is not planned again.
            keep_reserve(plan, figures=False),
            path=place,
            problems=self.problems,
            checkpoint_every=self.options.checkpoint_every,
            tensorboard=self.options.tensorboard,
            figures=False,  # which take longer than a small run; Run.plot_learning_curves makes one
            begin=begin,
            on_event=on_event,
        )

    def _go_on(self, job: Job, part: Part, on_event: Callback) -> Run | None:
        """The run that was begun, done; None where there is nothing whole to go on with."""
        place = self.folder / job.folder
        try:
            run = load_run(place)
            if run.status == "completed":
                run.model()  # one that is damaged is begun anew
                return run
            if self._differs(job, run, part):
                return None
            return resume_run(
                place,
                part.dataset,
                checkpoint_every=self.options.checkpoint_every,
                tensorboard=self.options.tensorboard,
                figures=False,
                on_event=on_event,
            )
        except ModelError:
            return None

    def _refuse_other(self, job: Job, run: Run, part: Part) -> None:
        other = self._differs(job, run, part)
        if other:
            raise ConfigError(
                f"{run.path} should be {job.name}, but it is a finished run with another "
                f"{' and another '.join(other)}; move it away, or name another folder"
            )

    def _differs(self, job: Job, run: Run, part: Part) -> list[str]:
        """In what a run is not the one that the job would make."""
        expected = {
            "recipe": self.recipe.name,
            "seed": job.seed,
            "data": part.dataset.fingerprint,
        }
        found = {
            "recipe": run.record.get("recipe", {}).get("name"),
            "seed": run.record.get("seed"),
            "data": run.record["data"].get("fingerprint"),
        }
        return [name for name, value in expected.items() if found[name] != value]


def named(error: ConvolensError, name: str) -> ConvolensError:
    """The same error with a job's name first.

    An area may have an error of its own, made otherwise; the public one that it is will do.
    """
    cls = next(cls for cls in type(error).__mro__ if cls.__module__ == errors.__name__)
    return cls(f"{name}: {error}")


def _outcome(run: Run) -> Outcome:
    return Outcome(
        status=run.status,
        results=run.results,
        counts=run.record["data"]["counts"],
        stop_asked=run.stop_asked,
    )


def _probabilities(run: Run, part: Part) -> NDArray[np.float32]:
    """Of the classes of the pictures held out: as they were judged when the run ended."""
    if run.test is not None:
        return run.test.probabilities
    assert part.dataset.test is not None
    return run.model().predict_proba(part.dataset.test.images)


def _write_predictions(place: Path, part: Part, probabilities: NDArray[np.float32]) -> None:
    with replacing(place / HELD_OUT) as temporary:
        np.savez(temporary, positions=part.held_out, probabilities=probabilities)


def _read_predictions(place: Path, part: Part) -> NDArray[np.float32] | None:
    """The probabilities that were kept; None where they are missing or damaged."""
    try:
        # A ZIP file checks itself.
        with (place / HELD_OUT).open("rb") as file, np.load(file, allow_pickle=False) as kept:
            positions, probabilities = kept["positions"], kept["probabilities"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    wanted = (len(part.held_out), part.dataset.n_classes)
    same = np.array_equal(positions, part.held_out)
    return probabilities if same and probabilities.shape == wanted else None
