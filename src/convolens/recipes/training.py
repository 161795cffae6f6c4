"""Training by name: the data set, the recipe, and a run at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from convolens.config import choose
from convolens.data import (
    Dataset,
    DataSource,
    PreparationDisplay,
    check_data,
    is_official,
    load_data,
    refuse_bad,
    refuse_one_class,
)
from convolens.errors import ConfigError
from convolens.recipes.named import RECIPES
from convolens.training import Callback, Event, Recipe, Run, load_run, train_recipe
from convolens.training.cadence import EVERY, CheckpointEvery
from convolens.training.progress import ProgressDisplay
from convolens.training.resuming import resume_run
from convolens.training.saving_events import RunResumed


def train(
    data: Dataset | DataSource = "digits",
    recipe: Recipe | str = "fast",
    *,
    epochs: float | None = None,
    seed: int = 0,
    path: str | Path | None = None,
    max_bad: float = 0.01,
    checkpoint_every: CheckpointEvery = EVERY,
    progress: bool = True,
    on_event: Callback | None = None,
) -> Run:
    """Train a classifier, and keep everything of it in a run folder.

    Args:
        data: a data set, or what :func:`convolens.data.load_data` takes: a name, a path, (X, y).
        recipe: a recipe, or the name of one: "fast" or "notes".
        epochs: instead of the recipe's; a fraction is allowed.
        seed: of initial weights, order, augmentation and dropout; the same seed on the same
            machine gives the same bits.
        path: folder of the run; by default ``runs/<data>-<recipe>-<n>``.
        max_bad: the share of bad files (see :func:`convolens.data.bad_share`) above which nothing
            is trained.
        checkpoint_every: time between two checkpoints, such as "30s", "2m" or "off"; where they
            would cost over 2 % of the run they are fewer. They change no weight.
        progress: show how it goes, on standard error.
        on_event: called with the same events as are written to ``metrics.jsonl``.

    Returns:
        The run: ``run.results``, ``run.model()``, ``run.evaluate()``, ``run.history``. If it was
        interrupted, :func:`resume` goes on with it.

    Raises:
        ConfigError: an unknown recipe, settings that do not fit the data, or training diverged.
        DataError: the data set is missing or damaged, or too many of its files are bad.

    >>> import tempfile
    >>> run = train("digits", epochs=2, path=tempfile.mkdtemp(), progress=False)
    >>> run.model().classes[:3]
    ('0', '1', '2')
    """
    chosen = _recipe(recipe)
    if epochs is not None:
        chosen = replace(chosen, epochs=epochs)
    dataset = data if isinstance(data, Dataset) else _load(data, progress)
    refuse_bad(dataset, max_bad)
    refuse_one_class(dataset)
    display = ProgressDisplay() if progress else None
    problems = {} if is_official(dataset) else check_data(dataset, near=False).kinds
    if display:
        display.say_problems(dataset, problems)

    with _shown(display, on_event) as tell:
        return train_recipe(
            dataset,
            chosen,
            seed=seed,
            path=path,
            problems=problems,
            checkpoint_every=checkpoint_every,
            on_event=tell,
        )


def resume(
    path: str | Path,
    data: Dataset | DataSource | None = None,
    *,
    checkpoint_every: CheckpointEvery = EVERY,
    progress: bool = True,
    on_event: Callback | None = None,
) -> Run:
    """Go on with a run that was interrupted or killed, to the bit as if it had never stopped.

    Settings, seed and data are those that it began with. One that died before its first checkpoint
    starts again; a completed one is only opened.

    Args:
        path: the run's folder.
        data: the data set it was trained on, where it cannot be found again by its name or path.
        checkpoint_every: as for :func:`train`.
        progress: show how it goes, on standard error.
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
    run = load_run(path)
    if run.status == "completed":
        if progress:
            _say(ProgressDisplay(), f"{run.path} is complete: there is nothing to go on with")
        return run
    if not isinstance(data, Dataset):
        recorded = run.record["data"]
        source = recorded["source"] if data is None else data
        data = _load(source, progress, **recorded.get("options", {}))
    with _shown(ProgressDisplay() if progress else None, on_event) as tell:
        return resume_run(path, data, checkpoint_every=checkpoint_every, on_event=tell)


@contextmanager
def _shown(display: ProgressDisplay | None, on_event: Callback | None) -> Iterator[Callback]:
    """A callback that shows every event and hands it on; the terminal is given back at the end."""

    def tell(event: Event) -> None:
        if display:
            if isinstance(event, RunResumed):
                for line in (*event.notices, f"going on after step {event.step:,}"):
                    _say(display, line)
            display(event)
        if on_event:
            on_event(event)

    try:
        yield tell
    finally:
        if display:
            display.close()


def _say(display: ProgressDisplay, line: str) -> None:
    display.console.print(line, soft_wrap=True, markup=False)


def _load(data: DataSource, progress: bool, **options: Any) -> Dataset:
    if not progress:
        return load_data(data, **options)
    with PreparationDisplay() as display:
        return load_data(data, on_progress=display, **options)


def _recipe(recipe: Recipe | str) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    if isinstance(recipe, str):
        return choose("recipe", recipe, RECIPES)()
    raise ConfigError(
        f"recipe must be a name or a Recipe, such as recipes.fast(); got a {type(recipe).__name__}"
    )
