"""What a network is made of: each layer's shape, cost and receptive field."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from convolens.config import to_dict
from convolens.errors import ConfigError
from convolens.ops import LayerArithmetic
from convolens.zoo.layers import WHOLE, describe_layer, padding_before
from convolens.zoo.registry import build_network
from convolens.zoo.tracing import follow


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
        head = f"{'layer':<{width}}  {'kind':<11}  {'output':>15}  {'parameters':>11}"
        lines = [f"{head}  {'multiply-adds':>13}  sees"]
        for layer in self.layers:
            sees = f"{layer.receptive_field[0]} x {layer.receptive_field[1]}"
            lines.append(
                f"{layer.name:<{width}}  {layer.kind:<11}  {_shape(layer.output_shape):>15}  "
                f"{layer.parameters:>11,}  {layer.multiply_adds:>13,}  {sees}"
            )
        lines.append(f"{self.parameters:,} parameters, {self.multiply_adds:,} multiply-adds")
        return "\n".join(lines)


def summarise(
    network: nn.Module | str,
    input_shape: tuple[int, int, int],
    n_classes: int = 10,
    **arguments: Any,
) -> ModelSummary:
    """Shape, parameters, multiply-adds and receptive field of every layer.

    Where paths meet, a value sees what it sees along any of them.

    Args:
        network: a network whose every operation is a module (each of ``ARCHITECTURES``; a
            ``nn.Sequential``), or the name of an architecture, of which no weight is then made.
        input_shape: (height, width, channels) of a picture.
        n_classes: number of classes, where an architecture is named.
        **arguments: further ones of the architecture, where one is named.

    Returns:
        Every layer without parts, in the order in which they compute.

    Raises:
        ConfigError: an unknown architecture, a layer of an unknown kind, an operation that is no
            layer, or parameters that no picture meets.

    >>> summary = summarise("notes", (28, 28, 1), 10)
    >>> summary.parameters, summary.layers[0].receptive_field
    (1413834, (7, 7))
    >>> summarise("resnet18", (224, 224, 3), 1000).parameters
    11689512
    """
    if isinstance(network, str):
        with torch.device("meta"):
            network = build_network(network, input_shape, n_classes, **arguments)
    layers: list[LayerArithmetic] = []
    views = [_View(low=(0, 0), high=(0, 0), jump=(1, 1))]  # the picture's, then each layer's
    shapes = [input_shape]
    for step in follow(network):
        before = [place + 1 for place in step.inputs]
        alone = describe_layer(step.name, step.module, [shapes[place] for place in before])
        view = _joined([views[place] for place in before]).behind(
            alone, (0, 0) if alone.kind in WHOLE else padding_before(step.module)
        )
        shapes.append(alone.output_shape)
        views.append(view)
        layers.append(replace(alone, receptive_field=view.size, jump=view.jump))
    summary = ModelSummary(input_shape=input_shape, layers=tuple(layers))
    counted = sum(parameter.numel() for parameter in network.parameters())
    if summary.parameters != counted:
        raise ConfigError(
            f"the layers that a picture passes have {summary.parameters:,} parameters and the "
            f"network has {counted:,}; each layer must be used, once"
        )
    return summary


@dataclass(frozen=True, kw_only=True)
class _View:
    """Which pixels the first value of a map sees, and how far the next value's are from them."""

    low: tuple[int, int]
    """First row and column, negative in the padding."""
    high: tuple[int, int]
    """Last row and column."""
    jump: tuple[int, int]
    """Pixels from one value's view to the next one's."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.high[0] - self.low[0] + 1, self.high[1] - self.low[1] + 1

    def behind(self, alone: LayerArithmetic, padding: tuple[int, int]) -> "_View":
        """The view through one more layer, of which ``alone`` knows window and stride."""
        low = [self.low[i] - padding[i] * self.jump[i] for i in (0, 1)]
        reach = [(alone.receptive_field[i] - 1) * self.jump[i] for i in (0, 1)]
        high = [low[i] + reach[i] + self.high[i] - self.low[i] for i in (0, 1)]
        jump = [self.jump[i] * alone.jump[i] for i in (0, 1)]
        return _View(low=(low[0], low[1]), high=(high[0], high[1]), jump=(jump[0], jump[1]))


def _joined(views: list[_View]) -> _View:
    """What is seen along any of the paths that meet."""
    first = views[0]
    assert all(view.jump == first.jump for view in views), "paths of different strides meet"
    return _View(
        low=(min(view.low[0] for view in views), min(view.low[1] for view in views)),
        high=(max(view.high[0] for view in views), max(view.high[1] for view in views)),
        jump=first.jump,
    )


def _shape(shape: tuple[int, int, int]) -> str:
    return " x ".join(str(size) for size in shape)
