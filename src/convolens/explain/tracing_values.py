"""Taking one value of a trained network apart: its window, its weights, its sum."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.explain.activations import check_maps, one_input
from convolens.explain.following_values import follow_value, value_at
from convolens.explain.networks import Explainable, find_layer, network_of, pass_through
from convolens.explain.passes import LayerPass, PassedLayers, follow_pass
from convolens.explain.value_trace import ValueTrace
from convolens.explain.value_windows import convolved, output_sizes, pooled, sizes_of
from convolens.explain.windows import WINDOWED
from convolens.zoo.blocks import GlobalAveragePool


def trace_value(
    model: Explainable, picture: Any, layer: str, row: int, column: int, channel: int
) -> ValueTrace:
    """Take one value of a convolution or a pooling apart: what it saw, each product, the sum.

    The sum is worked out in float64 from the numbers that the network itself had: the values that
    came into the layer, its weights, its bias. The network sums in its own precision and in another
    order; how far the two are apart is in the result. What becomes of the value is followed
    through normalisations and activations until other values matter, too.

    Args:
        model: as from ``load_model``, or any ``nn.Module``.
        picture: for a model a file, an array (height, width, channels) or a Pillow image, of any
            size; for a bare network an array (height, width, channels) of floating point.
        layer: name of a convolution or a pooling: ``nn.Conv2d`` padded with zeros,
            ``nn.MaxPool2d``, ``nn.AvgPool2d``, ``nn.AdaptiveAvgPool2d``, ``nn.AdaptiveMaxPool2d``,
            or the architectures' mean of whole maps (row 0, column 0). If it is passed several
            times, the last counts.
        row: row of the value in what the layer puts out, from 0.
        column: its column, from 0.
        channel: its channel, from 0.

    Returns:
        The trace; ``print`` it.

    Raises:
        ConfigError: there is no such layer or value, or the layer is of another kind.
        ImageError: the picture cannot be read.

    >>> network = nn.Sequential(nn.Conv2d(1, 1, 2, bias=False), nn.ReLU())
    >>> network[0].weight.data[0, 0] = torch.tensor([[1.0, 2.0], [3.0, -4.0]])
    >>> print(trace_value(network, np.arange(9.0).reshape(3, 3, 1), "0", 1, 0, 0))
    Layer '0' (Conv2d), row 1, column 0, channel 0.
    It saw rows 1 to 2 and columns 0 to 1 of the picture.
    <BLANKLINE>
    window   x weights   = products
      3  4       1   2        3   8
      6  7       3  -4       18  -28
    <BLANKLINE>
    sum = 1
    value = 1
    the network's own value: 1, the same
    <BLANKLINE>
    then '1' (ReLU): max(0, 1) = 1
    No layer follows: the network puts it out.
    """
    module = find_layer(model, layer, "convolution", "pooling")
    _check_kind(layer, module)
    passed = follow_pass(model, one_input(model, picture))
    place = passed.place(layer)
    at_work = passed.passes[place]
    sizes = output_sizes(at_work)
    for name, index, size in zip(
        ("row", "column", "channel"), (row, column, channel), sizes, strict=True
    ):
        check_whole(f"{name} of layer {layer!r}", index, 0, size - 1)
    where = (int(row), int(column), int(channel))
    part = convolved(at_work, where) if isinstance(module, nn.Conv2d) else pooled(at_work, where)
    following, ending = follow_value(passed, place, where, part["value"], part["magnitude"])
    return ValueTrace(
        layer=layer,
        operation=type(module).__name__.removeprefix("Parametrized"),
        row=where[0],
        column=where[1],
        channel=where[2],
        source=_source(passed, at_work),
        source_shape=sizes_of(at_work.given),
        network_value=value_at(at_work.output, *where),
        precision=_precision(at_work.output),
        following=following,
        ending=ending,
        **part,
    )


def strongest_value(model: Explainable, picture: Any, layer: str) -> tuple[int, int, int]:
    """Where a layer's output for a picture is largest.

    Args:
        model: as for :func:`trace_value`.
        picture: likewise.
        layer: any layer that puts out maps.

    Returns:
        (row, column, channel), the first of equals; values that are not numbers do not count.

    Raises:
        ConfigError: there is no such layer, it puts out no maps, or none of its values is a number.
        ImageError: the picture cannot be read.

    >>> network = nn.Sequential(nn.ReLU(), nn.Flatten())
    >>> strongest_value(network, np.array([[[1.0], [3.0]], [[2.0], [3.0]]]), "0")
    (0, 1, 0)
    """
    with torch.no_grad():
        output = pass_through(model, one_input(model, picture), [layer]).outputs[layer]
    module = network_of(model).get_submodule(layer)
    if isinstance(module, GlobalAveragePool):
        output = output[:, :, None, None]
    check_maps(layer, module, output)
    maps = output[0].permute(1, 2, 0).double().cpu().numpy()
    if np.isnan(maps).all():
        raise ConfigError(f"layer {layer!r} puts out nothing but NaN for this picture")
    row, column, channel = np.unravel_index(np.nanargmax(maps), maps.shape)
    return int(row), int(column), int(channel)


def _check_kind(layer: str, module: nn.Module) -> None:
    if not isinstance(module, WINDOWED):
        raise ConfigError(
            f"layer {layer!r} is a {type(module).__name__}; the arithmetic is written out for "
            f"{', '.join(kind.__name__ for kind in WINDOWED)}"
        )
    if isinstance(module, nn.Conv2d) and module.padding_mode != "zeros":
        raise ConfigError(
            f"layer {layer!r} pads by {module.padding_mode!r}; the arithmetic is written out for "
            "padding with zeros"
        )


def _source(passed: PassedLayers, at_work: LayerPass) -> str | None:
    place = at_work.inputs[0]
    if place is None:
        return None
    return passed.passes[place].name if place >= 0 else ""


def _precision(output: Tensor) -> float:
    return float(torch.finfo(output.dtype).eps)
