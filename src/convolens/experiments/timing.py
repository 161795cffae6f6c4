"""The time of an experiment: what each run gets of it, and the plan that all of them keep."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from convolens.config import from_dict, to_dict
from convolens.data import Dataset
from convolens.errors import ConfigError
from convolens.experiments.jobs import Job
from convolens.training import Recipe
from convolens.training.budget import SHORTEST, Budget
from convolens.training.planning import plan_run
from convolens.training.progress_words import duration
from convolens.training.recording import prepare_job

SUMMARISING = 2.5
"""Seconds that are kept back for what comes after the last run: the summary and its picture."""

_MOST_KEPT_BACK = 0.2  # of a short budget


@dataclass(frozen=True, kw_only=True)
class PlannedRecipe:
    """What a budget decides in a recipe: once, for all runs of an experiment.

    Planned anew for each, runs could differ in their network and not in their seed alone.
    """

    epochs: float
    """That the time of a run is expected to be enough for; the clock has the last word."""
    batch_size: int
    """Pictures a step."""
    arguments: dict[str, Any]
    """Of the architecture; a short time is for a network of half the width."""
    flip: bool
    """Whether pictures are mirrored."""
    shift: int
    """By how many pixels they are moved, at most."""
    hardest_share: float
    """Share of the pictures that a round after the first is over, at least."""
    seconds: float
    """That each run has."""

    def of(self, recipe: Recipe) -> Recipe:
        """The recipe as it was planned."""
        return replace(
            recipe,
            epochs=self.epochs,
            batch_size=self.batch_size,
            arguments=dict(self.arguments),
            augmentation=replace(recipe.augmentation, flip=self.flip, shift=self.shift),
            hardest_share=self.hardest_share,
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)

    def __str__(self) -> str:
        arguments = "".join(f", {name} {value}" for name, value in self.arguments.items())
        flips = ", flipped" if self.flip else ""
        return f"about {self.epochs:.3g} epochs{arguments}{flips}, in {duration(self.seconds)}"


def plan_recipe(
    data: Dataset, recipe: Recipe, seed: int, budget: Budget, *, at_once: int = 1
) -> PlannedRecipe:
    """Measure a step, and decide what a run of so much time is.

    Args:
        data: of one run.
        recipe: as it is asked for.
        seed: of one run.
        budget: of one run.
        at_once: how many runs will share the threads.

    Raises:
        ConfigError: the budget is over already.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // at_once))
    try:
        plan = plan_run(prepare_job(data, recipe, seed), budget, asked=recipe, figures=False)
    finally:
        torch.set_num_threads(threads)
    planned = plan.job.recipe
    assert planned.epochs is not None
    assert planned.batch_size is not None
    assert planned.hardest_share != "auto"
    assert planned.augmentation.shift != "auto"
    return PlannedRecipe(
        epochs=planned.epochs,
        batch_size=planned.batch_size,
        arguments=dict(planned.arguments),
        flip=planned.augmentation.flip is True,
        shift=planned.augmentation.shift,
        hardest_share=planned.hardest_share,
        seconds=budget.seconds,
    )


def recorded_plan(record: Mapping[str, Any]) -> PlannedRecipe | None:
    """What an experiment planned when it began; None where it has no budget.

    Raises:
        ConfigError: the record was changed by hand.
    """
    plan = record.get("plan")
    return None if plan is None else from_dict(PlannedRecipe, plan, source="plan")


def as_planned(record: Mapping[str, Any], recipe: Recipe) -> Recipe:
    """The recipe as an experiment planned it; as it is where there is no budget."""
    plan = recorded_plan(record)
    return recipe if plan is None else plan.of(recipe)


@dataclass(frozen=True, kw_only=True)
class EachTime:
    """Every run has the same time, which begins to run when the run does."""

    seconds: float

    def begin(self, waiting: int, at_once: int) -> "EachTime":  # noqa: ARG002 - as of WholeTime
        """Hand out times for so many runs."""
        return self

    def __call__(self, job: Job) -> Job:
        """The job with its time."""
        return replace(job, seconds=self.seconds, since=time.time())

    def left(self) -> float | None:
        """Nobody knows what the whole has."""
        return None


class WholeTime:
    """All runs together have a time: each gets its part of what is left when it begins.

    Runs of an experiment that goes on have the time that was planned for each when it began, so
    that they are like those before; reading everything again comes on top.

    Args:
        budget: of the whole experiment.
        jobs: how many runs it has.
        plan: that it began with; None where it begins now.
    """

    def __init__(self, budget: Budget, jobs: int, plan: PlannedRecipe | None = None) -> None:
        self.budget = budget
        self.jobs = jobs
        self.each = None if plan is None else plan.seconds
        self._after = min(SUMMARISING, _MOST_KEPT_BACK * budget.seconds)
        self._end = budget.started + budget.seconds
        self._at_once = 1
        self._rounds = self._handed_out = 0

    def begin(self, waiting: int, at_once: int) -> "WholeTime":
        """Hand out times for so many runs, of which so many go at once."""
        self._at_once, self._handed_out = at_once, 0
        self._rounds = math.ceil(waiting / at_once)
        if self.each is not None:
            self._end = time.perf_counter() + self.each * self._rounds + self._after
        return self

    def share(self) -> float:
        """Seconds that the next run would have."""
        rounds = self._rounds - self._handed_out // self._at_once
        share = (self.left() - self._after) / max(1, rounds)
        return share if self.each is None else min(share, self.each)

    def first_share(self) -> Budget:
        """The budget of the first run, for which all are planned.

        Raises:
            ConfigError: it is too short for anything.
        """
        seconds = self.share()
        if seconds < SHORTEST:
            raise ConfigError(
                f"a budget of {self.budget.seconds:g} s for {self.jobs} runs leaves "
                f"{max(0.0, seconds):.1f} s for each, after starting and reading; give it more, at "
                f"least {SHORTEST:g} s a run"
            )
        return Budget.from_now(seconds)

    def __call__(self, job: Job) -> Job:
        """The job with its part of what is left."""
        share = self.share()
        self._handed_out += 1
        return replace(job, seconds=max(SHORTEST, share), since=time.time())

    def left(self) -> float:
        """Seconds until the end of the whole."""
        return self._end - time.perf_counter()


Time = EachTime | WholeTime
