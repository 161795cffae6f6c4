"""Tuning: a small search over a recipe's own settings, judged on validation pictures alone."""

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from convolens.config import check_whole
from convolens.data import Dataset, DataSource, fit_preprocessing
from convolens.data.surveying import OnProgress, silent
from convolens.errors import ConfigError
from convolens.experiments.bookkeeping import Say, check_dataset, describe_data
from convolens.experiments.folder import ExperimentFolder, open_folder
from convolens.experiments.material import read_material
from convolens.experiments.recipe_files import as_json, find_recipe
from convolens.experiments.search import goes_on, next_settings, rungs
from convolens.experiments.spaces import TUNED, space_of, with_settings
from convolens.experiments.trials import FILE, Rung, Trial, TrialLog, best_of
from convolens.extras import require
from convolens.files import write_json
from convolens.training import FitResult, Recipe, fit
from convolens.training.hardware import choose_device
from convolens.training.recording import may_be_mirrored
from convolens.zoo import build_network

RECORD = "tune.json"
BEST = "best.json"


@dataclass(frozen=True, eq=False, kw_only=True)
class Tuning:
    """A search in its folder."""

    path: Path
    """The folder."""
    record: Mapping[str, Any] = field(repr=False)
    """What ``tune.json`` holds: settings, space, data, status."""
    trials: tuple[Trial, ...] = field(repr=False)
    """All that ended, in order; the first has the recipe's own settings."""

    @property
    def status(self) -> str:
        """How it ended: "completed" or "interrupted"."""
        return self.record["status"]

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
    budget: float | None = None,
    seed: int = 0,
    epochs: float | None = None,
    path: str | Path | None = None,
    resume: bool = False,
    max_bad: float = 0.01,
    groups: Any = None,
    say: Say = lambda _: None,
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
        budget: stop when the next training would not fit into so many seconds, all calls on the
            folder together; the first trial is trained in any case. One of the two is needed.
        seed: of the sampler and of every training.
        epochs: of a whole training, instead of the recipe's.
        path: folder; by default ``runs/<data>-tune-<n>``.
        resume: whether there has to be something to go on with at ``path``.
        max_bad: the share of bad files above which nothing is trained.
        groups: of arrays, as for ``load_data``.
        say: called with a line from time to time.
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
    _check_extent(trials, budget)
    check_whole("seed", seed, 0, 2**63 - 1)
    chosen = find_recipe(recipe)
    if epochs is not None:
        chosen = replace(chosen, epochs=epochs)
    if "split_seed" in options:
        options["seed"] = options.pop("split_seed")
    material = read_material(data, groups=groups, on_progress=on_progress, **options)
    dataset = material.part().dataset
    problems = check_dataset(dataset, max_bad)
    described = {**describe_data(material), "problems": problems}
    # From here on the test pictures are not at hand.
    dataset = replace(dataset, test=None)
    settings = {
        "recipe": as_json(chosen),
        "seed": seed,
        "division": material.splitting.options(),
        "space": [dimension.to_dict() for dimension in space_of(chosen)],
    }
    with open_folder(path, RECORD, kind="tune", data=dataset.name, resume=resume) as folder:
        folder.begin(settings, material.fingerprint, data=described)
        with folder.status_of_failure():
            search = _Search(folder, dataset, chosen, seed, say)
            done = False
            with suppress(KeyboardInterrupt):  # between two trials
                done = search.run(trials, budget)
            folder.write(status="completed" if done else "interrupted")
        return Tuning(path=folder.path, record=folder.record, trials=tuple(search.log.trials))


class _Search:
    """Trials one after the other."""

    def __init__(
        self, folder: ExperimentFolder, data: Dataset, recipe: Recipe, seed: int, say: Say
    ) -> None:
        settled = recipe.settled(len(data.train), mirrors=may_be_mirrored(data))
        assert settled.epochs is not None
        assert settled.batch_size is not None
        self.folder = folder
        self.data = data
        self.recipe = recipe
        self.seed = seed
        self.say = say
        self.space = space_of(recipe)
        self.log = TrialLog(folder.path / FILE)
        self.rungs = rungs(settled.epochs, math.ceil(len(data.train) / settled.batch_size))
        self.preprocessing = fit_preprocessing(
            recipe.preprocessing, data.train.images, fit=data.fit
        )

    def run(self, trials: int | None, budget: float | None) -> bool:
        """Until enough trials have ended, or the time is over; False if it was interrupted."""
        clock = _Clock(budget, self.log.trials)
        if self.log.trials:
            self.say(f"{len(self.log.trials)} trials were made before and are kept")
            self._write_best()
        while trials is None or len(self.log.trials) < trials:
            if self.log.trials and not clock.allows(self.rungs[0], self.log.trials):
                break
            trial = self._trial(clock)
            if trial is None:
                return False
            self.log.append(trial)
            self._write_best()
            self.say(_line(trial, best_of(self.log.trials)))
        return True

    def _trial(self, clock: "_Clock") -> Trial | None:
        """The next trial; None if it was interrupted."""
        known = self.log.trials
        number, first = len(known) + 1, not known
        settings = next_settings(self.space, known, self.seed)
        reached: list[Rung] = []
        try:
            recipe = with_settings(self.recipe, settings)
            for rung, epochs in enumerate(self.rungs):
                if reached and not first and not clock.allows(epochs, known):
                    return _ended(number, "halted", settings, reached, "no time was left")
                begin = time.perf_counter()
                result = self._train(replace(recipe, epochs=epochs))
                if result.status != "completed":
                    return None
                reached.append(
                    Rung(
                        epochs=epochs,
                        val_accuracy=result.best.val_accuracy,
                        val_loss=result.best.val_loss,
                        seconds=time.perf_counter() - begin,
                    )
                )
                last = rung == len(self.rungs) - 1
                if not last and not goes_on(rung, reached[-1], known):
                    return _ended(number, "halted", settings, reached)
        except ConfigError as error:
            if first:
                raise  # it is the recipe, or the data, that is at fault
            return _ended(number, "failed", settings, [], str(error))
        return _ended(number, "completed", settings, reached)

    def _train(self, recipe: Recipe) -> FitResult:
        network = build_network(
            recipe.architecture,
            self.data.shape,
            self.data.n_classes,
            seed=self.seed,
            **recipe.arguments,
        ).to(choose_device())
        data = self.data
        recipe = recipe.settled(len(data.train), mirrors=may_be_mirrored(data))
        return fit(network, self.preprocessing, data.train, data.validation, recipe, seed=self.seed)

    def _write_best(self) -> None:
        best = best_of(self.log.trials)
        if best is None:
            return
        name = self.recipe.name.removesuffix(TUNED) + TUNED
        content = {
            "recipe": as_json(replace(with_settings(self.recipe, best.settings), name=name)),
            "settings": best.settings,
            "trial": best.trial,
            "epochs": best.rungs[-1].epochs,
            "val_accuracy": best.rungs[-1].val_accuracy,
            "data": self.folder.record["data"]["name"],
        }
        write_json(self.folder.path / BEST, content)


class _Clock:
    """What is left of a budget, all calls on the folder together."""

    def __init__(self, budget: float | None, trials: list[Trial]) -> None:
        self._budget = budget
        self._before = sum(rung.seconds for trial in trials for rung in trial.rungs)
        self._begin = time.perf_counter()

    def allows(self, epochs: float, trials: list[Trial]) -> bool:
        """Whether a training of so many epochs fits, at the speed of those before."""
        if self._budget is None:
            return True
        done = [rung for trial in trials for rung in trial.rungs]
        per_epoch = sum(rung.seconds for rung in done) / sum(rung.epochs for rung in done)
        used = self._before + time.perf_counter() - self._begin
        return used + epochs * per_epoch <= self._budget


def _ended(
    number: int, status: Any, settings: dict[str, Any], reached: list[Rung], reason: str = ""
) -> Trial:
    return Trial(
        trial=number, status=status, settings=settings, rungs=tuple(reached), reason=reason or None
    )


def _line(trial: Trial, best: Trial | None) -> str:
    if not trial.rungs:
        return f"trial {trial.trial}: failed, {trial.reason}"
    reached = trial.rungs[-1]
    words = f"trial {trial.trial}: {reached.val_accuracy:.2%} on validation after "
    words += f"{reached.epochs:.3g} epochs"
    if trial.status == "halted":
        words += f", {trial.reason or 'halted'}"
    if best is trial:
        return f"{words} (best so far)"
    return words


def _check_extent(trials: int | None, budget: float | None) -> None:
    if trials is None and budget is None:
        raise ConfigError("how long to search? Give a number of trials, or a budget of time")
    if trials is not None:
        check_whole("trials", trials, 1, 100_000)
    if budget is not None and not 0 < budget < math.inf:
        raise ConfigError(f"budget is {budget} seconds; allowed: above 0")
