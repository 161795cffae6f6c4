"""Architectures by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from convolens.config import check_whole, choose, did_you_mean
from convolens.errors import ConfigError
from convolens.zoo.compact import compact
from convolens.zoo.convnext import convnext
from convolens.zoo.densenet import densenet
from convolens.zoo.lenet import lenet5
from convolens.zoo.mobilenet import mobilenet_v2
from convolens.zoo.notes import notes
from convolens.zoo.resnet import resnet_large, resnet_small
from convolens.zoo.vgg import vgg
from convolens.zoo.wide_resnet import wide_resnet


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What the registry knows of a network."""

    build: Callable[..., nn.Module]
    """``build(input_shape, n_classes, **arguments)``."""
    arguments: tuple[str, ...] = ()
    """Names of the further arguments that it takes."""
    description: str
    """One line for people."""


_VGG = ("width", "hidden", "dropout", "normalised")

# Words are joined by underscores; a size is written as its paper writes it.
ARCHITECTURES: dict[str, Architecture] = {
    "compact": Architecture(
        build=compact,
        arguments=("width", "depth"),
        description="small and batch-normalised; what the recipe 'fast' trains",
    ),
    "notes": Architecture(
        build=notes,
        arguments=("dropout",),
        description="the notes' network: five convolutions, three poolings, three dense layers",
    ),
    "lenet5": Architecture(
        build=lenet5,
        description="LeNet-5 of 1998: two convolutions, two poolings, three dense layers",
    ),
    "vgg11": Architecture(
        build=partial(vgg, depth=11),
        arguments=_VGG,
        description="VGG-11: eight 3 x 3 convolutions in five stages",
    ),
    "vgg16": Architecture(
        build=partial(vgg, depth=16),
        arguments=_VGG,
        description="VGG-16: thirteen 3 x 3 convolutions in five stages",
    ),
    "resnet20": Architecture(
        build=partial(resnet_small, depth=20),
        arguments=("width",),
        description="residual, for small pictures: 0.27 million parameters",
    ),
    "resnet32": Architecture(
        build=partial(resnet_small, depth=32),
        arguments=("width",),
        description="residual, for small pictures: 0.46 million parameters",
    ),
    "resnet56": Architecture(
        build=partial(resnet_small, depth=56),
        arguments=("width",),
        description="residual, for small pictures: 0.85 million parameters",
    ),
    "resnet18": Architecture(
        build=partial(resnet_large, depth=18),
        arguments=("width",),
        description="residual, for large pictures: 11 million parameters",
    ),
    "resnet34": Architecture(
        build=partial(resnet_large, depth=34),
        arguments=("width",),
        description="residual, for large pictures: 21 million parameters",
    ),
    "wide_resnet": Architecture(
        build=wide_resnet,
        arguments=("depth", "width", "dropout"),
        description="shallow and wide residual network of any depth and width",
    ),
    "wrn-16-4": Architecture(
        build=partial(wide_resnet, depth=16, width=4),
        arguments=("dropout",),
        description="wide residual network of 16 layers: 2.7 million parameters",
    ),
    "wrn-28-10": Architecture(
        build=partial(wide_resnet, depth=28, width=10),
        arguments=("dropout",),
        description="wide residual network of 28 layers: 36 million parameters",
    ),
    "densenet": Architecture(
        build=densenet,
        arguments=("depth", "growth", "dropout"),
        description="densely connected network of any depth and growth",
    ),
    "densenet-bc-100": Architecture(
        build=partial(densenet, depth=100, growth=12),
        arguments=("dropout",),
        description="densely connected network of 100 layers: 0.77 million parameters",
    ),
    "mobilenet_v2": Architecture(
        build=mobilenet_v2,
        arguments=("width", "dropout"),
        description="little arithmetic: depthwise convolutions between narrow layers",
    ),
    "convnext": Architecture(
        build=convnext,
        arguments=("width", "depths", "drop_path"),
        description="ConvNeXt-T: large depthwise filters, layer normalisation; 28 million",
    ),
    "convnext-atto": Architecture(
        build=partial(convnext, width=40, depths=(2, 2, 6, 2)),
        arguments=("drop_path",),
        description="the smallest ConvNeXt: 3.7 million parameters for 1000 classes",
    ),
}


def check_arguments(name: str, arguments: Mapping[str, Any]) -> Architecture:
    """The architecture called ``name``, which takes arguments of these names.

    Raises:
        ConfigError: an unknown name or argument.

    >>> check_arguments("resnet20", {"width": 8}).arguments
    ('width',)
    """
    architecture = choose("architecture", name, ARCHITECTURES)
    for argument in arguments:
        if argument not in architecture.arguments:
            allowed = (
                did_you_mean(argument, architecture.arguments)
                if architecture.arguments
                else "; it takes none"
            )
            raise ConfigError(f"architecture {name!r} has no argument {argument!r}{allowed}")
    return architecture


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
    architecture = check_arguments(name, arguments)
    if n_classes < 2:
        raise ConfigError(f"a classifier needs at least 2 classes; got {n_classes}")
    check_whole("seed", seed, 0, 2**64 - 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = architecture.build(input_shape, n_classes, **arguments)
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
