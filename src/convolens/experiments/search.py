"""Which settings come next, and which trials go on: a sampler, and successive halving."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convolens.experiments.spaces import Dimension
from convolens.experiments.trials import Rung, Trial
from convolens.extras import require

REDUCTION = 3
"""Of the trials on a rung one in three goes on, to three times the epochs."""

_RUNGS = 3
_LEAST_STEPS = 16  # a rung of fewer optimiser steps says nothing


def next_settings(space: Sequence[Dimension], trials: Sequence[Trial], seed: int) -> dict[str, Any]:
    """The settings of the next trial: those of the recipe first, then what the sampler says.

    A pure function of its arguments: the sampler begins anew for each trial, with all that is
    known. So a tuning that was killed goes on exactly as if it had not been.

    Args:
        space: the dimensions.
        trials: all finished trials, in order.
        seed: 0 to 2**63 - 1.

    Returns:
        Name to value.

    Raises:
        ExtraMissing: optuna is not installed.

    Source: J. Bergstra et al., "Algorithms for hyper-parameter optimization", 2011 (tree-structured
    Parzen estimator), as optuna implements it.
    """
    optuna = require("optuna", extra="tune")
    if not trials:
        return {dimension.name: dimension.own for dimension in space}
    state = np.random.SeedSequence([seed, len(trials)]).generate_state(1, np.uint32)
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        sampler = optuna.samplers.TPESampler(seed=int(state[0]), n_startup_trials=8)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        distributions = {entry.name: _distribution(optuna, entry) for entry in space}
        for trial in trials:
            study.add_trial(_known(optuna, trial, distributions))
        return dict(study.ask(distributions).params)
    finally:
        optuna.logging.set_verbosity(verbosity)


def rungs(epochs: float, steps_per_epoch: int) -> tuple[float, ...]:
    """For how many epochs a trial is trained in turn, as long as it is among the best.

    Every rung is a training of its own with its whole schedule, whose rate ends at zero: a run
    that is merely cut off would be judged in the middle of its highest rates.

    Args:
        epochs: of the last rung.
        steps_per_epoch: so that no rung is too short to say anything.

    >>> rungs(18.0, 20)
    (2.0, 6.0, 18.0)
    >>> rungs(1.0, 20)
    (1.0,)
    """
    shorter = [epochs / REDUCTION**power for power in range(_RUNGS - 1, 0, -1)]
    return (*(each for each in shorter if each * steps_per_epoch >= _LEAST_STEPS), epochs)


def goes_on(rung: int, reached: Rung, trials: Sequence[Trial]) -> bool:
    """Whether a trial is among the best third of all that came to its rung.

    Args:
        rung: which one, from 0.
        reached: what the trial reached on it.
        trials: all finished trials.

    Source: L. Li et al., "A system for massively parallel hyperparameter tuning", 2020 (ASHA),
    for one trial at a time: the decision is made at once, with what is known by then.
    """
    others = [trial.rungs[rung].score for trial in trials if len(trial.rungs) > rung]
    allowed = max(1, (len(others) + 1) // REDUCTION)
    return sum(score >= reached.score for score in others) < allowed


def _distribution(optuna: Any, entry: Dimension) -> Any:
    kinds = optuna.distributions
    if entry.kind == "choice":
        return kinds.CategoricalDistribution(entry.choices)
    if entry.kind == "whole":
        return kinds.IntDistribution(entry.low, entry.high, step=entry.step)
    return kinds.FloatDistribution(entry.low, entry.high, log=entry.kind == "log")


def _known(optuna: Any, trial: Trial, distributions: dict[str, Any]) -> Any:
    """A finished trial as optuna takes it."""
    states = optuna.trial.TrialState
    if not trial.rungs:
        return optuna.trial.create_trial(
            state=states.FAIL, params=trial.settings, distributions=distributions
        )
    return optuna.trial.create_trial(
        state=states.COMPLETE if trial.status == "completed" else states.PRUNED,
        params=trial.settings,
        distributions=distributions,
        value=trial.rungs[-1].val_accuracy,
        intermediate_values={
            number: rung.val_accuracy for number, rung in enumerate(trial.rungs, 1)
        },
    )
