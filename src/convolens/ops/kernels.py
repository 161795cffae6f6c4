"""Named kernels, each with its source: ``cl.kernels.vertical_line(7)``.

A kernel is a (height, width) float32 array; ``conv2d`` lays it on every channel of a picture as it
is, without flipping it, and sums. ``stack`` makes filters of several kernels.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from convolens.config import choose
from convolens.errors import ConfigError
from convolens.ops.arrays import Array, as_real_array
from convolens.ops.kernel_derivatives import (
    laplacian,
    laplacian_of_gaussian,
    prewitt_x,
    prewitt_y,
    scharr_x,
    scharr_y,
    sobel_x,
    sobel_y,
)
from convolens.ops.kernel_files import load_kernel
from convolens.ops.kernel_gabor import gabor, gabor_bank
from convolens.ops.kernel_shapes import (
    box,
    emboss,
    gaussian,
    horizontal_line,
    identity,
    sharpen,
    vertical_line,
)
from convolens.ops.padding import whole_number

__all__ = [
    "KERNELS",
    "NamedKernel",
    "box",
    "emboss",
    "gabor",
    "gabor_bank",
    "gaussian",
    "horizontal_line",
    "identity",
    "laplacian",
    "laplacian_of_gaussian",
    "load_kernel",
    "named",
    "prewitt_x",
    "prewitt_y",
    "scharr_x",
    "scharr_y",
    "sharpen",
    "sobel_x",
    "sobel_y",
    "stack",
    "vertical_line",
]


@dataclass(frozen=True)
class NamedKernel:
    """A kernel in the registry."""

    function: Callable[[int], Array]
    """Makes the kernel of a given size."""
    description: str
    """What it does to a picture, in a few words."""
    source: str
    """Where it is from."""
    size: int
    """Its usual size."""


def named(name: str, size: int | None = None) -> Array:
    """A kernel by its name, such as "sobel_x" or, with its size, "vertical_line:9".

    Args:
        name: a name in ``KERNELS``, with ``:size`` behind it if another than the usual is wanted.
        size: the same as a number.

    Returns:
        (size, size), float32.

    Raises:
        ConfigError: there is no such kernel, or it has no such size.

    >>> named("vertical_line:3")[0]
    array([0., 1., 0.], dtype=float32)
    >>> named("sobel")
    Traceback (most recent call last):
    ...
    convolens.errors.ConfigError: unknown kernel 'sobel'; did you mean 'sobel_y'? Allowed: ...
    """
    word, colon, digits = name.partition(":")
    kernel = choose("kernel", word, KERNELS)
    if colon and size is not None:
        raise ConfigError(f"kernel {name!r} names a size, and size is {size}; give one of the two")
    if colon:
        # int() would also take " 3" and "1_0"; a name is written in one way.
        if not (digits.isascii() and digits.isdigit()):
            raise ConfigError(f"kernel {name!r}: {digits!r} is not a size; write {word}:9")
        size = int(digits)
    try:
        return kernel.function(kernel.size if size is None else size)
    except ConfigError as error:
        raise ConfigError(f"kernel {word!r}: {error}") from None


def stack(kernels: Iterable[ArrayLike], channels: int) -> Array:
    """Filters for ``conv2d`` of several kernels, each laid on every channel and summed.

    Args:
        kernels: (height, width) arrays, at least one. Smaller ones are set in the middle of the
            largest height and width among zeros, so that "same" gives what each gives alone.
        channels: channels of the pictures.

    Returns:
        (height, width, channels, n), float32 or float64 as the kernels are.

    Raises:
        ConfigError: there is no kernel, or one is not a (height, width) array of real numbers.

    >>> stack([vertical_line(7), horizontal_line(7)], channels=3).shape
    (7, 7, 3, 2)
    """
    arrays = [as_real_array("kernels", kernel) for kernel in kernels]
    channels = whole_number("channels", channels)
    if not arrays:
        raise ConfigError("kernels is empty; give at least one (height, width) array")
    for array in arrays:
        if array.ndim != 2 or array.size == 0:
            raise ConfigError(f"a kernel has shape {array.shape}; it must be (height, width)")
    height, width = (max(array.shape[axis] for array in arrays) for axis in (0, 1))
    dtype = np.result_type(np.float32, *arrays)
    filters = np.zeros((height, width, channels, len(arrays)), dtype)
    for i, array in enumerate(arrays):
        rows, columns = array.shape
        top, left = (height - 1) // 2 - (rows - 1) // 2, (width - 1) // 2 - (columns - 1) // 2
        filters[top : top + rows, left : left + columns, :, i] = array[:, :, np.newaxis]
    return filters


def _gabor_at(orientation: int) -> Callable[[int], Array]:
    return partial(gabor, orientation=orientation)


_NOTES = "the notes; Géron (2019)"
_BOOK = "Gonzalez and Woods (2018)"
_SOBEL = "Sobel and Feldman (1968); Duda and Hart (1973)"
_GABOR = "Daugman (1985); Kruizinga and Petkov (1999)"

KERNELS: dict[str, NamedKernel] = {
    "vertical_line": NamedKernel(vertical_line, "enhances vertical lines", _NOTES, 7),
    "horizontal_line": NamedKernel(horizontal_line, "enhances horizontal lines", _NOTES, 7),
    "identity": NamedKernel(identity, "leaves the picture as it is", "by definition", 3),
    "box": NamedKernel(box, "smooths by the mean", _BOOK, 3),
    "gaussian": NamedKernel(gaussian, "smooths by a bell", _BOOK, 5),
    "sharpen": NamedKernel(sharpen, "sets pixels off from their neighbours", _BOOK, 3),
    "sobel_x": NamedKernel(sobel_x, "vertical edges: slope to the right", _SOBEL, 3),
    "sobel_y": NamedKernel(sobel_y, "horizontal edges: slope downwards", _SOBEL, 3),
    "prewitt_x": NamedKernel(prewitt_x, "vertical edges, unsmoothed", "Prewitt (1970)", 3),
    "prewitt_y": NamedKernel(prewitt_y, "horizontal edges, unsmoothed", "Prewitt (1970)", 3),
    "scharr_x": NamedKernel(scharr_x, "vertical edges, even in direction", "Scharr (2000)", 3),
    "scharr_y": NamedKernel(scharr_y, "horizontal edges, even in direction", "Scharr (2000)", 3),
    "laplacian": NamedKernel(laplacian, "edges and spots of every direction", _BOOK, 3),
    "laplacian_of_gaussian": NamedKernel(
        laplacian_of_gaussian, "spots of one size", "Marr and Hildreth (1980)", 9
    ),
    "emboss": NamedKernel(emboss, "a relief lit from the upper left", "image editors", 3),
    "gabor_0": NamedKernel(_gabor_at(0), "vertical stripes", _GABOR, 15),
    "gabor_45": NamedKernel(_gabor_at(45), "stripes that rise to the right", _GABOR, 15),
    "gabor_90": NamedKernel(_gabor_at(90), "horizontal stripes", _GABOR, 15),
    "gabor_135": NamedKernel(_gabor_at(135), "stripes that fall to the right", _GABOR, 15),
}
