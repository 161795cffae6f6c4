"""What a layer does, told by its class and never by its name."""

from typing import Literal

from torch import nn

from convolens.zoo.blocks import GlobalAveragePool
from convolens.zoo.layers import ACTIVATIONS

LayerKind = Literal["convolution", "pooling", "normalisation", "activation", "dense", "other"]

_BY_KIND: tuple[tuple[LayerKind, tuple[type[nn.Module], ...]], ...] = (
    ("convolution", (nn.Conv1d, nn.Conv2d, nn.Conv3d)),
    (
        "pooling",
        (
            nn.MaxPool2d,
            nn.AvgPool2d,
            nn.AdaptiveAvgPool2d,
            nn.AdaptiveMaxPool2d,
            nn.LPPool2d,
            GlobalAveragePool,
        ),
    ),
    (
        "normalisation",
        (
            # The bases of all of them have no public name.
            nn.modules.batchnorm._BatchNorm,  # noqa: SLF001
            nn.modules.instancenorm._InstanceNorm,  # noqa: SLF001
            nn.LayerNorm,
            nn.GroupNorm,
            nn.LocalResponseNorm,
        ),
    ),
    (
        "activation",
        (
            *ACTIVATIONS,
            nn.Hardtanh,  # ReLU6, too
            nn.LeakyReLU,
            nn.PReLU,
            nn.RReLU,
            nn.ELU,
            nn.SELU,
            nn.CELU,
            nn.Mish,
            nn.Hardsigmoid,
            nn.Hardswish,
            nn.Hardshrink,
            nn.Softshrink,
            nn.LogSigmoid,
            nn.Softplus,
            nn.Softsign,
            nn.Tanhshrink,
            nn.Threshold,
        ),
    ),
    ("dense", (nn.Linear,)),
)


def kind_of(module: nn.Module) -> LayerKind:
    """What a layer does. An activation makes each value of that one value alone.

    >>> kind_of(nn.Conv2d(1, 1, 3)), kind_of(nn.ReLU())
    ('convolution', 'activation')
    """
    for kind, classes in _BY_KIND:
        if isinstance(module, classes):
            return kind
    return "other"


def is_layer(name: str, module: nn.Module) -> bool:
    """Whether a module is a layer, which has no parts.

    PyTorch keeps what it makes weights of (weight normalisation and the like) as a part of a layer;
    that is none of the network's.

    Args:
        name: in the network.
        module: of that name.

    >>> is_layer("conv", nn.Conv2d(1, 1, 3)), is_layer("body", nn.Sequential(nn.ReLU()))
    (True, False)
    """
    parts = {part for part, _ in module.named_children()} - {"parametrizations"}
    return not parts and "parametrizations" not in name.split(".")
