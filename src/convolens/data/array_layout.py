"""How pictures are laid out in an array."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole
from convolens.data.array_values import check_real
from convolens.errors import ConfigError, DataError


def unflattened(
    rows: NDArray[Any], what: str, shape: Sequence[int] | None, channels_first: bool
) -> NDArray[Any]:
    """Flat rows (n, values) as pictures of a stated shape, a view.

    Args:
        rows: (n, values).
        what: what to call them in a message.
        shape: (height, width) or (height, width, channels); None is refused with a suggestion.
        channels_first: whether channels come before height inside a row; they stay there.

    Raises:
        DataError: no shape, or one of another number of values.
        ConfigError: a shape that is none.
    """
    n, values = rows.shape
    if shape is None:
        raise DataError(
            f"{what} of shape {rows.shape}: flat rows need shape=(height, width) or "
            f"(height, width, channels){_suggestion(values)}; a single picture goes into a list"
        )
    sizes = tuple(shape)
    if len(sizes) not in (2, 3):
        raise ConfigError(
            f"shape is {sizes!r}; allowed: (height, width) or (height, width, channels)"
        )
    for side in sizes:
        check_whole("shape", side, 1, 2**31 - 1)
    if math.prod(sizes) != values:
        raise DataError(
            f"{what}: rows of {values:,} values are no pictures of shape {sizes}"
            f"{_suggestion(values)}"
        )
    if channels_first and len(sizes) == 3:
        sizes = (sizes[2], *sizes[:2])
    return rows.reshape(n, *sizes)


def stacked(array: NDArray[Any], what: str, channels_first: bool) -> NDArray[Any]:
    """Pictures as (n, height, width, channels), a view.

    Args:
        array: (n, height, width), or with channels last or first.
        what: what to call it in a message.
        channels_first: whether channels come before height.

    Raises:
        DataError: another layout, or a type that is no pixel's.
    """
    found = f"{what} of shape {array.shape}"
    check_real(array.dtype, found)
    if array.ndim not in (3, 4) or 0 in array.shape:
        raise DataError(
            f"{found}; allowed: (n, height, width) or (n, height, width, channels), none of them "
            "zero, or flat rows (n, values) with shape=(height, width)"
        )
    if array.ndim == 3:
        return array[..., np.newaxis]
    last = np.moveaxis(array, 1, 3) if channels_first else array
    if not 1 <= last.shape[3] <= 4:
        other = array.shape[3] if channels_first else array.shape[1]
        hint = f" looks like channels {'last' if channels_first else 'first'}: pass channels_first="
        advice = f"{hint}{not channels_first}" if 1 <= other <= 4 else ""
        raise DataError(
            f"{found}{advice or f': {last.shape[3]} channels'}; allowed: 1 (grey), 2 (grey, "
            "alpha), 3 (RGB) or 4 (RGB, alpha) channels"
        )
    return last


def _suggestion(values: int) -> str:
    sides = {channels: round((values / channels) ** 0.5) for channels in (1, 3)}
    shapes = [
        (side, side) if channels == 1 else (side, side, channels)
        for channels, side in sides.items()
        if values and side * side * channels == values
    ]
    return f"; if they are square: shape={' or '.join(map(str, shapes))}" if shapes else ""
