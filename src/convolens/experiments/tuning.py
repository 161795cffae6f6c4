"""Tuning: a small search over a recipe's own settings, judged on validation pictures alone."""

import math
from contextlib import suppress
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import Any

from convolens.config import check_whole
from convolens.data import Dataset, DataSource
from convolens.data.corrections import corrections_said
from convolens.data.surveying import OnProgress, silent
from convolens.errors import ConfigError
from convolens.experiments.bookkeeping import check_dataset, describe_data, describe_division
from convolens.experiments.events import OnEvent, Say, Telling, tell_nobody
from convolens.experiments.folder import open_folder
from convolens.experiments.material import read_material
from convolens.experiments.recipe_files import as_json, find_recipe
from convolens.experiments.results import Experiment
from convolens.experiments.searching import BEST, Search
from convolens.experiments.spaces import space_of
from convolens.experiments.trials import Trial, best_of
from convolens.extras import require
from convolens.training import Recipe
from convolens.training.durations import parse_duration

RECORD = "tune.json"


@dataclass(frozen=True, eq=False, kw_only=True)
class Tuning(Experiment):
    """A search in its folder, with ``tune.json``."""

    trials: tuple[Trial, ...] = field(repr=False)
    """All that ended, in order; the first has the recipe's own settings."""

    @property
    def best(self) -> Trial | None:
        """The best of those that were trained for longest."""
        return best_of(self.trials)

    @property
    def recipe(self) -> Recipe:
        """The recipe with the best settings.

        Raises:
            ConfigError: no trial has ended yet.
        """
        return find_recipe(self.path / BEST)

    def to_dict(self) -> dict[str, Any]:
        """What ``convolens tune --json`` prints; its keys are explained there."""
        best, own = self.best, self.trials[0] if self.trials else None
        return {
            "run": str(self.path),
            "data": self.record["data"]["name"],
            "recipe": self.record["settings"]["recipe"]["name"],
            "seed": self.record["settings"]["seed"],
            "status": self.record["status"],
            "trials": len(self.trials),
            **{
                status: sum(trial.status == status for trial in self.trials)
                for status in ("completed", "halted", "failed")
            },
            "seconds": sum(rung.seconds for trial in self.trials for rung in trial.rungs),
            "own_val_accuracy": own.rungs[-1].val_accuracy if own and own.rungs else None,
            "best": None
            if best is None
            else {
                "trial": best.trial,
                "settings": best.settings,
                "val_accuracy": best.rungs[-1].val_accuracy,
                "val_loss": best.rungs[-1].val_loss,
                "epochs": best.rungs[-1].epochs,
                "recipe_file": str(self.path / BEST),
            },
        }


def tune(
    data: Dataset | DataSource = "digits",
    recipe: Recipe | str = "fast",
    *,
    trials: int | None = None,
    budget: str | float | None = None,
    seed: int = 0,
    epochs: float | None = None,
    path: str | Path | None = None,
    resume: bool = False,
    max_bad: float = 0.01,
    groups: Any = None,
    say: Say = tell_nobody,
    on_event: OnEvent = tell_nobody,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Tuning:
    """Look for better settings of a recipe, by successive halving over epochs.

    The first trial is the recipe as it is. Each later one takes settings from a sampler
    (:data:`~convolens.experiments.spaces.SPACES` and ``RULES`` say which and how far), is trained
    for a ninth of the epochs, and for a third and all of them as long as it is among the best third
    of those that came so far. All are judged on the validation pictures; the test pictures are not
    looked at. The best of many is flattered by its luck there: judge it by training with it.

    The same call on the same folder goes on where it was stopped, with more trials or time if more
    are asked for. Whatever kills it, each trial is recorded once, and the settings and accuracies
    are those of a search that was not stopped (but for a budget, which depends on the clock).

    Args:
        data: a data set, or what :func:`convolens.data.load_data` takes.
        recipe: a recipe, the name of one, or a ``.json`` file.
        trials: stop when so many have ended.
        budget: stop when the next training would not fit into so much time, such as "30m" or a
            number of seconds, all calls on the folder together; the first trial is trained in any
            case. One of the two is needed.
        seed: of the sampler and of every training.
        epochs: of a whole training, instead of the recipe's.
        path: folder; by default ``runs/<data>-tune-<n>``.
        resume: whether there has to be something to go on with at ``path``.
        max_bad: the share of bad files above which nothing is trained.
        groups: of arrays, as for ``load_data``.
        say: called with a line from time to time.
        on_event: called with every event of each training, and when a trial begins or ends.
        on_progress: as for ``load_data``.
        **options: of ``load_data``; the seed of the division is called ``split_seed``.

    Returns:
        All trials, with the best. After Ctrl-C its status is "interrupted".

    Raises:
        ExtraMissing: optuna is not installed.
        ConfigError: neither trials nor budget; a number outside its range; the folder is in use,
            or holds something else; the recipe's own settings cannot be trained.
        DataError: as ``load_data``.

    >>> import tempfile
    >>> done = tune("digits", trials=2, epochs=0.2, path=tempfile.mkdtemp())
    >>> [trial.status for trial in done.trials][0]
    'completed'
    """
    require("optuna", extra="tune")
    seconds = _checked_extent(trials, budget)
    check_whole("seed", seed, 0, 2**63 - 1)
    chosen = find_recipe(recipe, epochs=epochs)
    material = read_material(data, groups=groups, on_progress=on_progress, **options)
    for line in corrections_said(material.pool.problems):
        say(line)
    dataset = material.part().dataset
    problems = check_dataset(dataset, max_bad)
    described = {**describe_data(material), "problems": problems}
    # From here on the test pictures are not at hand.
    dataset = replace(dataset, test=None)
    settings = {
        "recipe": as_json(chosen),
        "seed": seed,
        "division": describe_division(material),
        "space": [dimension.to_dict() for dimension in space_of(chosen)],
    }
    with open_folder(path, RECORD, kind="tune", data=dataset.name, resume=resume) as folder:
        folder.begin(settings, material.fingerprint, data=described)
        with folder.status_of_failure():
            telling = Telling(say=say, on_event=on_event)
            search = Search(folder, dataset, chosen, seed, telling)
            done = False
            with suppress(KeyboardInterrupt):  # between two trials
                done = search.run(trials, seconds)
            folder.write(status="completed" if done else "interrupted")
        return Tuning(path=folder.path, record=folder.record, trials=tuple(search.log.trials))


def _checked_extent(trials: int | None, budget: str | float | None) -> float | None:
    """The budget in seconds."""
    if trials is None and budget is None:
        raise ConfigError("how long to search? Give a number of trials, or a budget of time")
    if trials is not None:
        check_whole("trials", trials, 1, 100_000)
    seconds = parse_duration(budget) if isinstance(budget, str) else budget
    if seconds is not None and not (isinstance(seconds, Real) and 0 < seconds < math.inf):
        raise ConfigError(f"budget is {budget!r}; allowed: above 0 seconds, such as 90, 2m or 1h")
    return seconds
