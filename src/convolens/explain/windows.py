"""Which values of the map before a value of a convolution or a pooling looks at."""

import numpy as np
from numpy.typing import NDArray
from torch import nn

from convolens.zoo.blocks import GlobalAveragePool
from convolens.zoo.layers import padding_before, pair

ADAPTIVE = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
WINDOWED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, *ADAPTIVE, GlobalAveragePool)
"""Layers each of whose values looks at a window."""


def seen_places(
    module: nn.Module, axis: int, place: int, size: int, out_size: int
) -> NDArray[np.int64]:
    """The rows (or columns) that one row (or column) of a layer's output looks at.

    Args:
        module: one of ``WINDOWED``.
        axis: 0 for rows, 1 for columns.
        place: of the output, from 0.
        size: of the input along that axis.
        out_size: of the output along that axis.

    Returns:
        Places in the input, ascending; below 0 or from ``size`` on they lie in the padding.

    >>> seen_places(nn.Conv2d(1, 1, 3, padding=2, dilation=2), 0, 0, 9, 9)
    array([-2,  0,  2])
    >>> seen_places(nn.AdaptiveAvgPool2d(2), 1, 1, 5, 2)
    array([2, 3, 4])
    """
    if isinstance(module, GlobalAveragePool):
        return np.arange(size)
    if isinstance(module, ADAPTIVE):
        return np.arange(place * size // out_size, -(-(place + 1) * size // out_size))
    kernel, stride = pair(module.kernel_size)[axis], pair(module.stride)[axis]
    gap = pair(getattr(module, "dilation", 1))[axis]
    before = padding_before(module)[axis]
    places = place * stride - before + gap * np.arange(kernel)
    if isinstance(module, nn.Conv2d):
        return places
    # A pooling that rounds up reaches beyond its padding: there is nothing, not even a zero.
    return places[places < size + before]
