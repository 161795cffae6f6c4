"""What a network is made of: each layer's shape, cost and receptive field."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from convolens.config import to_dict
from convolens.errors import ConfigError
from convolens.ops import LayerArithmetic, LayerSpec, describe_stack
from convolens.zoo.blocks import GlobalAveragePool
from convolens.zoo.registry import build_network

ACTIVATIONS = (nn.ReLU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh)


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """Every layer of a network, in order; ``str()`` is a table."""

    input_shape: tuple[int, int, int]
    """(height, width, channels) of a picture."""
    layers: tuple[LayerArithmetic, ...]
    """From the picture to the logits."""

    @property
    def parameters(self) -> int:
        """Trained parameters of the whole network."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the whole network for one picture."""
        return sum(layer.multiply_adds for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            **to_dict(self),
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
        }

    def __str__(self) -> str:
        width = max(len("layer"), *(len(layer.name) for layer in self.layers))
        head = f"{'layer':<{width}}  {'kind':<11}  {'output':>14}  {'parameters':>11}"
        lines = [f"{head}  {'multiply-adds':>13}  sees"]
        for layer in self.layers:
            sees = f"{layer.receptive_field[0]} x {layer.receptive_field[1]}"
            lines.append(
                f"{layer.name:<{width}}  {layer.kind:<11}  {_shape(layer.output_shape):>14}  "
                f"{layer.parameters:>11,}  {layer.multiply_adds:>13,}  {sees}"
            )
        lines.append(f"{self.parameters:,} parameters, {self.multiply_adds:,} multiply-adds")
        return "\n".join(lines)


def summarise(
    network: nn.Module | str, input_shape: tuple[int, int, int], n_classes: int = 10
) -> ModelSummary:
    """Shape, parameters, multiply-adds and receptive field of every layer.

    Args:
        network: a network whose layers follow one another (``nn.Sequential``), or the name of an
            architecture.
        input_shape: (height, width, channels) of a picture.
        n_classes: number of classes, where an architecture is named.

    Raises:
        ConfigError: an unknown architecture, a layer of an unknown kind, or layers that do not
            follow one another.

    >>> summary = summarise("notes", (28, 28, 1), 10)
    >>> summary.parameters, summary.layers[0].receptive_field
    (1413834, (7, 7))
    """
    if isinstance(network, str):
        network = build_network(network, input_shape, n_classes)
    if not isinstance(network, nn.Sequential):
        raise ConfigError(
            "a summary needs a network whose layers follow one another (nn.Sequential); "
            f"got {type(network).__name__}"
        )
    specs = [_spec(name, module) for name, module in network.named_children()]
    summary = ModelSummary(input_shape=input_shape, layers=describe_stack(input_shape, specs))
    counted = sum(parameter.numel() for parameter in network.parameters())
    assert summary.parameters == counted, "the arithmetic and the network disagree"
    return summary


def _spec(name: str, module: nn.Module) -> LayerSpec:
    if isinstance(module, nn.Conv2d):
        return LayerSpec(
            name=name,
            kind="conv",
            kernel_size=_pair(module.kernel_size),
            strides=_pair(module.stride),
            padding=_padding(module.padding),
            dilations=_pair(module.dilation),
            filters=module.out_channels,
            groups=module.groups,
            bias=module.bias is not None,
        )
    if isinstance(module, nn.MaxPool2d):
        assert module.padding == 0, "no architecture pads its poolings"
        return LayerSpec(
            name=name,
            kind="max_pool",
            kernel_size=_pair(module.kernel_size),
            strides=_pair(module.stride),
        )
    if isinstance(module, nn.Linear):
        return LayerSpec(
            name=name, kind="dense", units=module.out_features, bias=module.bias is not None
        )
    return LayerSpec(name=name, kind=_plain_kind(name, module))


def _plain_kind(name: str, module: nn.Module) -> str:
    kinds: list[tuple[Any, str]] = [
        (nn.BatchNorm2d, "batch_norm"),
        (nn.Flatten, "flatten"),
        (nn.Dropout, "dropout"),
        (GlobalAveragePool, "global_pool"),
        (ACTIVATIONS, "activation"),
    ]
    for classes, kind in kinds:
        if isinstance(module, classes):
            return kind
    raise ConfigError(f"layer {name!r} is a {type(module).__name__}, which a summary cannot count")


def _padding(padding: Any) -> Any:
    if isinstance(padding, str):
        return padding
    vertical, horizontal = _pair(padding)
    return ((vertical, vertical), (horizontal, horizontal))


def _pair(size: Any) -> tuple[int, int]:
    if isinstance(size, torch.Size | tuple | list):
        return int(size[0]), int(size[1])
    return int(size), int(size)


def _shape(shape: tuple[int, int, int]) -> str:
    return " x ".join(str(size) for size in shape)
