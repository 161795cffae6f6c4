"""Training by name: the data set, the recipe, and a run at the end."""

from dataclasses import replace
from pathlib import Path

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
from convolens.training import Callback, Event, Recipe, Run, train_recipe
from convolens.training.progress import ProgressDisplay


def train(
    data: Dataset | DataSource = "digits",
    recipe: Recipe | str = "fast",
    *,
    epochs: float | None = None,
    seed: int = 0,
    path: str | Path | None = None,
    max_bad: float = 0.01,
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
        progress: show how it goes, on standard error.
        on_event: called with the same events as are written to ``metrics.jsonl``.

    Returns:
        The run: ``run.results``, ``run.model()``, ``run.evaluate()``, ``run.history``.

    Raises:
        ConfigError: an unknown recipe, or settings that do not fit the data.
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

    def tell(event: Event) -> None:
        if display:
            display(event)
        if on_event:
            on_event(event)

    try:
        return train_recipe(dataset, chosen, seed=seed, path=path, problems=problems, on_event=tell)
    finally:
        if display:
            display.close()


def _load(data: DataSource, progress: bool) -> Dataset:
    if not progress:
        return load_data(data)
    with PreparationDisplay() as display:
        return load_data(data, on_progress=display)


def _recipe(recipe: Recipe | str) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    if isinstance(recipe, str):
        return choose("recipe", recipe, RECIPES)()
    raise ConfigError(
        f"recipe must be a name or a Recipe, such as recipes.fast(); got a {type(recipe).__name__}"
    )
