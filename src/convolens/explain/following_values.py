"""What becomes of one value behind its layer, as long as no other value matters."""

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from convolens.explain.layer_kinds import kind_of
from convolens.explain.passes import LayerPass, PassedLayers
from convolens.explain.value_trace import FollowingStep
from convolens.zoo.blocks import ChannelScale
from convolens.zoo.branches import Add, Concatenate, StochasticDepth

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d
# When judging, these hand on what comes in.
_HANDING_ON = nn.Identity | nn.Dropout | nn.Dropout2d | nn.AlphaDropout | StochasticDepth
Place = tuple[int, int, int]


def follow_value(
    passed: PassedLayers, place: int, where: Place, value: float, magnitude: float
) -> tuple[tuple[FollowingStep, ...], str]:
    """The layers behind a value that look at it alone.

    Args:
        passed: the whole pass.
        place: of the value's layer among its passes.
        where: (row, column, channel) of the value.
        value: the value, in float64.
        magnitude: size of the terms it is a sum of.

    Returns:
        The steps in order, and a sentence on what ends them.
    """
    steps: list[FollowingStep] = []
    number = _Number(value, magnitude)
    while True:
        readers = passed.readers(place)
        if len(readers) != 1 or len(readers[0].inputs) != 1:
            return tuple(steps), _ending(passed, place, readers)
        reader = readers[0]
        same_shape = reader.output.shape == passed.passes[place].output.shape
        made = _alone(reader.module, number.value, where[2]) if same_shape else None
        if made is None:
            return tuple(steps), _ending(passed, place, readers)
        after, numbers = made
        magnitude = _magnitude(number.magnitude, numbers)
        steps.append(
            FollowingStep(
                layer=reader.name,
                operation=type(reader.module).__name__,
                numbers=numbers,
                before=number.value,
                value=after,
                network_value=value_at(reader.output, *where),
                magnitude=magnitude,
            )
        )
        number = _Number(after, magnitude)
        place = passed.passes.index(reader)


def value_at(output: Tensor, row: int, column: int, channel: int) -> float:
    """One value of (1, channels, height, width), or of (1, channels)."""
    one = output[0, channel, row, column] if output.ndim == 4 else output[0, channel]
    return float(one)


@dataclass(frozen=True)
class _Number:
    value: float
    magnitude: float


def _alone(module: nn.Module, value: float, channel: int) -> tuple[float, dict[str, float]] | None:
    """What a layer makes of a value, and with which numbers; None if it looks at others, too."""
    if isinstance(module, BatchNorm):
        return _normalised(module, value, channel)
    if isinstance(module, ChannelScale):
        factor = float(module.weight.detach()[channel])
        return value * factor, {"factor": factor}
    if isinstance(module, _HANDING_ON):
        return value, {}
    if isinstance(module, nn.PReLU):
        slope = float(module.weight.detach()[channel if module.weight.numel() > 1 else 0])
        return value if not value < 0 else slope * value, {"slope": slope}
    if kind_of(module) == "activation":
        with torch.no_grad():
            alone = copy.deepcopy(module).double().cpu().eval()
            return float(alone(torch.full((1, 1, 1, 1), value, dtype=torch.float64))), {}
    return None


def _normalised(
    module: BatchNorm, value: float, channel: int
) -> tuple[float, dict[str, float]] | None:
    if module.running_mean is None or module.running_var is None:
        return None  # it takes the mean of all that passes
    scale, shift = (
        default if tensor is None else float(tensor.detach()[channel])
        for tensor, default in ((module.weight, 1.0), (module.bias, 0.0))
    )
    numbers = {
        "mean": float(module.running_mean[channel]),
        "variance": float(module.running_var[channel]),
        "epsilon": float(module.eps),
        "scale": scale,
        "shift": shift,
    }
    spread = math.sqrt(numbers["variance"] + numbers["epsilon"])
    with np.errstate(all="ignore"):  # no variance and no epsilon: infinite, as in PyTorch
        normalised = np.divide(value - numbers["mean"], spread)
        return float(normalised * scale + shift), numbers


def _magnitude(before: float, numbers: dict[str, float]) -> float:
    if "variance" in numbers:
        spread = math.sqrt(numbers["variance"] + numbers["epsilon"])
        factor = abs(numbers["scale"]) / (spread or 1.0)
        return (before + abs(numbers["mean"])) * factor + abs(numbers["shift"])
    if "factor" in numbers:
        return before * abs(numbers["factor"])
    return before * max(1.0, abs(numbers.get("slope", 1.0)))


def _ending(passed: PassedLayers, place: int, readers: list[LayerPass]) -> str:
    if not readers:
        if place == len(passed.passes) - 1:
            return "No layer follows: the network puts it out."
        return "What follows is computed outside of the network's layers."
    if len(readers) > 1:
        names = [repr(reader.name) for reader in readers]
        return f"From here the paths part: {', '.join(names[:-1])} and {names[-1]} read it."
    return f"It ends here: {_reason(passed, place, readers[0])}."


def _reason(passed: PassedLayers, place: int, reader: LayerPass) -> str:
    name, module = repr(reader.name), reader.module
    others = [
        "a value computed outside of the layers" if other is None
        else "the picture" if other < 0 else repr(passed.passes[other].name)
        for other in reader.inputs if other != place
    ]  # fmt: skip
    if isinstance(module, Add):
        return f"{name} adds it to what comes from {others[0] if others else 'itself'}"
    if isinstance(module, Concatenate):
        return f"{name} lays it beside what comes from {others[0] if others else 'itself'}"
    kind = kind_of(module)
    if isinstance(module, nn.Flatten):
        return f"{name} lays all values in a row"
    if isinstance(module, nn.MaxPool2d | nn.AdaptiveMaxPool2d):
        return f"{name} takes the largest of several values"
    if kind == "pooling":
        return f"{name} takes the mean of several values"
    if kind in ("convolution", "dense"):
        return f"{name} sums it with other values"
    if kind == "normalisation":
        return f"{name} normalises it by several values"
    return f"{name} ({type(module).__name__}) may look at other values, too"
