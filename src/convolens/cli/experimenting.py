"""What the commands of several runs share: ``cv``, ``tune`` and ``train --seeds``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from convolens.cli.invocation import going_on, invocation
from convolens.cli.output import print_json, print_text

if TYPE_CHECKING:
    from pathlib import Path

    from convolens.training import Recipe
    from convolens.training.budget import Budget


def check_before_reading(progress: str, *, checkpoint_every: str = "30s") -> None:
    """Refuse words that cannot be, before a data set is read, which may take minutes."""
    from convolens.training.durations import parse_duration
    from convolens.training.progress import choose_display

    parse_duration(checkpoint_every, "--checkpoint-every")
    choose_display(progress)


def chosen_budget(
    context: typer.Context, text: str | None, epochs: float | None
) -> "Budget | None":
    """The time that was asked for, which began to run with the process."""
    from convolens.recipes.budgets import choose_budget, refuse_both

    refuse_both(epochs, text, "--epochs", "--budget")
    return choose_budget(text, "--budget", started=invocation(context).started)


def chosen_recipe(recipe: str | None, model: str | None, **settings: Any) -> "Recipe":
    """The recipe that is asked for, with what is given beside it; what is None is not."""
    from convolens.experiments import find_recipe
    from convolens.recipes import with_model

    chosen = find_recipe(recipe or "fast")
    if model is not None:
        chosen = with_model(chosen, model)
    given = {name: value for name, value in settings.items() if value is not None}
    return replace(chosen, **given)


def data_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of the data set; its division's seed is not that of the trainings."""
    return {("split_seed" if name == "seed" else name): value for name, value in options.items()}


@contextmanager
def interrupts_go_on(context: typer.Context) -> Iterator[None]:
    """Ctrl-C in the block ends with the command that goes on, if there is a folder by then."""
    try:
        yield
    except KeyboardInterrupt as stop:
        from convolens.experiments.folder import InterruptedExperiment

        if isinstance(stop, InterruptedExperiment):
            raise going_on(context, str(stop.path)) from stop
        raise


def report(
    context: typer.Context,
    status: str,
    folder: "Path",
    *,
    value: dict[str, Any],
    text: str,
    as_json: bool,
) -> int:
    """Print a result; after Ctrl-C, end with the command that goes on."""
    if as_json:
        print_json(value)
    else:
        print_text(text)
    if status == "interrupted":
        raise going_on(context, str(folder))
    return 0
