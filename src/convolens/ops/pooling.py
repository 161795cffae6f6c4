"""Pooling: the largest value, or the mean, of each window.

A window's maximum and its sum are taken first down the rows and then along the columns: the same
values as cell by cell, with height + width steps in place of height times width.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

from convolens.errors import ConfigError
from convolens.ops.arrays import Array, as_picture_batch, floating_dtype, to_array, to_tensor
from convolens.ops.convolution import conv_output_size
from convolens.ops.padding import (
    Padding,
    Sides,
    Size,
    check_semantics,
    pad_amounts,
    padding_of,
    pair,
    whole_number,
)


class PoolWindow(NamedTuple):
    """A pooling's settings, checked and complete."""

    size: tuple[int, int]
    strides: tuple[int, int]
    sides: Sides
    output_size: tuple[int, int]


def max_pool2d(
    images: ArrayLike, pool_size: Size = 2, strides: Size | None = None, padding: Padding = "valid"
) -> Array:
    """Largest value in each window, channel by channel.

    Args:
        images: (height, width, channels) or (n, height, width, channels), any real dtype of at most
            64 bits.
        pool_size: window size in pixels, an int or (height, width).
        strides: pixels from one window to the next; ``pool_size`` if None.
        padding: "valid", "same" for an output of ceil(size / stride), an int for every side, or
            ((top, bottom), (left, right)), each smaller than the window. Padding never wins: it
            counts as minus infinity.

    Returns:
        (out_height, out_width, channels), with n in front if ``images`` has it, and the dtype of
        ``images``: integers stay exact. A window that holds a NaN gives NaN.

    Raises:
        ConfigError: the window is larger than the padded picture, a stride is 0, or an argument has
            a wrong shape or type.

    Source: as ``tf.nn.max_pool2d`` and Keras' ``MaxPool2D``.

    >>> max_pool2d(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    batch, single = as_picture_batch(images)
    window = pool_window(batch.shape[1:3], pool_size, strides, padding)
    with torch.inference_mode():
        pictures = _padded(_ordered_tensor(batch), window.sides, lowest=True)
        result = _over_windows(pictures, window, torch.maximum)
        return _restored(to_array(result, single=single), batch.dtype)


def avg_pool2d(
    images: ArrayLike,
    pool_size: Size = 2,
    strides: Size | None = None,
    padding: Padding = "valid",
    *,
    semantics: str = "tensorflow",
) -> Array:
    """Mean of each window, channel by channel.

    Args:
        images: (height, width, channels) or (n, height, width, channels), any real dtype.
        pool_size: window size in pixels, an int or (height, width).
        strides: pixels from one window to the next; ``pool_size`` if None.
        padding: as for ``max_pool2d``. Padding is not counted: at a border, the mean is that of the
            pixels inside the picture.
        semantics: "tensorflow", or "torch" to count padding as zeros and to refuse "same", as
            PyTorch does.

    Returns:
        (out_height, out_width, channels), with n in front if ``images`` has it; float64 where
        ``images`` are float64 or integers of 32 bits and more, otherwise float32.

    Raises:
        ConfigError: as for ``max_pool2d``.

    Source: as ``tf.nn.avg_pool2d`` and Keras' ``AveragePooling2D``.

    >>> avg_pool2d(np.arange(9.0).reshape(3, 3, 1), padding="same")[:, :, 0]
    array([[2. , 3.5],
           [6.5, 8. ]])
    """
    batch, single = as_picture_batch(images)
    window = pool_window(batch.shape[1:3], pool_size, strides, padding)
    check_semantics(semantics, padding, window.strides)
    if semantics == "torch" and padding_of(padding) == "same":
        raise ConfigError(
            'PyTorch has no padding="same" for pooling; use semantics="tensorflow", '
            "or pad by a whole number of pixels"
        )
    dtype = floating_dtype(batch)
    with torch.inference_mode():
        pictures = _padded(to_tensor(batch, dtype), window.sides, lowest=False)
        sums = _over_windows(pictures, window, torch.add)
        if semantics == "torch" or not any(map(sum, window.sides)):
            return to_array(sums.div_(window.size[0] * window.size[1]), single=single)
        rows, columns = (_counts(batch.shape[1 + axis], window, axis) for axis in (0, 1))
        counts = np.outer(rows, columns)[:, :, np.newaxis].astype(dtype)
        return to_array(sums.div_(to_tensor(counts)), single=single)


def depthwise_max_pool(images: ArrayLike, pool_size: int) -> Array:
    """Largest value of each run of ``pool_size`` neighbouring channels, pixel by pixel.

    Args:
        images: (height, width, channels) or (n, height, width, channels), any real dtype of at most
            64 bits.
        pool_size: channels in a run; it must divide the number of channels, as TensorFlow asks.

    Returns:
        (height, width, channels / pool_size), with n in front if ``images`` has it, and the dtype
        of ``images``.

    Raises:
        ConfigError: ``pool_size`` is below 1 or does not divide the number of channels.

    Source: as ``tf.nn.max_pool`` with ``ksize=(1, 1, 1, pool_size)`` and equal strides.

    >>> depthwise_max_pool(np.array([[[1, 7, 3]], [[9, 5, 2]]]), 3)[:, :, 0]
    array([[7],
           [9]])
    """
    batch, single = as_picture_batch(images)
    size, channels = whole_number("pool_size", pool_size), batch.shape[3]
    if channels % size:
        raise ConfigError(
            f"pool_size is {size}; it must divide the {channels} channels of the pictures"
        )
    with torch.inference_mode():
        pictures = _ordered_tensor(batch)
        result = _combined([pictures[..., i::size] for i in range(size)], torch.maximum)
        return _restored(to_array(result, single=single), batch.dtype)


def pool_window(
    size: tuple[int, int], pool_size: Size, strides: Size | None, padding: Padding
) -> PoolWindow:
    """The settings of a pooling of pictures of ``size``, checked."""
    window = pair("pool_size", pool_size)
    steps = window if strides is None else pair("strides", strides)
    sides = pad_amounts(size, window, steps, padding)
    if any(max(sides[axis]) >= window[axis] for axis in (0, 1)):
        raise ConfigError(
            f"padding is {padding!r}; it must be smaller than the window of {window}, "
            "so that every window holds a pixel"
        )
    return PoolWindow(window, steps, sides, conv_output_size(size, window, steps, sides, (1, 1)))


def _padded(pictures: torch.Tensor, sides: Sides, *, lowest: bool) -> torch.Tensor:
    (top, bottom), (left, right) = sides
    if not any((top, bottom, left, right)):
        return pictures
    n, height, width, channels = pictures.shape
    value = 0
    if lowest:
        dtype = pictures.dtype
        value = -torch.inf if dtype.is_floating_point else torch.iinfo(dtype).min
    shape = (n, top + height + bottom, left + width + right, channels)
    padded = pictures.new_full(shape, value)
    padded[:, top : top + height, left : left + width] = pictures
    return padded


def _over_windows(
    pictures: torch.Tensor, window: PoolWindow, combine: Callable[..., torch.Tensor]
) -> torch.Tensor:
    (height, width), (down, across), _, (out_height, out_width) = window
    last_row, last_column = (out_height - 1) * down + 1, (out_width - 1) * across + 1
    rows = _combined([pictures[:, i : i + last_row : down] for i in range(height)], combine)
    return _combined([rows[:, :, j : j + last_column : across] for j in range(width)], combine)


def _combined(parts: list[torch.Tensor], combine: Callable[..., torch.Tensor]) -> torch.Tensor:
    """All parts combined into new memory, never into that of the caller's pictures."""
    if len(parts) == 1:
        return parts[0].clone()
    result = combine(parts[0], parts[1])
    for part in parts[2:]:
        combine(result, part, out=result)
    return result


def _counts(size: int, window: PoolWindow, axis: int) -> Array:
    """How many cells of each window lie inside the picture, along one axis."""
    starts = np.arange(window.output_size[axis]) * window.strides[axis] - window.sides[axis][0]
    return np.minimum(starts + window.size[axis], size) - np.maximum(starts, 0)


# torch has no maximum for unsigned integers of 16 bits and more. With their highest bit turned they
# order as signed integers do, and turning it again gives them back.


def _ordered_tensor(batch: Array) -> torch.Tensor:
    dtype = batch.dtype
    if dtype.itemsize > 8:
        raise ConfigError(
            f"images has dtype {dtype}; maximum pooling takes numbers of at most 64 bits: "
            "use images.astype(np.float64)"
        )
    if dtype.kind == "b":
        return to_tensor(batch.view(np.uint8))
    if dtype.kind == "u" and dtype.itemsize > 1:
        return to_tensor((batch ^ _highest_bit(dtype)).view(dtype.str.replace("u", "i")))
    return to_tensor(batch)


def _restored(result: Array, dtype: np.dtype[Any]) -> Array:
    result = result.view(dtype)
    return result ^ _highest_bit(dtype) if dtype.kind == "u" and dtype.itemsize > 1 else result


def _highest_bit(dtype: np.dtype[Any]) -> Any:
    return dtype.type(1 << (8 * dtype.itemsize - 1))
