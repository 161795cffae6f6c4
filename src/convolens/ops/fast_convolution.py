"""How convolution is computed: by torch, in the fastest of four ways for the case at hand.

- Single precision: torch's own (oneDNN), at once.
- Single precision with a large result: the same in bands of rows (``_by_bands``).
- Double precision with few filters: in blocks of neighbouring columns (``_by_blocks``), up to
  eight times as fast as torch's own, which makes a matrix with a row for each window.
- Double precision otherwise: torch's own, in bands of rows that keep that matrix in the cache.

None needs much memory beside the result. ``benchmarks/ops.py`` measures them.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from convolens.ops.arrays import empty_tensor
from convolens.ops.padding import Sides

# Size of a matrix of windows. Measured from 0.5 to 32 MB on a Xeon with 2 MB of second-level cache
# a core: nearly flat from 2 to 16; the larger, the fewer steps for a busy machine to disturb.
MATRIX_BYTES = 8 * 2**20
# glibc takes more than 32 MB fresh from the kernel each time, in pages of 4 KB: for the 140 MB of
# 32 feature maps of two pictures this costs as much as the arithmetic. In bands, that memory is
# used again, and the result lies in huge pages: 14 ms, not 23 (least of 12, two cores of a Xeon).
BAND_BYTES = 24 * 2**20
# Where blocks would do best with a width of 1, or have many gaps, torch's own is as fast or faster.
NARROWEST_BLOCK = 2
WIDEST_DILATION = 4
BLOCK_WIDTHS = (1, 2, 4, 8, 16, 32)

Activation = Callable[[torch.Tensor], Any]


class Steps(NamedTuple):
    """Where the windows of a convolution lie; all values are valid and fit one another."""

    size: tuple[int, int]
    """(height, width) of the result."""
    strides: tuple[int, int]
    sides: Sides
    """Padding: ((top, bottom), (left, right))."""
    dilations: tuple[int, int]
    groups: int


def convolve_tensors(
    pictures: torch.Tensor,
    weights: torch.Tensor,
    bias: torch.Tensor | None,
    steps: Steps,
    activation: Activation | None,
) -> torch.Tensor:
    """Convolve pictures.

    Args:
        pictures: (n, height, width, channels), contiguous, float32 or float64.
        weights: (height, width, channels / groups, out_channels), of the same dtype.
        bias: (out_channels,) of the same dtype, or None.
        steps: where the windows lie.
        activation: changes feature maps in place, or None.

    Returns:
        (n, out_height, out_width, out_channels).
    """
    (top, bottom), (left, right) = steps.sides
    small = math.prod(_result_shape(pictures, weights, steps)) * 4 <= BAND_BYTES
    if pictures.dtype == torch.float32 and small and (top, left) == (bottom, right):
        return _by_torch(pictures, weights, bias, steps, activation, padding=(top, left))

    if any((top, bottom, left, right)):
        pictures = functional.pad(pictures, (0, 0, left, right, top, bottom))
    if pictures.dtype == torch.float64 and _blocks_are_faster(pictures, weights, steps):
        maps = _by_blocks(pictures, weights, bias, steps)
        if activation is not None:
            activation(maps)
        return maps
    return _by_bands(pictures, weights, bias, steps, activation)


def _by_torch(
    pictures: torch.Tensor,
    weights: torch.Tensor,
    bias: torch.Tensor | None,
    steps: Steps,
    activation: Activation | None,
    padding: tuple[int, int] = (0, 0),
) -> torch.Tensor:
    # A permuted view is what torch calls channels_last memory: nothing is copied on the way in.
    maps = functional.conv2d(
        pictures.permute(0, 3, 1, 2),
        weights.permute(3, 2, 0, 1).contiguous(),
        bias,
        stride=steps.strides,
        padding=padding,
        dilation=steps.dilations,
        groups=steps.groups,
    )
    if activation is not None:
        activation(maps)
    return maps.permute(0, 2, 3, 1)


def _by_bands(
    pictures: torch.Tensor,
    weights: torch.Tensor,
    bias: torch.Tensor | None,
    steps: Steps,
    activation: Activation | None,
) -> torch.Tensor:
    """Convolve padded pictures, a few rows at a time."""
    result = empty_tensor(_result_shape(pictures, weights, steps), pictures.numpy().dtype)
    if pictures.dtype == torch.float64:
        window_bytes = weights[..., 0].numel() * weights.element_size()
        bands = _bands(result, steps.size[1] * window_bytes, MATRIX_BYTES)
    else:
        bands = _bands(result, result[0, 0].numel() * result.element_size(), BAND_BYTES)
    for images, rows in bands:
        count = rows.stop - rows.start
        seen = _seen(rows.start, count, steps.strides[0], weights.shape[0], steps.dilations[0])
        result[images, rows] = _by_torch(pictures[images, seen], weights, bias, steps, activation)
    return result


def _result_shape(
    pictures: torch.Tensor, weights: torch.Tensor, steps: Steps
) -> tuple[int, int, int, int]:
    return (pictures.shape[0], *steps.size, weights.shape[3])


def _bands(result: torch.Tensor, row_bytes: int, budget: int) -> Iterator[tuple[slice, slice]]:
    """(images, rows) of each band of a result, several images at once where they are small.

    A row of the result takes ``row_bytes`` of the memory that a band may take in all.
    """
    n, height = result.shape[:2]
    several = max(1, budget // (row_bytes * height))
    bands = min(height, -(-row_bytes * height // budget))
    count = -(-height // bands)
    for image in range(0, n, several):
        for row in range(0, height, count):
            yield slice(image, min(image + several, n)), slice(row, min(row + count, height))


def _seen(first: int, count: int, stride: int, window: int, dilation: int) -> slice:
    """What ``count`` windows from the one at ``first`` on see along one axis."""
    start = first * stride
    return slice(start, start + (count - 1) * stride + (window - 1) * dilation + 1)


# A block is a few neighbouring columns of the result. What one row of it sees lies in a few runs of
# memory, one for each row of the filter. Laid end to end these are one row of a matrix, and its
# product with a banded matrix of weights (zeros where a filter does not reach) is that row of the
# block: many times fewer rows, and more columns, than with one row for each window.


def _blocks_are_faster(pictures: torch.Tensor, weights: torch.Tensor, steps: Steps) -> bool:
    if steps.groups > 1 or steps.dilations[1] > WIDEST_DILATION:
        return False
    if _block_width(weights, steps) < NARROWEST_BLOCK:
        return False
    # Zero times infinity is not zero: what a filter does not reach must be finite, too. The least
    # and the greatest value are NaN where any value is.
    least, greatest = torch.aminmax(pictures)
    return math.isfinite(least.item()) and math.isfinite(greatest.item())


def _by_blocks(
    pictures: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor | None, steps: Steps
) -> torch.Tensor:
    result = empty_tensor(_result_shape(pictures, weights, steps), pictures.numpy().dtype)
    width, block = steps.size[1], _block_width(weights, steps)
    whole, rest = divmod(width, block)
    _blocks(pictures, weights, steps, result, first=0, count=whole, block=block)
    if rest:
        _blocks(pictures, weights, steps, result, first=whole * block, count=1, block=rest)
    return result if bias is None else result.add_(bias)


def _blocks(
    pictures: torch.Tensor,
    weights: torch.Tensor,
    steps: Steps,
    result: torch.Tensor,
    *,
    first: int,
    count: int,
    block: int,
) -> None:
    """Fill ``count`` blocks of ``block`` columns from the column ``first`` on."""
    (down, across), filter_rows = steps.strides, weights.shape[0]
    image_stride, row_stride, column_stride = pictures.stride()[:3]
    matrix = _banded(weights, block, steps)
    row_bytes = count * matrix.shape[0] * matrix.element_size()
    for images, rows in _bands(result, row_bytes, MATRIX_BYTES):
        several = images.stop - images.start, rows.stop - rows.start
        runs = pictures.as_strided(
            (*several, count, filter_rows, matrix.shape[0] // filter_rows),
            (
                image_stride,
                down * row_stride,
                block * across * column_stride,
                steps.dilations[0] * row_stride,
                1,
            ),
            images.start * image_stride
            + rows.start * down * row_stride
            + first * across * column_stride,
        )
        product = torch.mm(runs.reshape(-1, matrix.shape[0]), matrix)
        columns = slice(first, first + count * block)
        result[images, rows, columns] = product.view(*several, count * block, -1)


def _banded(weights: torch.Tensor, count: int, steps: Steps) -> torch.Tensor:
    """Weights of ``count`` neighbouring windows for everything that these see.

    Returns:
        (filter rows * columns seen * channels, count * out_channels).
    """
    filter_rows, filter_columns, channels, out_channels = weights.shape
    across, dilation = steps.strides[1], steps.dilations[1]
    seen = _seen(0, count, across, filter_columns, dilation).stop
    matrix = weights.new_zeros(filter_rows, seen, channels, count, out_channels)
    for window in range(count):
        reached = _seen(window, 1, across, filter_columns, dilation)
        matrix[:, reached.start : reached.stop : dilation, :, window] = weights
    return matrix.view(filter_rows * seen * channels, count * out_channels)


def _block_width(weights: torch.Tensor, steps: Steps) -> int:
    """The block's width of least work for each column of the result."""
    filter_columns, out_channels = weights.shape[1], weights.shape[3]

    def work(block: int) -> float:
        seen = _seen(0, block, steps.strides[1], filter_columns, steps.dilations[1]).stop
        # Products narrower than 16 take as long as 16; laying out a value costs about 24 products.
        return seen * (max(block * out_channels, 16) + 24) / block

    return min((block for block in BLOCK_WIDTHS if block <= steps.size[1]), key=work)
