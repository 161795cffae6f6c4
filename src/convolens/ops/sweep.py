"""Every combination of filters, strides, paddings and dilations on one picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convolens.errors import ConfigError
from convolens.ops.arithmetic import LayerArithmetic, describe_stack
from convolens.ops.arrays import Array, as_picture_batch
from convolens.ops.convolution import conv2d
from convolens.ops.layer_specs import LayerSpec
from convolens.ops.layers import Conv2D
from convolens.ops.padding import Padding, Size, pad_amounts, whole_number

MOST_MAPS = 100
MOST_VALUES = 200_000_000  # of all maps together: 0.8 GB in float32


@dataclass(frozen=True, eq=False, kw_only=True)
class SweepFilter:
    """A filter that makes one feature map of a picture."""

    name: str
    """What it is called."""
    weights: Array
    """(height, width), laid on every channel and summed; or (height, width, channels)."""
    of_layer: bool = False
    """Whether it belongs to a convolution layer: with a bias, 0 as yet, and ReLU behind the sum."""

    def for_channels(self, channels: int) -> Array:
        """(height, width, channels, 1), as ``conv2d`` takes it."""
        flat = self.weights.ndim == 2
        weights = self.weights[:, :, np.newaxis] if flat else self.weights
        shape = (*weights.shape[:2], channels) if flat else weights.shape
        return np.broadcast_to(weights, shape)[..., np.newaxis]


@dataclass(frozen=True, eq=False, kw_only=True)
class SweptMap:
    """One feature map of a sweep, with the settings that made it."""

    filter: SweepFilter
    """What made it."""
    stride: Size
    """Pixels from one window to the next."""
    padding: Padding
    """As for ``conv2d``."""
    dilation: Size
    """Pixels between two cells of the filter."""
    arithmetic: LayerArithmetic
    """Parameters, multiply-adds and receptive field."""
    values: Array
    """(height, width), float32 or float64."""

    def to_dict(self) -> dict[str, Any]:
        """Settings, arithmetic and range as plain JSON types, without the values."""
        minimum, maximum = value_range(self.values)
        return {
            "filter": self.filter.name,
            "activation": "relu" if self.filter.of_layer else "linear",
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "output_shape": list(self.values.shape),
            "parameters": self.arithmetic.parameters,
            "multiply_adds": self.arithmetic.multiply_adds,
            "receptive_field": list(self.arithmetic.receptive_field),
            "minimum": minimum,
            "maximum": maximum,
        }


def sweep_conv2d(
    image: ArrayLike,
    filters: Sequence[SweepFilter],
    strides: Sequence[Size] = (1,),
    paddings: Sequence[Padding] = ("same",),
    dilations: Sequence[Size] = (1,),
) -> tuple[SweptMap, ...]:
    """Feature maps of one picture for all combinations of some settings.

    Args:
        image: (height, width, channels), any real dtype; scaled to 0..1 as a rule.
        filters: at least one.
        strides: as for ``conv2d``, at least one.
        paddings: likewise.
        dilations: likewise.

    Returns:
        At most 100 maps, the filters in the outermost order, then strides, paddings and dilations.

    Raises:
        ConfigError: too many combinations or too many values in all, or a combination that
            ``conv2d`` refuses; the message names it.

    >>> line = SweepFilter(name="line", weights=np.ones((1, 3), np.float32))
    >>> maps = sweep_conv2d(np.ones((4, 6, 1)), [line], strides=(1, 2), paddings=("same", "valid"))
    >>> [(made.stride, made.padding, made.values.shape) for made in maps]
    [(1, 'same', (4, 6)), (1, 'valid', (4, 4)), (2, 'same', (2, 3)), (2, 'valid', (2, 2))]
    """
    batch, single = as_picture_batch(image)
    if not single:
        raise ConfigError(f"image has shape {batch.shape}; it must be (height, width, channels)")
    combinations = list(product(filters, strides, paddings, dilations))
    if not 0 < len(combinations) <= MOST_MAPS:
        raise ConfigError(
            f"{len(filters)} filters x {len(strides)} strides x {len(paddings)} paddings x "
            f"{len(dilations)} dilations are {len(combinations):,} maps; allowed: 1 to {MOST_MAPS}"
        )
    planned = [_arithmetic(batch.shape[1:], *settings) for settings in combinations]
    total = sum(prod(plan.output_shape) for plan in planned)
    if total > MOST_VALUES:
        raise ConfigError(
            f"the maps would have {total:,} values in all; at most {MOST_VALUES:,} are made: "
            "crop the picture, use larger strides or fewer combinations"
        )
    return tuple(_swept(batch[0], combinations, planned))


def random_filters(n: int, channels: int, seed: int = 0) -> tuple[SweepFilter, ...]:
    """The filters of a freshly initialised 3x3 convolution layer with ReLU.

    Args:
        n: how many filters the layer has, at most 100.
        channels: channels of the picture.
        seed: the weights are a pure function of it.

    Returns:
        As many filters, called "random 0" and so on; their weights are those of ``Conv2D``.

    Raises:
        ConfigError: an argument is out of range.

    Source: as ``Conv2D``.

    >>> [chosen.name for chosen in random_filters(2, channels=3)]
    ['random 0', 'random 1']
    """
    if whole_number("n", n) > MOST_MAPS:
        raise ConfigError(f"n is {n}; at most {MOST_MAPS} random filters are made")
    weights = Conv2D(filters=n, kernel_size=3, seed=seed).weights(channels)
    return tuple(
        SweepFilter(name=f"random {index}", weights=weights[..., index], of_layer=True)
        for index in range(n)
    )


def value_range(values: Array) -> tuple[float | None, float | None]:
    """The smallest and the largest finite value; None where there is none.

    >>> value_range(np.array([3.0, np.inf, -1.0]))
    (-1.0, 3.0)
    """
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)


def _arithmetic(
    shape: tuple[int, int, int],
    chosen: SweepFilter,
    stride: Size,
    padding: Padding,
    dilation: Size,
) -> LayerArithmetic:
    window = chosen.weights.shape[:2]
    try:
        layer = LayerSpec(
            name=chosen.name,
            kind="conv",
            kernel_size=window,
            strides=stride,
            padding=padding,
            dilations=dilation,
            filters=1,
            bias=chosen.of_layer,
        )
        sides = pad_amounts(shape[:2], window, stride, padding, dilation)
        padded = prod(size + sum(side) for size, side in zip(shape, sides, strict=False))
        if padded > MOST_VALUES:
            raise ConfigError(
                f"padding and dilation make {padded:,} pixels of the picture; "
                f"at most {MOST_VALUES:,} are allowed"
            )
        return describe_stack(shape, [layer])[0]
    except ConfigError as error:
        reason = str(error).removeprefix(f"layer {chosen.name!r}: ")
        raise ConfigError(
            f"{chosen.name} with stride {stride}, padding {padding}, dilation {dilation}: {reason}"
        ) from None


def _swept(
    image: Array,
    combinations: list[tuple[SweepFilter, Size, Padding, Size]],
    planned: list[LayerArithmetic],
) -> Iterator[SweptMap]:
    for (chosen, stride, padding, dilation), plan in zip(combinations, planned, strict=True):
        weights = chosen.for_channels(image.shape[2])
        values = conv2d(image, weights, stride, padding, dilation)[:, :, 0]
        yield SweptMap(
            filter=chosen,
            stride=stride,
            padding=padding,
            dilation=dilation,
            arithmetic=plan,
            values=np.maximum(values, 0) if chosen.of_layer else values,
        )
