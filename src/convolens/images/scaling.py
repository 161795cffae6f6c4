"""Between whole numbers of 0..255 and floats of 0..1."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from convolens.errors import ConfigError, ImageError

# By kind and width, not by dtype: files also hold whole numbers of the other byte order.
_LARGEST = {("u", 1): 255, ("u", 2): 65535}


def to_float(image: NDArray[Any], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Scale pixels to 0..1.

    Args:
        image: any shape; uint8 (divided by 255), uint16 (by 65535), or floats already in 0..1.
        dtype: float32 or float64.

    Returns:
        The shape of ``image``, of ``dtype``; a new array.

    Raises:
        ImageError: another dtype, or floats outside 0..1 (NaN too).
        ConfigError: ``dtype`` is neither float32 nor float64.

    >>> to_float(np.array([0, 51, 255], np.uint8))
    array([0. , 0.2, 1. ], dtype=float32)
    """
    target = np.dtype(dtype)
    if target not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ConfigError(f"dtype is {target}; allowed: float32, float64")
    _check(image)
    largest = _largest(image)
    return image.astype(target) if largest is None else np.divide(image, largest, dtype=target)


def to_uint8(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale pixels to whole numbers of 0..255, rounded to the nearest.

    Args:
        image: any shape; floats in 0..1 (times 255), uint16 (divided by 257), or uint8 (as it is).

    Returns:
        The shape of ``image``, uint8; a new array.

    Raises:
        ImageError: another dtype, or floats outside 0..1 (NaN too).

    >>> to_uint8(np.array([0.0, 0.2, 1.0]))
    array([  0,  51, 255], dtype=uint8)
    """
    _check(image)
    if image.dtype == np.uint8:
        return image.copy()
    return np.rint(image.astype(np.float64) * (255 / (_largest(image) or 1))).astype(np.uint8)


def _largest(image: NDArray[Any]) -> int | None:
    return _LARGEST.get((image.dtype.kind, image.dtype.itemsize))


def _check(image: NDArray[Any]) -> None:
    if _largest(image) is not None:
        return
    if not np.issubdtype(image.dtype, np.floating):
        raise ImageError(
            f"pixels of dtype {image.dtype}; allowed: uint8 in 0..255, uint16, or floats in 0..1: "
            "convert with .astype first"
        )
    if image.size and not (image.min() >= 0 and image.max() <= 1):  # false for NaN
        raise ImageError(
            f"float pixels from {image.min():g} to {image.max():g}; allowed: 0..1: "
            "divide by the largest value that a pixel can have"
        )
