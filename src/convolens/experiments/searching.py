"""A search trial by trial: each is trained, judged and written down before the next begins."""

import math
import time
from dataclasses import replace
from typing import Any

from convolens.data import Dataset, fit_preprocessing
from convolens.errors import ConfigError
from convolens.experiments.events import JobEnded, JobStarted, Telling
from convolens.experiments.folder import ExperimentFolder
from convolens.experiments.recipe_files import as_json
from convolens.experiments.search import REDUCTION, goes_on, next_settings, rungs
from convolens.experiments.spaces import TUNED, space_of, with_settings
from convolens.experiments.trials import FILE, Rung, Trial, TrialLog, best_of
from convolens.files import write_json
from convolens.training import FitResult, Recipe, fit
from convolens.training.hardware import choose_device
from convolens.training.recording import settled_for
from convolens.zoo import build_network

BEST = "best.json"


class Search:
    """Trials one after the other.

    Args:
        folder: where they are recorded.
        data: to train and to validate on; without test pictures.
        recipe: whose settings are searched.
        seed: of the sampler and of every training.
        telling: who hears of it.
    """

    def __init__(
        self, folder: ExperimentFolder, data: Dataset, recipe: Recipe, seed: int, telling: Telling
    ) -> None:
        settled = settled_for(recipe, data)
        assert settled.epochs is not None
        assert settled.batch_size is not None
        self.folder = folder
        self.data = data
        self.recipe = recipe
        self.seed = seed
        self.telling = telling
        self.space = space_of(recipe)
        self.log = TrialLog(folder.path / FILE)
        self.rungs = rungs(settled.epochs, math.ceil(len(data.train) / settled.batch_size))
        self.preprocessing = fit_preprocessing(
            recipe.preprocessing, data.train.images, fit=data.fit
        )
        self._stop_asked = False

    def run(self, trials: int | None, budget: float | None) -> bool:
        """Until enough trials have ended, or the time is over; False if it was interrupted."""
        clock = _Clock(budget, self.log.trials)
        if self.log.trials:
            self.telling.say(f"{len(self.log.trials)} trials were made before and are kept")
            self._write_best()
        while trials is None or len(self.log.trials) < trials:
            if self.log.trials and not clock.allows(self.rungs[0], self.log.trials):
                break
            if self._stop_asked:
                return False
            number = len(self.log.trials) + 1
            name = f"trial {number}" if trials is None else f"trial {number} of {trials}"
            how_far = self._how_far(clock, trials)
            self.telling.on_event(JobStarted(job=name, alike=False, **how_far))
            trial = self._trial(clock)
            if trial is None:
                return False
            self.log.append(trial)
            self._write_best()
            self.telling.on_event(JobEnded(job=name, **self._how_far(clock, trials)))
            self.telling.say(_line(trial, best_of(self.log.trials)))
        return True

    def _how_far(self, clock: "_Clock", trials: int | None) -> dict[str, Any]:
        known = self.log.trials
        # One in three goes on to the next rung.
        usual = sum(epochs / REDUCTION**rung for rung, epochs in enumerate(self.rungs))
        per_epoch = seconds_per_epoch(known)
        return {
            "done": len(known),
            "jobs": trials,
            "seconds_each": None if per_epoch is None else usual * per_epoch,
            "seconds_left": clock.left(),
        }

    def _trial(self, clock: "_Clock") -> Trial | None:
        """The next trial; None if it was interrupted."""
        known = self.log.trials
        number, first = len(known) + 1, not known
        settings = next_settings(self.space, known, self.seed)
        reached: list[Rung] = []
        try:
            recipe = with_settings(self.recipe, settings)
            for rung, epochs in enumerate(self.rungs):
                if self._stop_asked:
                    return None
                if reached and not first and not clock.allows(epochs, known):
                    return _ended(number, "halted", settings, reached, "no time was left")
                begin = time.perf_counter()
                result = self._train(replace(recipe, epochs=epochs))
                self._stop_asked = result.stop_asked
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
        recipe = settled_for(recipe, data)
        return fit(
            network,
            self.preprocessing,
            data.train,
            data.validation,
            recipe,
            seed=self.seed,
            on_event=self.telling.on_event,
        )

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

    def left(self) -> float | None:
        """Seconds; None where there is no budget."""
        if self._budget is None:
            return None
        return self._budget - self._before - (time.perf_counter() - self._begin)

    def allows(self, epochs: float, trials: list[Trial]) -> bool:
        """Whether a training of so many epochs fits, at the speed of those before."""
        left, per_epoch = self.left(), seconds_per_epoch(trials)
        return left is None or (per_epoch is not None and epochs * per_epoch <= left)


def seconds_per_epoch(trials: list[Trial]) -> float | None:
    """Of all trainings together; None before the first."""
    done = [rung for trial in trials for rung in trial.rungs]
    if not done:
        return None
    return sum(rung.seconds for rung in done) / sum(rung.epochs for rung in done)


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
