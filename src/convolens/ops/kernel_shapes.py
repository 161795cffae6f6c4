"""Kernels that select, smooth and sharpen: lines, identity, box, Gaussian, sharpen, emboss.

Every function returns a new (size, size) float32 array. ``conv2d`` lays a kernel on the picture as
it is, without flipping it.
"""

import math
from typing import Any

import numpy as np

from convolens.errors import ConfigError
from convolens.ops.arrays import Array
from convolens.ops.padding import whole_number

# A larger kernel than this is a mistake, or wants another method than direct convolution.
LARGEST_SIZE = 255


def vertical_line(size: int = 7) -> Array:
    """Ones down the middle column: enhances vertical lines, blurs the rest vertically.

    Args:
        size: height and width, odd.

    Source: the notes' first filter; Géron (2019), "Hands-On Machine Learning", 2nd ed., chapter 14.

    >>> vertical_line(3)
    array([[0., 1., 0.],
           [0., 1., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    kernel = np.zeros((odd_size(size), size), np.float32)
    kernel[:, size // 2] = 1
    return kernel


def horizontal_line(size: int = 7) -> Array:
    """Ones along the middle row: enhances horizontal lines, blurs the rest horizontally.

    Args:
        size: height and width, odd.

    Source: the notes' second filter; Géron (2019), as ``vertical_line``.

    >>> horizontal_line(3)[1]
    array([1., 1., 1.], dtype=float32)
    """
    return np.ascontiguousarray(vertical_line(size).T)


def identity(size: int = 3) -> Array:
    """One in the middle: the picture as it is.

    Args:
        size: height and width, odd.

    Source: by definition.

    >>> identity(1)
    array([[1.]], dtype=float32)
    """
    kernel = np.zeros((odd_size(size), size), np.float32)
    kernel[size // 2, size // 2] = 1
    return kernel


def box(size: int = 3) -> Array:
    """The mean of the window: smooths, sums to 1.

    Args:
        size: height and width, any.

    Source: Gonzalez and Woods (2018), "Digital Image Processing", 4th ed., section 3.5.

    >>> box(2)
    array([[0.25, 0.25],
           [0.25, 0.25]], dtype=float32)
    """
    size = any_size(size)
    return np.full((size, size), 1 / size**2, np.float32)


def gaussian(size: int = 5, sigma: float | None = None) -> Array:
    """A bell: smooths without the box's streaks, sums to 1.

    Args:
        size: height and width, any.
        sigma: standard deviation in pixels; if None, 0.3 * ((size - 1) / 2 - 1) + 0.8.

    Source: Gonzalez and Woods (2018), as ``box``; the default sigma is that of OpenCV's
    ``getGaussianKernel``.

    >>> gaussian(3, sigma=0.85).round(2)
    array([[0.06, 0.12, 0.06],
           [0.12, 0.25, 0.12],
           [0.06, 0.12, 0.06]], dtype=float32)
    """
    size = any_size(size)
    places = centred(size)
    profile = np.exp(-(places**2) / (2 * sigma_of(sigma, size) ** 2))
    profile /= profile.sum()
    return np.outer(profile, profile).astype(np.float32)


def sharpen(size: int = 3) -> Array:
    """The pixel plus what sets it off from its four neighbours; sums to 1.

    Args:
        size: 3, the only size it is defined for.

    Source: identity minus Laplacian; Gonzalez and Woods (2018), as ``box``, section 3.6.

    >>> sharpen()
    array([[ 0., -1.,  0.],
           [-1.,  5., -1.],
           [ 0., -1.,  0.]], dtype=float32)
    """
    only_size("sharpen", size)
    return np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32)


def emboss(size: int = 3) -> Array:
    """A relief lit from the upper left: the slope along the diagonal added to the picture.

    Args:
        size: 3, the only size it is defined for.

    Source: the "emboss" preset that image editors give for a convolution matrix; sums to 1.

    >>> emboss()
    array([[-2., -1.,  0.],
           [-1.,  1.,  1.],
           [ 0.,  1.,  2.]], dtype=float32)
    """
    only_size("emboss", size)
    return np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], np.float32)


def any_size(size: int) -> int:
    """``size`` if a kernel may have it."""
    size = whole_number("size", size)
    if size > LARGEST_SIZE:
        raise ConfigError(f"size is {size}; a kernel may have at most {LARGEST_SIZE} rows")
    return size


def odd_size(size: int, minimum: int = 1) -> int:
    """``size`` if it is odd: an even kernel has no middle."""
    size = any_size(size)
    if size % 2 == 0 or size < minimum:
        raise ConfigError(f"size is {size}; it must be odd and at least {minimum}")
    return size


def only_size(name: str, size: int, only: int = 3) -> None:
    """Refuse any size but ``only``."""
    if any_size(size) != only:
        raise ConfigError(f"size is {size}; {name} is defined for size {only} alone")


def sigma_of(sigma: float | None, size: int) -> float:
    """A standard deviation that is a positive number; OpenCV's for the size if None."""
    return 0.3 * ((size - 1) * 0.5 - 1) + 0.8 if sigma is None else positive("sigma", sigma)


def positive(name: str, value: Any) -> float:
    """``value`` if it is a positive, finite number."""
    try:
        number = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise ConfigError(f"{name} is {value!r}; it must be a positive number")
    return number


def centred(size: int) -> Array:
    """Coordinates along one axis, 0 in the middle."""
    return np.arange(size) - (size - 1) / 2
