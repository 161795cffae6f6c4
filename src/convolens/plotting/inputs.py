"""What the drawing functions accept, checked in one place, with one line where it is not that."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError

# Beyond this, differences of two values overflow inside matplotlib.
_LARGEST = 1e100

MOST_COLUMNS = 16


def as_numbers(values: Any, name: str) -> NDArray[Any]:
    """An array of real numbers, not empty, with something finite in it; never a changed input.

    Args:
        values: anything NumPy makes an array of: bool, integers or floating point.
        name: what to call it in a message.

    Returns:
        An array that the caller must not write to: float32, float64, or an integer dtype.

    Raises:
        ConfigError: no numbers, none at all, none finite, or some too large to draw.
    """
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as reason:
        raise ConfigError(f"{name} cannot be made an array: {_first_line(reason)}") from None
    if array.dtype.kind not in "buif":
        raise ConfigError(f"{name} holds {array.dtype}; allowed: bool, integers, floating point")
    if array.size == 0:
        raise ConfigError(f"{name} of shape {array.shape} is empty; give at least one value")
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind in "ui":
        return array
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    finite = array[np.isfinite(array)]
    if finite.size == 0:
        raise ConfigError(f"{name} has no finite value (all are NaN or infinite)")
    largest = float(np.abs(finite).max())
    if largest > _LARGEST:
        raise ConfigError(f"{name} has values up to {largest:.3g}; allowed: to 1e100. Scale them")
    return array


def as_picture(image: Any, name: str = "image") -> NDArray[Any]:
    """One picture, grey as (height, width) or colour as (height, width, 3).

    Args:
        image: (height, width), (height, width, 1) or (height, width, 3).
        name: what to call it in a message.

    Raises:
        ConfigError: another shape, or no finite numbers.

    >>> as_picture(np.zeros((4, 5, 1))).shape
    (4, 5)
    """
    array = as_numbers(image, name)
    if array.ndim == 3 and array.shape[2] == 1:
        return array[:, :, 0]
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3):
        return array
    raise ConfigError(
        f"{name} has shape {array.shape}; "
        f"allowed: (height, width), (height, width, 1) or (height, width, 3){_hint(array)}"
    )


def as_pictures(images: Any, name: str, limit: int) -> tuple[list[NDArray[Any]], int]:
    """The first of several pictures, of one size or of many, and how many there are in all.

    Args:
        images: (n, height, width), (n, height, width, 1 or 3), or a sequence of pictures.
        name: what to call them in a message.
        limit: at most so many are looked at.

    Raises:
        ConfigError: none at all, or one that is no picture.
    """
    if not isinstance(images, Sequence | np.ndarray):
        images = as_numbers(images, name)
    if isinstance(images, np.ndarray) and images.ndim not in (3, 4):
        raise ConfigError(
            f"{name} has shape {images.shape}; "
            "allowed: (n, height, width), (n, height, width, 1) or (n, height, width, 3)"
        )
    if len(images) == 0:
        raise ConfigError(f"{name} is empty; give at least one picture")
    first = images[:limit]
    return [as_picture(image, f"{name}[{index}]") for index, image in enumerate(first)], len(images)


def as_labels(labels: ArrayLike, n: int, n_classes: int | None) -> NDArray[np.int64]:
    """One whole number a picture, each the index of a class.

    Raises:
        ConfigError: not one a picture, not whole, negative, or beyond the last class.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or len(array) != n:
        raise ConfigError(f"labels have shape {array.shape} for {n} pictures; give one a picture")
    if array.dtype.kind not in "ui":
        raise ConfigError(
            f"labels hold {array.dtype}; allowed: whole numbers, the classes' indices"
        )
    low, high = int(array.min()), int(array.max())
    if low < 0 or (n_classes is not None and high >= n_classes):
        allowed = "0 and up" if n_classes is None else f"0 to {n_classes - 1}, one a class name"
        raise ConfigError(f"labels run from {low} to {high}; allowed: {allowed}")
    return array.astype(np.int64)


def as_names(names: Sequence[object] | None, n: int, name: str, what: str) -> list[str] | None:
    """As many names as there are things to name, or None.

    Args:
        names: one a thing, or None.
        n: how many things there are.
        name: the argument, for a message: "filter_names".
        what: what each names, for a message: "filters".

    Raises:
        ConfigError: more or fewer names than things, or one text where a list belongs.
    """
    if names is None:
        return None
    if isinstance(names, str):
        raise ConfigError(
            f"{name} is the text {names!r}; give a list of {n}, one each for the {what}"
        )
    if len(names) != n:
        raise ConfigError(f"{name} has {len(names)} entries for {n} {what}; give one each")
    return [str(entry) for entry in names]


def as_columns(value: Any) -> int:
    """How many columns a grid is to have.

    Raises:
        ConfigError: no whole number, or more than can be seen.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not 1 <= value <= MOST_COLUMNS:
        raise ConfigError(f"columns is {value!r}; allowed: whole numbers from 1 to {MOST_COLUMNS}")
    return int(value)


def _hint(array: NDArray[Any]) -> str:
    if array.ndim == 4:
        return "; for several pictures use plot_images or plot_feature_maps"
    if array.ndim == 3 and array.shape[2] == 4:
        return "; drop the transparency with image[:, :, :3]"
    if array.ndim == 3:
        return "; for many channels use plot_feature_maps"
    return ""


def _first_line(reason: Exception) -> str:
    return str(reason).partition("\n")[0]
