"""The recipes. Each is a function that returns everything; any part can be replaced."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from convolens.training import Constant, MuonAdamW, NAdam, Recipe, Triangular


def fast(**changes: Any) -> Recipe:
    """A good classifier in under a minute: small, batch-normalised, trained with Muon.

    Fashion-MNIST on two cores: see ``benchmarks/README.md`` for time and accuracy with their
    spread, and ``docs/experiments.md`` for how the settings were chosen (on validation data).

    Args:
        **changes: fields of :class:`~convolens.training.Recipe` to replace, such as ``epochs=1``.

    >>> fast(epochs=1).epochs
    1
    """
    recipe = Recipe(
        name="fast",
        architecture="compact",
        preprocessing="per_channel",
        optimizer=MuonAdamW(),
        schedule=Triangular(warmup=0.2),
        label_smoothing=0.1,
    )
    return replace(recipe, **changes)


def notes(**changes: Any) -> Recipe:
    """The student's notes as they stand: their network, NAdam at 1e-3, batch 32, ten epochs.

    Args:
        **changes: fields of :class:`~convolens.training.Recipe` to replace.

    >>> notes().arguments
    {'dropout': 0.5}
    """
    recipe = Recipe(
        name="notes",
        architecture="notes",
        arguments={"dropout": 0.5},
        preprocessing="per_pixel",
        optimizer=NAdam(learning_rate=1e-3),
        schedule=Constant(),
        epochs=10.0,
        batch_size=32,
    )
    return replace(recipe, **changes)


RECIPES: dict[str, Callable[..., Recipe]] = {"fast": fast, "notes": notes}
