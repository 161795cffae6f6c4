"""The window of one value of a convolution or a pooling, and what is made of it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from convolens.explain.passes import LayerPass
from convolens.explain.windows import seen_places
from convolens.ops import trace_conv2d
from convolens.zoo.layers import padding_before, pair


def convolved(at_work: LayerPass, where: tuple[int, int, int]) -> dict[str, Any]:
    """The fields of a ``ValueTrace`` that are a convolution's: its window, its sum.

    Args:
        at_work: the convolution and what came into it.
        where: (row, column, channel) of the value.
    """
    module = at_work.module
    assert isinstance(module, nn.Conv2d)
    row, column, channel = where
    # One filter of large ones, and the channels of its group, are all that is needed of them.
    weights = module.weight.detach()[channel].double().cpu().permute(1, 2, 0).numpy()
    share = weights.shape[2]
    first = channel // (module.out_channels // module.groups) * share
    trace = trace_conv2d(
        _array(at_work.given)[:, :, first : first + share],
        weights[:, :, :, None],
        row,
        column,
        bias=None if module.bias is None else [float(module.bias.detach()[channel])],
        strides=pair(module.stride),
        padding=_sides(module),
        dilations=pair(module.dilation),
    )
    with np.errstate(all="ignore"):
        magnitude = float(np.abs(trace.products).sum()) + abs(trace.bias)
    return {
        "kind": "convolution",
        "rows": trace.rows,
        "columns": trace.columns,
        "channels": trace.channels + first,
        "window": trace.window,
        "padded": trace.padded,
        "weights": trace.weights,
        "products": trace.products,
        "sum": trace.sum,
        "bias": None if module.bias is None else trace.bias,
        "divisor": None,
        "winner": None,
        "value": trace.value,
        "magnitude": magnitude,
    }


def pooled(at_work: LayerPass, where: tuple[int, int, int]) -> dict[str, Any]:
    """The fields of a ``ValueTrace`` that are a pooling's.

    Args:
        at_work: the pooling and what came into it.
        where: (row, column, channel) of the value.
    """
    module = at_work.module
    picture = _array(at_work.given)[:, :, where[2]]
    sizes = output_sizes(at_work)
    rows, columns = (
        seen_places(module, axis, where[axis], picture.shape[axis], sizes[axis]) for axis in (0, 1)
    )
    height, width = picture.shape
    inside = np.logical_and.outer((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
    seen = picture[np.ix_(rows.clip(0, height - 1), columns.clip(0, width - 1))]
    window = np.where(inside, seen, 0.0)
    part: dict[str, Any] = {
        "rows": rows,
        "columns": columns,
        "channels": np.array([where[2]]),
        "window": window[:, :, None],
        "padded": ~inside,
        "weights": None,
        "products": None,
        "bias": None,
    }
    if isinstance(module, nn.MaxPool2d | nn.AdaptiveMaxPool2d):
        return part | _largest(window, inside, rows, columns)
    return part | _mean(module, window, inside)


def output_sizes(at_work: LayerPass) -> tuple[int, int, int]:
    """(height, width, channels) of what a layer put out; the mean of a whole map is one pixel."""
    if at_work.output.ndim == 2:
        return 1, 1, at_work.output.shape[1]
    return sizes_of(at_work.output)


def sizes_of(maps: Tensor) -> tuple[int, int, int]:
    """(height, width, channels) of (n, channels, height, width)."""
    channels, height, width = maps.shape[1:]
    return height, width, channels


def _largest(
    window: NDArray[Any], inside: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any]
) -> dict[str, Any]:
    places = np.argwhere(inside)
    i, j = places[np.argmax(window[inside])]  # NaN wins over everything, as in PyTorch
    value = float(window[i, j])
    return {
        "kind": "max_pool",
        "sum": None,
        "divisor": None,
        "winner": (int(rows[i]), int(columns[j])),
        "value": value,
        "magnitude": abs(value),
    }


def _mean(module: nn.Module, window: NDArray[Any], inside: NDArray[Any]) -> dict[str, Any]:
    divisor = int(inside.sum())
    if isinstance(module, nn.AvgPool2d):
        if module.divisor_override:
            divisor = int(module.divisor_override)
        elif module.count_include_pad:
            divisor = window.size
    with np.errstate(all="ignore"):
        total = float(window.sum())
        magnitude = float(np.abs(window).sum()) / abs(divisor)
    return {
        "kind": "avg_pool",
        "sum": total,
        "divisor": divisor,
        "winner": None,
        "value": total / divisor,
        "magnitude": magnitude,
    }


def _sides(module: nn.Conv2d) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding (above, below), (left, right); PyTorch's "same" puts an odd pixel last."""
    before = padding_before(module)
    if module.padding != "same":
        return (before[0], before[0]), (before[1], before[1])
    gaps = zip(pair(module.kernel_size), pair(module.dilation), before, strict=True)
    down, across = ((first, gap * (kernel - 1) - first) for kernel, gap, first in gaps)
    return down, across


def _array(maps: Tensor) -> NDArray[np.float64]:
    return maps[0].permute(1, 2, 0).double().cpu().numpy()
