"""Architectures by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from convolens.config import check_whole, choose, did_you_mean
from convolens.errors import ConfigError
from convolens.zoo.compact import compact
from convolens.zoo.notes import notes


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What the registry knows of a network."""

    build: Callable[..., nn.Module]
    """``build(input_shape, n_classes, **arguments)``."""
    arguments: tuple[str, ...]
    """Names of the further arguments that it takes."""
    description: str
    """One line for people."""


ARCHITECTURES: dict[str, Architecture] = {
    "compact": Architecture(
        build=compact,
        arguments=("width",),
        description="small and batch-normalised; what the recipe 'fast' trains",
    ),
    "notes": Architecture(
        build=notes,
        arguments=("dropout",),
        description="the notes' network: five convolutions, three poolings, three dense layers",
    ),
}


def build_network(
    name: str,
    input_shape: tuple[int, int, int],
    n_classes: int,
    /,
    *,
    seed: int = 0,
    **arguments: Any,
) -> nn.Module:
    """A freshly initialised network, the same for the same arguments and seed.

    Args:
        name: a key of ``ARCHITECTURES``.
        input_shape: (height, width, channels) of the pictures.
        n_classes: number of classes, at least 2.
        seed: of the initial weights; the global random state is left as it was.
        **arguments: what the architecture takes beside these.

    Returns:
        A module from float tensors (n, channels, height, width) to logits (n, n_classes), on the
        CPU, in ``channels_last`` memory, in training mode.

    Raises:
        ConfigError: an unknown name or argument, or a shape that the architecture cannot take.

    >>> sum(p.numel() for p in build_network("notes", (28, 28, 1), 10).parameters())
    1413834
    """
    architecture = choose("architecture", name, ARCHITECTURES)
    for argument in arguments:
        if argument not in architecture.arguments:
            raise ConfigError(
                f"architecture {name!r} has no argument {argument!r}"
                f"{did_you_mean(argument, architecture.arguments)}"
            )
    if n_classes < 2:
        raise ConfigError(f"a classifier needs at least 2 classes; got {n_classes}")
    check_whole("seed", seed, 0, 2**64 - 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = architecture.build(input_shape, n_classes, **arguments)
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
