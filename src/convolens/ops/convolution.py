"""Convolution of pictures with filters, with the exact meaning of TensorFlow.

As everywhere in deep learning, the filter is laid on the picture as it is and not flipped first
(mathematics calls this cross-correlation).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from convolens.errors import ConfigError
from convolens.ops.arrays import (
    Array,
    as_picture_batch,
    as_real_array,
    floating_dtype,
    to_array,
    to_tensor,
)
from convolens.ops.fast_convolution import Steps, convolve_tensors
from convolens.ops.padding import (
    Padding,
    Sides,
    Size,
    axis_output_size,
    check_semantics,
    pad_amounts,
    pair,
    whole_number,
)


def conv2d(
    images: ArrayLike,
    filters: ArrayLike,
    strides: Size = 1,
    padding: Padding = "valid",
    dilations: Size = 1,
    groups: int = 1,
    *,
    bias: ArrayLike | None = None,
    semantics: str = "tensorflow",
) -> Array:
    """Slide filters over pictures: each output value is a weighted sum of one window.

    Args:
        images: (height, width, channels) or (n, height, width, channels), any real dtype.
        filters: (height, width, channels / groups, out_channels), any real dtype; or one
            (height, width) kernel, which is laid on every channel and summed into one feature map.
        strides: pixels from one window to the next, an int or (vertical, horizontal).
        padding: "valid", "same" for an output of ceil(size / stride), an int for that many zeros on
            every side, or ((top, bottom), (left, right)).
        dilations: pixels from one cell of the filter to the next, an int or (vertical, horizontal).
        groups: channels are split into this many groups, each with its own share of the filters.
        bias: (out_channels,), added to every value of its feature map; none if None.
        semantics: "tensorflow", or "torch" to refuse what PyTorch refuses: "same" with a stride,
            and unequal padding of two opposite sides.

    Returns:
        (out_height, out_width, out_channels), with n in front if ``images`` has it. The dtype is
        float64 where images or filters are float64 or integers of 32 bits and more, otherwise
        float32: integer pictures never overflow. NaN and infinity pass through as IEEE 754 says.

    Raises:
        ConfigError: the window is larger than the padded picture, channels and groups do not fit,
            a stride is 0, or an argument has a wrong shape or type.

    Source: as ``tf.nn.conv2d``; computed by torch.

    >>> picture = np.arange(16.0).reshape(4, 4, 1)
    >>> conv2d(picture, [[-1, 0, 1]], padding="same")[0, :, 0]
    array([ 1.,  2.,  2., -2.])
    """
    check_semantics(semantics, padding, pair("strides", strides))
    return convolve(images, filters, strides, padding, dilations, groups, bias=bias)


def depthwise_conv2d(
    images: ArrayLike,
    filters: ArrayLike,
    strides: Size = 1,
    padding: Padding = "valid",
    dilations: Size = 1,
    *,
    bias: ArrayLike | None = None,
    semantics: str = "tensorflow",
) -> Array:
    """Slide filters over each channel on its own; nothing is summed across channels.

    Args:
        images: (height, width, channels) or (n, height, width, channels), any real dtype.
        filters: (height, width, channels, multiplier): ``multiplier`` filters for each channel.
        strides: as for ``conv2d``.
        padding: as for ``conv2d``.
        dilations: as for ``conv2d``.
        bias: (channels * multiplier,); none if None.
        semantics: as for ``conv2d``.

    Returns:
        (out_height, out_width, channels * multiplier), with n in front if ``images`` has it, in
        TensorFlow's order: first all feature maps of the first channel, then of the second. The
        dtype is as for ``conv2d``.

    Raises:
        ConfigError: as for ``conv2d``, or the filters are for another number of channels.

    Source: as ``tf.nn.depthwise_conv2d``, which refuses two unequal strides and a stride together
    with a dilation; here both mean what they mean in ``conv2d``.

    >>> picture = np.array([[[1.0, 10.0], [2.0, 20.0]]])
    >>> depthwise_conv2d(picture, np.array([1.0, 3.0]).reshape(1, 1, 2, 1))[0]
    array([[ 1., 30.],
           [ 2., 60.]])
    """
    batch, _ = as_picture_batch(images)
    weights = as_real_array("filters", filters)
    channels = batch.shape[3]
    if weights.ndim != 4 or weights.shape[2] != channels or weights.size == 0:
        raise ConfigError(
            f"filters has shape {weights.shape}; for pictures of {channels} channels it must be "
            f"(height, width, {channels}, multiplier)"
        )
    height, width, _, multiplier = weights.shape
    return conv2d(
        images,
        weights.reshape(height, width, 1, channels * multiplier),
        strides,
        padding,
        dilations,
        groups=channels,
        bias=bias,
        semantics=semantics,
    )


def as_filters(filters: ArrayLike, *, channels: int, groups: int) -> Array:
    """Filters as (height, width, channels / groups, out_channels), checked against the pictures."""
    array = as_real_array("filters", filters)
    groups = whole_number("groups", groups)
    if array.size == 0 or array.ndim not in (2, 4):
        raise ConfigError(
            f"filters has shape {array.shape}; it must be (height, width) or "
            "(height, width, channels / groups, out_channels), with no size of 0"
        )
    if array.ndim == 2:
        if groups != 1:
            raise ConfigError(
                f"groups is {groups}, but a (height, width) kernel sums over all channels; "
                "use groups=1, or depthwise_conv2d"
            )
        return np.broadcast_to(array[:, :, np.newaxis, np.newaxis], (*array.shape, channels, 1))
    _check_groups(channels, array.shape[2], array.shape[3], groups)
    return array


def as_bias(bias: ArrayLike | None, *, out_channels: int) -> Array | None:
    """Bias as (out_channels,), or None."""
    if bias is None:
        return None
    array = as_real_array("bias", bias)
    if array.shape != (out_channels,):
        raise ConfigError(
            f"bias has shape {array.shape}; it must be ({out_channels},), one value a feature map"
        )
    return array


def conv_output_size(
    size: tuple[int, int],
    window: tuple[int, int],
    strides: tuple[int, int],
    sides: Sides,
    dilations: tuple[int, int],
) -> tuple[int, int]:
    """(out_height, out_width) for values that are known to be valid."""
    height, width = (
        axis_output_size(name, size[i], window[i], strides[i], sides[i], dilations[i])
        for i, name in enumerate(("height", "width"))
    )
    return height, width


def _check_groups(channels: int, filter_channels: int, out_channels: int, groups: int) -> None:
    if channels % groups or out_channels % groups:
        raise ConfigError(
            f"groups is {groups}; it must divide the {channels} channels of the pictures "
            f"and the {out_channels} filters"
        )
    if filter_channels != channels // groups:
        share = f" in {groups} groups" if groups > 1 else ""
        raise ConfigError(
            f"filters are for {filter_channels} channels, but the pictures have {channels}{share}; "
            f"filters must be (height, width, {channels // groups}, out_channels)"
        )


def convolve(
    images: ArrayLike,
    filters: ArrayLike,
    strides: Size,
    padding: Padding,
    dilations: Size = 1,
    groups: int = 1,
    *,
    bias: ArrayLike | None = None,
    activation: Callable[[torch.Tensor], Any] | None = None,
) -> Array:
    """``conv2d``, with an activation that is applied to the feature maps in place."""
    batch, single = as_picture_batch(images)
    weights = as_filters(filters, channels=batch.shape[3], groups=groups)
    offsets = as_bias(bias, out_channels=weights.shape[3])
    steps, gaps = pair("strides", strides), pair("dilations", dilations)
    sides = pad_amounts(batch.shape[1:3], weights.shape[:2], steps, padding, gaps)
    size = conv_output_size(batch.shape[1:3], weights.shape[:2], steps, sides, gaps)

    dtype = floating_dtype(batch, weights)
    with torch.inference_mode():
        maps = convolve_tensors(
            to_tensor(batch, dtype),
            to_tensor(weights, dtype),
            None if offsets is None else to_tensor(offsets, dtype),
            Steps(size, steps, sides, gaps, groups),
            activation,
        )
        return to_array(maps, single=single)
