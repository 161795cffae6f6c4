"""The arithmetic of one PyTorch module: its output's shape, its cost, and what one value sees."""

from math import prod
from typing import Any

from torch import nn

from convolens.errors import ConfigError
from convolens.ops import LayerArithmetic, LayerSpec, describe_stack
from convolens.zoo.blocks import ChannelNorm, ChannelScale, GlobalAveragePool
from convolens.zoo.branches import Add, Concatenate, StochasticDepth, ZeroPadShortcut
from convolens.zoo.lenet import ScaledTanh

Shape = tuple[int, int, int]

ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, ScaledTanh)
POOLINGS = {nn.MaxPool2d: "max_pool", nn.AvgPool2d: "avg_pool"}
WHOLE = ("flatten", "global_pool")
"""Kinds whose every output value looks at all that comes in."""
# A value of these depends on the same pixels as the value that comes in.
POINTWISE: tuple[tuple[Any, str], ...] = (
    (nn.BatchNorm2d, "batch_norm"),
    ((ChannelNorm, nn.LayerNorm), "layer_norm"),
    (ChannelScale, "scale"),
    (nn.Dropout, "dropout"),
    (StochasticDepth, "drop_path"),
    (nn.Identity, "identity"),
    (ACTIVATIONS, "activation"),
)


def describe_layer(name: str, module: nn.Module, inputs: list[Shape]) -> LayerArithmetic:
    """What a module makes of its input, and what that costs.

    Args:
        name: the module's, for the summary and for messages.
        module: one without parts.
        inputs: (height, width, channels) of each input.

    Returns:
        Its arithmetic, with the receptive field and the jump of this layer alone.

    Raises:
        ConfigError: a kind of module that is not known, or one that does not fit its input.
    """
    if isinstance(module, Add | Concatenate):
        return _joined(name, module, inputs)
    (shape,) = inputs
    if (spec := _spec(name, module)) is not None:
        return describe_stack(shape, [spec])[0]
    if isinstance(module, ZeroPadShortcut):
        height, width = (-(-side // module.stride) for side in shape[:2])
        after = (height, width, module.out_channels)
        return _free(name, "subsample", after, jump=module.stride)
    for classes, kind in POINTWISE:
        if isinstance(module, classes):
            return _free(name, kind, shape, parameters=sum(p.numel() for p in module.parameters()))
    raise ConfigError(f"layer {name!r} is a {type(module).__name__}, which a summary cannot count")


def padding_before(module: nn.Module) -> tuple[int, int]:
    """Pixels of padding (above, to the left) that a module lays around its input."""
    if not isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        return 0, 0
    if isinstance(module.padding, str):
        if module.padding == "valid":
            return 0, 0
        windows = zip(pair(module.kernel_size), pair(module.dilation), strict=True)
        down, across = (gap * (window - 1) // 2 for window, gap in windows)
        return down, across
    return pair(module.padding)


def pair(size: Any) -> tuple[int, int]:
    """An int or (vertical, horizontal), as PyTorch keeps them, as two ints."""
    if isinstance(size, tuple | list):
        return int(size[0]), int(size[1])
    return int(size), int(size)


def _spec(name: str, module: nn.Module) -> LayerSpec | None:
    """The module as the laboratory describes a layer, if it is of one of its kinds."""
    if isinstance(module, nn.Conv2d):
        return LayerSpec(
            name=name,
            kind="conv",
            kernel_size=pair(module.kernel_size),
            strides=pair(module.stride),
            padding=_sides(module),
            dilations=pair(module.dilation),
            filters=module.out_channels,
            groups=module.groups,
            bias=module.bias is not None,
        )
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        assert not module.ceil_mode, "no architecture's poolings round up"
        return LayerSpec(
            name=name,
            kind=POOLINGS[type(module)],
            kernel_size=pair(module.kernel_size),
            strides=pair(module.stride),
            padding=_sides(module),
        )
    if isinstance(module, nn.Linear):
        return LayerSpec(
            name=name, kind="dense", units=module.out_features, bias=module.bias is not None
        )
    if isinstance(module, nn.Flatten | GlobalAveragePool):
        kind = "flatten" if isinstance(module, nn.Flatten) else "global_pool"
        return LayerSpec(name=name, kind=kind)
    return None


def _sides(module: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) -> Any:
    if isinstance(module.padding, str) and module.padding == "valid":
        return "valid"
    down, across = padding_before(module)
    if isinstance(module.padding, str):  # "same" in PyTorch: the odd pixel last, stride 1
        windows = zip(pair(module.kernel_size), pair(module.dilation), strict=True)
        height, width = (gap * (window - 1) for window, gap in windows)
        return ((down, height - down), (across, width - across))
    return ((down, down), (across, across))


def _joined(name: str, module: nn.Module, inputs: list[Shape]) -> LayerArithmetic:
    first, second = inputs * 2 if len(inputs) == 1 else inputs
    if isinstance(module, Concatenate):
        return _free(name, "concatenate", (*first[:2], first[2] + second[2]))
    assert first == second, f"layer {name!r} adds {first} and {second}"
    return _free(name, "add", first)


def _free(
    name: str, kind: str, shape: Shape, *, parameters: int = 0, jump: int = 1
) -> LayerArithmetic:
    """A layer without multiply-adds that looks at one value of each map."""
    assert prod(shape) > 0
    return LayerArithmetic(
        name=name,
        kind=kind,
        output_shape=shape,
        parameters=parameters,
        multiply_adds=0,
        receptive_field=(1, 1),
        jump=(jump, jump),
    )
