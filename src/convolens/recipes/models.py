"""Any architecture under any recipe."""

from dataclasses import replace
from typing import Any

import torch

from convolens.training import MuonAdamW, NAdam, Recipe
from convolens.zoo import build_network, check_arguments, length_free

NOMINAL_SHAPE = (64, 64, 3)  # of pictures; which layers follow which does not depend on it
LEARNING_RATE = 1e-3
"""Peak rate of NAdam where Muon does not suit: ``docs/decisions/0020-zoo.md``."""


def with_model(recipe: Recipe, name: str, **arguments: Any) -> Recipe:
    """The recipe with another architecture, and with an optimiser that suits it.

    Muon keeps the length of every convolution's filters fixed, which is right where a batch
    normalisation takes the length away again. Every other network (LeNet-5, the notes', VGG without
    normalisation, ConvNeXt) gets NAdam in its place. A recipe that does not use Muon keeps its
    optimiser.

    Args:
        recipe: any.
        name: a key of ``zoo.ARCHITECTURES``.
        **arguments: further arguments of the architecture. The recipe's own are kept where it
            has this architecture already, and dropped where it has another.

    Returns:
        A recipe called ``<recipe>-<name>``, or as before where it has this architecture already.

    Raises:
        ConfigError: an unknown architecture, or an argument that it does not take.

    >>> from convolens.recipes import fast
    >>> recipe = with_model(fast(), "wide_resnet", depth=10, width=2)
    >>> recipe.name, recipe.arguments, type(recipe.optimizer).__name__
    ('fast-wide_resnet', {'depth': 10, 'width': 2}, 'MuonAdamW')
    >>> with_model(fast(), "lenet5").optimizer
    NAdam(learning_rate=0.001)
    """
    check_arguments(name, arguments)
    if name == recipe.architecture:
        return replace(recipe, arguments={**recipe.arguments, **arguments})
    optimizer = recipe.optimizer
    if isinstance(optimizer, MuonAdamW) and not _suits_muon(name, arguments):
        optimizer = NAdam(learning_rate=LEARNING_RATE)
    return replace(
        recipe,
        name=f"{recipe.name}-{name}",
        architecture=name,
        arguments=dict(arguments),
        optimizer=optimizer,
    )


def _suits_muon(name: str, arguments: dict[str, Any]) -> bool:
    with torch.device("meta"):
        network = build_network(name, NOMINAL_SHAPE, 2, **arguments)
    return length_free(network)
