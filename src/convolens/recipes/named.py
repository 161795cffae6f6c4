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
        augmentation=Augmentation(flip="auto"),
        label_smoothing=0.1,
    )
    return replace(recipe, **changes)


def accurate(**changes: Any) -> Recipe:
    """As good as a network of this kind gets on two cores, in a quarter of an hour to an hour.

    The same kind of network as that of ``fast``, twice as wide and half as deep again, trained five
    times as long. See ``benchmarks/README.md`` for what it reaches.

    Args:
        **changes: fields of :class:`~convolens.training.Recipe` to replace.

    >>> accurate().arguments
    {'width': 64, 'depth': 3}
    """
    recipe = fast(
        name="accurate",
        arguments={"width": 64, "depth": 3},
        usual_epochs=16.0,
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


RECIPES: dict[str, Callable[..., Recipe]] = {"fast": fast, "accurate": accurate, "notes": notes}
