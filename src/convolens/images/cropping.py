"""Cutting a box out of pictures, by rows and columns."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError


def crop(images: NDArray[Any], rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
    """Cut the same box out of one picture or of each of many.

    Args:
        images: (height, width), (height, width, channels) or (n, height, width, channels), any
            dtype. Three axes are always one picture with its channels.
        rows: (top, bottom): the first row and the one after the last, 0 <= top < bottom <= height.
        columns: (left, right): likewise, 0 <= left < right <= width.

    Returns:
        The same layout, bottom - top high and right - left wide; a view, as a slice is.

    Raises:
        ConfigError: the box is empty, upside down or not inside the picture, or ``images`` has
            another number of axes.

    >>> picture = np.arange(12).reshape(3, 4)
    >>> crop(picture, rows=(1, 3), columns=(0, 2))
    array([[4, 5],
           [8, 9]])
    """
    if images.ndim not in (2, 3, 4):
        raise ConfigError(
            f"images of shape {images.shape}; allowed: (height, width), (height, width, channels) "
            "or (n, height, width, channels)"
        )
    first = 1 if images.ndim == 4 else 0
    height, width = images.shape[first : first + 2]
    box = (_slice("rows", rows, height), _slice("columns", columns, width))
    return images[(slice(None),) * first + box]


def _slice(name: str, pair: tuple[int, int], size: int) -> slice:
    whole = len(pair) == 2 and all(
        isinstance(value, int | np.integer) and not isinstance(value, bool) for value in pair
    )
    if not whole or not 0 <= pair[0] < pair[1] <= size:
        raise ConfigError(
            f"{name}={pair!r} is not a part of the picture's {size} {name}; "
            f"allowed: (first, one after the last) with 0 <= first < last <= {size}"
        )
    return slice(int(pair[0]), int(pair[1]))
