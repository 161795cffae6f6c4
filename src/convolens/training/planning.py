"""Before a run begins: how long it will take, and how many epochs a budget is enough for."""

import math
from dataclasses import dataclass, replace

from convolens.data import is_official
from convolens.training.budget import Budget
from convolens.training.expectations import Expectation, expected_accuracy
from convolens.training.probing import seconds_per_step
from convolens.training.recording import Job

# Of a training step, for as many pictures: a forward pass alone.
_JUDGING = 0.4
# Drawing and writing the figures, which imports matplotlib, and the model.
_FIGURES = 2.0
_FILES = 0.2


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """A run as it will be carried out."""

    job: Job
    """With the number of epochs that the budget is expected to be enough for."""
    expected: Expectation
    budget: Budget | None
    """With the reserve for what comes after the last step."""


def plan_run(job: Job, budget: Budget | None = None, *, figures: bool = True) -> Plan:
    """Measure a step, and say from it what the run will take.

    Args:
        job: settled; its network is left as it is.
        budget: a time instead of the recipe's epochs.
        figures: whether pictures will be drawn at the end.

    Returns:
        The plan. Without a budget the job is the one given, so measuring changes no weight.
    """
    data, recipe = job.data, job.recipe
    assert recipe.batch_size is not None
    assert recipe.epochs is not None
    step = seconds_per_step(job.network, recipe, data.shape, len(data.class_names))
    picture = step / min(recipe.batch_size, len(data.train.labels))
    steps_per_epoch = math.ceil(len(data.train.labels) / recipe.batch_size)
    judged = _JUDGING * picture * len(data.validation.labels)
    tested = _JUDGING * picture * (len(data.test.labels) if data.test is not None else 0)
    epoch = steps_per_epoch * step + judged
    after = tested + _FILES + _FIGURES * figures
    if budget is not None:
        budget = replace(budget, reserve=after + judged)
        epochs = max(1 / steps_per_epoch, budget.left() / epoch)
        job = replace(job, recipe=replace(recipe, epochs=round(min(epochs, 100_000.0), 3)))
        recipe = job.recipe
        assert recipe.epochs is not None
    accuracy = expected_accuracy(data.name, recipe) if is_official(data) else None
    seconds = after + recipe.epochs * epoch
    expected = Expectation(seconds=seconds, accuracy=accuracy, seconds_per_step=step)
    return Plan(job=job, expected=expected, budget=budget)
