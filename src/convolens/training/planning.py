"""Before a run begins: how long it will take, and how many epochs a budget is enough for."""

import math
from dataclasses import dataclass, field, replace

from convolens.data import is_official
from convolens.errors import ConfigError
from convolens.training.budget import Budget
from convolens.training.expectations import Expectation, expected_accuracy
from convolens.training.probing import seconds_per_step
from convolens.training.recording import Job, prepare_job
from convolens.training.settings import Recipe

HALF_WIDTH = 16
# Of a training step, for as many pictures: a forward pass alone.
_JUDGING = 0.4
# Drawing and writing the figures and the report, which imports matplotlib, and the model.
_FIGURES = 3.8
# At most so many heat maps are in a report, and each takes as long as a picture in so many steps.
HEAT_MAPS = 168
_HEAT_MAP = 2.0
_FILES = 0.2
# Of a short budget: rather an end some seconds late than a network that has learnt nothing.
_MOST_RESERVED = 0.4


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """A run as it will be carried out."""

    job: Job
    """With the number of epochs that the budget is expected to be enough for."""
    expected: Expectation = field(default_factory=Expectation)
    budget: Budget | None = None
    """With the reserve for what comes after the last step, once that was measured."""


def plan_run(
    job: Job,
    budget: Budget | None = None,
    *,
    asked: Recipe | None = None,
    figures: bool = True,
) -> Plan:
    """Measure a step, and say from it what the run will take.

    A budget too short for one epoch is given to a network of half the width (``compact`` alone, and
    where none was asked for): it is three times as fast, and there the number of pictures seen
    counts for more. What else follows from the number of epochs, such as flips, follows here too.

    Args:
        job: settled; its network is left as it is.
        budget: a time instead of the recipe's epochs.
        asked: the recipe before it was settled, from which a budget's is settled anew.
        figures: whether pictures will be drawn at the end.

    Returns:
        The plan. Without a budget the job is the one given, so measuring changes no weight.

    Raises:
        ConfigError: the budget is over already.
    """
    costs = _measured(job)
    after = _after(costs, figures=figures)
    if budget is not None:
        asked = job.recipe if asked is None else asked
        budget = _with_reserve(budget, costs, after)
        epochs = budget.left() / costs.epoch
        if 0 < epochs < 1 and asked.architecture == "compact" and "width" not in asked.arguments:
            asked = replace(asked, arguments={**asked.arguments, "width": HALF_WIDTH})
            costs = _measured(prepare_job(job.data, asked, job.seed))
            epochs = budget.left() / costs.epoch
        epochs = round(min(max(epochs, 0.001), 100_000.0), 3)
        job = prepare_job(job.data, replace(asked, epochs=epochs), job.seed)
    recipe = job.recipe
    assert recipe.epochs is not None
    expected = Expectation(
        seconds=after + recipe.epochs * costs.epoch,
        accuracy=expected_accuracy(job.data.name, recipe, len(job.data.train.labels))
        if is_official(job.data)
        else None,
        seconds_per_step=costs.step,
    )
    return Plan(job=job, expected=expected, budget=budget)


def keep_reserve(plan: Plan, *, figures: bool = True) -> Plan:
    """The plan with time kept back for what comes after the last step.

    For a run whose recipe was planned before: one of several that must not differ, or one that
    begins again. Its recipe stays as it is; only the pace is the clock's.

    Args:
        plan: one without a budget, or with a reserve, is left as it is.
        figures: whether pictures will be drawn at the end.

    Raises:
        ConfigError: the budget is over already.
    """
    if plan.budget is None or plan.budget.reserve > 0:
        return plan
    costs = _measured(plan.job)
    after = _after(costs, figures=figures)
    budget = _with_reserve(plan.budget, costs, after)
    expected = replace(
        plan.expected, seconds=budget.left() + budget.reserve, seconds_per_step=costs.step
    )
    return replace(plan, expected=expected, budget=budget)


@dataclass(frozen=True, kw_only=True)
class _Costs:
    """Seconds on this machine, of parts of a run."""

    step: float
    epoch: float
    """With the judging of the validation pictures."""
    judged: float
    """The judging of the validation pictures."""
    tested: float
    """The judging of the test pictures."""
    heated: float
    """The heat maps of the report."""


def _after(costs: _Costs, *, figures: bool) -> float:
    """Seconds from the trained model to the end of the run."""
    return costs.tested + _FILES + (_FIGURES + costs.heated) * figures


def _with_reserve(budget: Budget, costs: _Costs, after: float) -> Budget:
    left = budget.left()
    if left <= 0:
        raise ConfigError(
            f"a budget of {round(budget.seconds, 1):g} s is over before the first step: starting, "
            f"reading and measuring took {budget.seconds - left:.1f} s; give it more"
        )
    reserve = after + costs.judged
    if reserve > _MOST_RESERVED * left:  # cut, it says nothing of what judging is to take
        return replace(budget, reserve=_MOST_RESERVED * left)
    return replace(budget, reserve=reserve, validating=costs.judged, testing=costs.tested)


def _measured(job: Job) -> _Costs:
    data, recipe = job.data, job.recipe
    assert recipe.batch_size is not None
    batch = min(recipe.batch_size, len(data.train.labels))
    step = seconds_per_step(job.network, recipe, data.shape, len(data.class_names), batch)
    images = 2 if recipe.augmentation.flip else 1  # a mirrored picture is judged twice
    judging = images * _JUDGING * step / batch
    judged = judging * len(data.validation.labels)
    steps_per_epoch = math.ceil(len(data.train.labels) / recipe.batch_size)
    return _Costs(
        step=step,
        epoch=steps_per_epoch * step + judged,
        judged=judged,
        tested=judging * (len(data.test.labels) if data.test is not None else 0),
        heated=images * _HEAT_MAP * step / batch * min(HEAT_MAPS, len(data.validation.labels)),
    )
