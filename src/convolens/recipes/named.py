"""The recipes. Each is a function that returns everything; any part can be replaced."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from convolens.training import Augmentation, Constant, MuonAdamW, NAdam, Recipe, Triangular


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
        augmentation=Augmentation(flip="auto", shift="auto"),
        label_smoothing=0.05,
        hardest_share="auto",
    )
    return replace(recipe, **changes)


def accurate(**changes: Any) -> Recipe:
    """The network of ``fast``, trained five times as long: for when minutes do not matter.

    Wider and deeper networks were tried in its place, and reached no more in several times the
    time (``docs/experiments.md``). See ``benchmarks/README.md`` for what it reaches.

    Args:
        **changes: fields of :class:`~convolens.training.Recipe` to replace.

    >>> accurate(batch_size=64).settled(55_000, mirrors=True).epochs
    16.0
    """
    recipe = fast(name="accurate", usual_epochs=16.0)
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


RECIPES: dict[str, Callable[..., Recipe]] = {"fast": fast, "accurate": accurate, "notes": notes}
