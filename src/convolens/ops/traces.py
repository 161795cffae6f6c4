"""One output value of a convolution or a pooling, taken apart: enough to print or draw it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convolens.config import to_dict
from convolens.errors import ConfigError
from convolens.ops.arrays import Array, as_picture_batch, floating_dtype
from convolens.ops.convolution import as_bias, as_filters, conv_output_size
from convolens.ops.padding import Padding, Size, pad_amounts, pair, whole_number
from convolens.ops.pooling import pool_window
from convolens.ops.trace_text import conv_text, pool_text


@dataclass(frozen=True, eq=False)
class ConvTrace:
    """How one value of a feature map came about; ``str()`` writes the arithmetic out."""

    image: int
    """Index of the picture."""
    row: int
    """Row of the value in the feature map."""
    column: int
    """Column of the value in the feature map."""
    filter: int
    """Index of the filter, and of its feature map."""
    window: Array
    """(height, width, channels): the values the filter was laid on; 0 where padded."""
    padded: Array
    """(height, width), bool: True where the window lies outside the picture."""
    rows: Array
    """(height,): rows of the picture that the window saw; outside the picture where padded."""
    columns: Array
    """(width,): columns of the picture that the window saw; outside the picture where padded."""
    channels: Array
    """(channels,): channels of the picture that the filter's group saw."""
    weights: Array
    """(height, width, channels): the filter."""
    products: Array
    """(height, width, channels): window times weights."""
    sum: float
    """Sum of all products."""
    bias: float
    """Bias of the feature map, 0 if there is none."""
    value: float
    """Sum plus bias: the value in the feature map."""

    def to_dict(self) -> dict[str, Any]:
        """Every field as plain JSON types."""
        return to_dict(self)

    def __str__(self) -> str:
        return conv_text(self)


@dataclass(frozen=True, eq=False)
class PoolTrace:
    """How one value of a pooling came about; ``str()`` writes it out."""

    mode: str
    """"max" or "avg"."""
    image: int
    """Index of the picture."""
    row: int
    """Row of the value in the result."""
    column: int
    """Column of the value in the result."""
    channel: int
    """Channel of the picture and of the result."""
    window: Array
    """(height, width): the values seen; where padded, 0 for "avg" and the least value for "max"."""
    padded: Array
    """(height, width), bool: True where the window lies outside the picture."""
    rows: Array
    """(height,): rows of the picture that the window saw."""
    columns: Array
    """(width,): columns of the picture that the window saw."""
    counted: int
    """How many cells lie inside the picture: those that count."""
    winner: tuple[int, int] | None
    """(row, column) of the largest value in the picture, the first of equals; None for "avg"."""
    value: float | int | bool
    """The value in the result."""

    def to_dict(self) -> dict[str, Any]:
        """Every field as plain JSON types; minus infinity, which JSON lacks, is None."""
        fields = to_dict(self)
        if self.mode == "max":
            fields["window"] = [
                [None if outside else value for value, outside in zip(*row, strict=True)]
                for row in zip(fields["window"], fields["padded"], strict=True)
            ]
        return fields

    def __str__(self) -> str:
        return pool_text(self)


def trace_conv2d(
    images: ArrayLike,
    filters: ArrayLike,
    row: int,
    column: int,
    filter: int = 0,  # noqa: A002 - the field's own word
    *,
    image: int = 0,
    bias: ArrayLike | None = None,
    strides: Size = 1,
    padding: Padding = "valid",
    dilations: Size = 1,
    groups: int = 1,
) -> ConvTrace:
    """Take one value of ``conv2d`` apart: what it saw, each product, the sum and the bias.

    Args:
        images: as for ``conv2d``.
        filters: as for ``conv2d``.
        row: row of the value in the feature map, from 0.
        column: column of the value in the feature map, from 0.
        filter: which filter, from 0.
        image: which picture, from 0.
        bias: as for ``conv2d``.
        strides: as for ``conv2d``.
        padding: as for ``conv2d``.
        dilations: as for ``conv2d``.
        groups: as for ``conv2d``.

    Returns:
        The trace; its value equals that of ``conv2d`` up to the order of the additions.

    Raises:
        ConfigError: as ``conv2d``, or there is no such value.

    >>> picture = np.arange(9.0).reshape(3, 3, 1)
    >>> print(trace_conv2d(picture, [[1, 2], [3, 4]], 0, 0, padding="same"))
    Image 0, feature map 0, row 0, column 0.
    It saw rows 0 to 1 and columns 0 to 1 of the picture.
    <BLANKLINE>
    channel 0
    window   x weights   = products
      0  1        1  2        0   2
      3  4        3  4        9  16
    <BLANKLINE>
    sum = 27
    value = 27
    """
    batch, _ = as_picture_batch(images)
    weights = as_filters(filters, channels=batch.shape[3], groups=groups)
    offsets = as_bias(bias, out_channels=weights.shape[3])
    height, width, share, out_channels = weights.shape
    steps, gaps = pair("strides", strides), pair("dilations", dilations)
    sides = pad_amounts(batch.shape[1:3], (height, width), steps, padding, gaps)
    size = conv_output_size(batch.shape[1:3], (height, width), steps, sides, gaps)
    image = _index("image", image, batch.shape[0])
    row, column = _index("row", row, size[0]), _index("column", column, size[1])
    filter = _index("filter", filter, out_channels)  # noqa: A001

    dtype = floating_dtype(batch, weights)
    channels = _places(filter // (out_channels // groups) * share, share)
    rows = _places(row * steps[0] - sides[0][0], height, gaps[0])
    columns = _places(column * steps[1] - sides[1][0], width, gaps[1])
    seen, padded = _look(batch[image][:, :, channels], rows, columns)
    window = np.where(padded[:, :, np.newaxis], 0, seen).astype(dtype)
    weight = weights[:, :, :, filter].astype(dtype)
    with np.errstate(invalid="ignore", over="ignore"):  # as in conv2d, they pass through
        products = window * weight
        total = products.sum(dtype=dtype)
        offset = dtype.type(0 if offsets is None else offsets[filter])
        value = total + offset
    return ConvTrace(
        image=image, row=row, column=column, filter=filter, window=window, padded=padded,
        rows=rows, columns=columns, channels=channels, weights=weight, products=products,
        sum=float(total), bias=float(offset), value=float(value),
    )  # fmt: skip


def trace_pool2d(
    images: ArrayLike,
    row: int,
    column: int,
    channel: int = 0,
    *,
    image: int = 0,
    mode: str = "max",
    pool_size: Size = 2,
    strides: Size | None = None,
    padding: Padding = "valid",
) -> PoolTrace:
    """Take one value of ``max_pool2d`` or ``avg_pool2d`` apart.

    Args:
        images: as for ``max_pool2d``.
        row: row of the value in the result, from 0.
        column: column of the value in the result, from 0.
        channel: which channel, from 0.
        image: which picture, from 0.
        mode: "max" or "avg".
        pool_size: as for ``max_pool2d``.
        strides: as for ``max_pool2d``.
        padding: as for ``max_pool2d``.

    Returns:
        The trace.

    Raises:
        ConfigError: as ``max_pool2d``, or there is no such value.

    >>> print(trace_pool2d(np.arange(9).reshape(3, 3, 1), 1, 1, padding="same"))
    Image 0, channel 0, row 1, column 1.
    It saw rows 2 to 3 and columns 2 to 3 of the picture.
    <BLANKLINE>
    window
      8  pad
    pad  pad
    <BLANKLINE>
    1 of 4 cells lie inside the picture; "pad" is padding and never counts
    value = 8, the largest, from row 2, column 2 of the picture
    """
    if mode not in ("max", "avg"):
        raise ConfigError(f'mode is {mode!r}; it must be "max" or "avg"')
    batch, _ = as_picture_batch(images)
    (height, width), steps, sides, size = pool_window(batch.shape[1:3], pool_size, strides, padding)
    image = _index("image", image, batch.shape[0])
    row, column = _index("row", row, size[0]), _index("column", column, size[1])
    channel = _index("channel", channel, batch.shape[3])

    rows = _places(row * steps[0] - sides[0][0], height)
    columns = _places(column * steps[1] - sides[1][0], width)
    seen, padded = _look(batch[image][:, :, channel], rows, columns)
    counted = int(np.count_nonzero(~padded))
    if mode == "max":
        window = np.where(padded, _least(seen.dtype), seen).astype(seen.dtype)
        # Among equals the picture wins over padding, and NaN over everything.
        inside = np.argwhere(~padded)
        i, j = inside[np.argmax(seen[~padded])]
        winner, value = (int(rows[i]), int(columns[j])), seen[i, j].item()
    else:
        dtype = floating_dtype(batch)
        window = np.where(padded, 0, seen).astype(dtype)
        winner, value = None, float(window.sum(dtype=dtype) / dtype.type(counted))
    return PoolTrace(
        mode=mode, image=image, row=row, column=column, channel=channel, window=window,
        padded=padded, rows=rows, columns=columns, counted=counted, winner=winner, value=value,
    )  # fmt: skip


def _places(first: int, count: int, step: int = 1) -> Array:
    return first + step * np.arange(count)


def _look(picture: Array, rows: Array, columns: Array) -> tuple[Array, Array]:
    """The picture at rows x columns (some pixel of it where outside), and what lies outside."""
    height, width = picture.shape[:2]
    outside_rows, outside_columns = (
        (rows < 0) | (rows >= height),
        (columns < 0) | (columns >= width),
    )
    seen = picture[np.ix_(rows.clip(0, height - 1), columns.clip(0, width - 1))]
    return seen, outside_rows[:, np.newaxis] | outside_columns


def _least(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        return -np.inf
    return False if dtype.kind == "b" else np.iinfo(dtype).min


def _index(name: str, value: Any, count: int) -> int:
    try:
        index = whole_number(name, value, minimum=0)
    except ConfigError:
        index = count
    if index >= count:
        raise ConfigError(f"{name} is {value!r}; it must be a whole number from 0 to {count - 1}")
    return index
