"""Training by name: the data set, the recipe, and a run at the end."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from convolens.config import choose
from convolens.data import (
    Dataset,
    DataSource,
    check_data,
    is_official,
    load_data,
    refuse_bad,
    refuse_one_class,
)
from convolens.errors import ConfigError
from convolens.extras import require
from convolens.recipes.budgets import choose_budget, refuse_both
from convolens.recipes.named import RECIPES
from convolens.recipes.showing import preparation_shown, shown
from convolens.training import Callback, Recipe, Run, load_run, train_recipe
from convolens.training.budget import Budget
from convolens.training.cadence import EVERY, CheckpointEvery
from convolens.training.progress import choose_display
from convolens.training.resuming import resume_run


def train(
    data: Dataset | DataSource = "digits",
    recipe: Recipe | str = "fast",
    *,
    epochs: float | None = None,
    budget: str | float | Budget | None = None,
    seed: int = 0,
    path: str | Path | None = None,
    max_bad: float = 0.01,
    checkpoint_every: CheckpointEvery = EVERY,
    progress: bool | str = True,
    tensorboard: bool = False,
    on_event: Callback | None = None,
) -> Run:
    """Train a classifier, and keep everything of it in a run folder.

    Args:
        data: a data set, or what :func:`convolens.data.load_data` takes: a name, a path, (X, y).
        recipe: a recipe, or the name of one: "fast", "accurate" or "notes".
        epochs: instead of the recipe's; a fraction is allowed.
        budget: a time instead of epochs, for all that this call does: "60s", "2m", "1h", or
            seconds from 1. The schedule is fitted to it, so that the learning rate still ends at
            zero. How many steps it is enough for depends on the machine and on what else it does:
            the result is not the same to the bit.
        seed: of initial weights, order, augmentation and dropout; the same seed on the same
            machine gives the same bits.
        path: folder of the run; by default ``runs/<data>-<recipe>-<n>``.
        max_bad: the share of bad files (see :func:`convolens.data.bad_share`) above which nothing
            is trained.
        checkpoint_every: time between two checkpoints, such as "30s", "2m" or "off"; where they
            would cost over 2 % of the run they are fewer. They change no weight.
        progress: how to show on standard error how it goes: True or "auto", "live", "plain",
            "jsonl" (events as lines of JSON), False or "none".
        tensorboard: write files for TensorBoard, too, in the folder ``tensorboard`` of the run.
        on_event: called with the same events as are written to ``metrics.jsonl``.

    Returns:
        The run: ``run.results``, ``run.model()``, ``run.evaluate()``, ``run.history``. If it was
        interrupted, :func:`resume` goes on with it.

    Raises:
        ConfigError: an unknown recipe, settings that do not fit the data, both epochs and a
            budget, or training diverged.
        DataError: the data set is missing or damaged, or too many of its files are bad.
        ExtraMissing: TensorBoard is asked for and not installed.

    >>> import tempfile
    >>> run = train("digits", epochs=2, path=tempfile.mkdtemp(), progress=False)
    >>> run.model().classes[:3]
    ('0', '1', '2')
    """
    refuse_both(epochs, budget, "epochs", "budget")
    time_limit = choose_budget(budget)
    display = choose_display(progress)
    if tensorboard:  # before anything is read
        require("tensorboard", extra="tensorboard")
    chosen = _recipe(recipe)
    if epochs is not None:
        chosen = replace(chosen, epochs=epochs)
    dataset = data if isinstance(data, Dataset) else _load(data, progress)
    refuse_bad(dataset, max_bad)
    refuse_one_class(dataset)
    problems = {} if is_official(dataset) else check_data(dataset, near=False).kinds
    if display:
        display.say_problems(dataset, problems)

    with shown(display, on_event) as tell:
        return train_recipe(
            dataset,
            chosen,
            seed=seed,
            path=path,
            problems=problems,
            checkpoint_every=checkpoint_every,
            budget=time_limit,
            tensorboard=tensorboard,
            on_event=tell,
        )


def resume(
    path: str | Path,
    data: Dataset | DataSource | None = None,
    *,
    checkpoint_every: CheckpointEvery = EVERY,
    progress: bool | str = True,
    tensorboard: bool = False,
    on_event: Callback | None = None,
) -> Run:
    """Go on with a run that was interrupted or killed, to the bit as if it had never stopped.

    Settings, seed, data and budget are those that it began with. One that died before its first
    checkpoint starts again; a completed one is only opened.

    Args:
        path: the run's folder.
        data: the data set it was trained on, where it cannot be found again by its name or path.
        checkpoint_every: as for :func:`train`.
        progress: as for :func:`train`.
        tensorboard: likewise; a run that began with it goes on with it in any case.
        on_event: called with every event.

    Returns:
        The run.

    Raises:
        ModelError: there is no run at ``path``, or each of its checkpoints is damaged.
        DataError: the data are others than those it was trained on, or cannot be found.
        ConfigError: another process has the run, or training diverged.

    >>> import tempfile
    >>> run = train("digits", epochs=1, path=tempfile.mkdtemp(), progress=False)
    >>> resume(run.path, progress=False).status
    'completed'
    """
    display = choose_display(progress)
    if tensorboard:
        require("tensorboard", extra="tensorboard")
    run = load_run(path)
    if run.status == "completed":
        if display:
            sys.stderr.write(f"{run.path} is complete: there is nothing to go on with\n")
        return run
    if not isinstance(data, Dataset):
        recorded = run.record["data"]
        source = recorded["source"] if data is None else data
        data = _load(source, progress, **recorded.get("options", {}))
    with shown(display, on_event) as tell:
        return resume_run(
            path,
            data,
            checkpoint_every=checkpoint_every,
            tensorboard=tensorboard,
            on_event=tell,
        )


def _load(data: DataSource, progress: bool | str, **options: Any) -> Dataset:
    with preparation_shown(progress) as on_progress:
        return load_data(data, on_progress=on_progress, **options)


def _recipe(recipe: Recipe | str) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    if isinstance(recipe, str):
        return choose("recipe", recipe, RECIPES)()
    raise ConfigError(
        f"recipe must be a name or a Recipe, such as recipes.fast(); got a {type(recipe).__name__}"
    )
