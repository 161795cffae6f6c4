"""The values of arrays: from whatever holds numbers to NumPy, and from any scale to 0..255."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError, DataError
from convolens.images import to_uint8

_USUAL_LARGEST = (16, 255, 4095, 65535)


def to_numpy(value: Any, what: str) -> NDArray[Any]:
    """An array, a tensor, a data frame or nested lists as a NumPy array.

    Args:
        value: anything; a torch tensor is known by its methods, so torch is not imported for it.
        what: what to call it in a message.

    Raises:
        DataError: it is ragged, masked, or does not become an array.

    >>> to_numpy([[1, 2], [3, 4]], "X").shape
    (2, 2)
    """
    if np.ma.is_masked(value):
        raise DataError(f"{what} is a masked array; fill or drop its masked values first")
    try:
        if is_tensor(value):
            return _from_tensor(value)
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as reason:
        first = " ".join(str(reason).split())
        raise DataError(
            f"{what}, a {type(value).__name__}, does not become an array: {first}"
        ) from None


def is_tensor(value: object) -> bool:
    """Whether it is a torch tensor, or behaves like one."""
    return all(callable(getattr(value, name, None)) for name in ("detach", "cpu", "numpy"))


def _from_tensor(tensor: Any) -> NDArray[Any]:
    tensor = tensor.detach().cpu()
    try:
        return np.asarray(tensor.numpy())
    except TypeError:  # NumPy has no bfloat16; float32 holds each of its values
        return np.asarray(tensor.float().numpy())


@dataclass
class _Extent:
    """What was seen of one family of types."""

    low: float
    high: float
    where: str


class PixelScale:
    """How values become 0..255; decided over everything that is read, never picture by picture.

    Booleans are black and white; uint8 is 0..255; uint16 is 0..65535; floats must be in 0..1, and
    other whole numbers in 0..255. Any other scale has to be named: 0..16 would be nearly black when
    taken for 0..255, and nothing in the numbers says which it is.

    First :meth:`see` everything, then :meth:`settle`, then :meth:`convert`.

    Args:
        value_range: (darkest, brightest) that a pixel can be, instead of all of that.

    Raises:
        ConfigError: a range that is not two finite numbers, the first the smaller.

    >>> scale, counts = PixelScale((0, 16)), np.array([0.0, 8.0, 16.0]).reshape(1, 3, 1, 1)
    >>> scale.see(counts, "digits"), scale.convert(counts).ravel()
    (array([ True]), array([  0, 128, 255], dtype=uint8))
    """

    def __init__(self, value_range: Sequence[float] | None = None) -> None:
        self._range = None if value_range is None else _checked_range(value_range)
        self._seen: dict[str, _Extent] = {}

    def keeps(self, dtype: np.dtype[Any]) -> bool:
        """Whether values of a type are left exactly as they are."""
        return dtype == np.uint8 and self._range is None

    def see(self, pictures: NDArray[Any], where: str) -> NDArray[np.bool_]:
        """Take note of some pictures.

        Args:
            pictures: (k, height, width, channels), of any real type.
            where: what to call them in a message.

        Returns:
            (k,), whether every value of a picture is finite; one that is not counts for nothing.
        """
        finite = np.ones(len(pictures), dtype=np.bool_)
        if pictures.dtype.kind == "b" or self.keeps(pictures.dtype):
            return finite
        if pictures.dtype.kind == "f":
            finite = np.asarray(np.isfinite(pictures).all(axis=(1, 2, 3)))
            pictures = pictures if finite.all() else pictures[finite]
        if pictures.size:
            low, high = pictures.min().item(), pictures.max().item()
            extent = self._seen.setdefault(_family(pictures.dtype), _Extent(low, high, where))
            if low < extent.low or high > extent.high:
                extent.where = where
            extent.low, extent.high = min(low, extent.low), max(high, extent.high)
        return finite

    def settle(self) -> None:
        """Decide.

        Raises:
            DataError: the values are of no scale that can be known, or outside the range named.
        """
        for family, extent in self._seen.items():
            found = f"{extent.where}: {family} from {extent.low:.9g} to {extent.high:.9g}"
            advice = f"name the darkest and the brightest a pixel can be: {_guess(extent)}"
            if self._range is not None:
                low, high = self._range
                slack = 1e-6 * (high - low)  # float32 has no 0.1, so 0.1 is not at most 0.1 there
                if not (extent.low >= low - slack and extent.high <= high + slack):
                    raise DataError(f"{found}; allowed: the value_range of {low:g} to {high:g}")
            elif family == "16-bit pixels":
                if 0 < extent.high <= 255:
                    raise DataError(
                        f"{found} would be black, for their type goes to 65535; use .astype(uint8),"
                        " or value_range=(0, 65535) if they are as dark as that"
                    )
            else:
                most = 1 if family == "float pixels" else 255
                if not (extent.low >= 0 and extent.high <= most):
                    raise DataError(f"{found}; allowed: 0 to {most}, or {advice}")

    def convert(self, pictures: NDArray[Any]) -> NDArray[np.uint8]:
        """Scale to 0..255, rounded to the nearest.

        Args:
            pictures: any shape, of values that were seen.
        """
        if pictures.dtype.kind == "b":
            return pictures.astype(np.uint8) * np.uint8(255)
        if self._range is not None:
            low, high = self._range
            scaled = (pictures.astype(np.float64) - low) * (255 / (high - low))
            return np.rint(scaled).clip(0, 255).astype(np.uint8)
        if _family(pictures.dtype) == "whole-number pixels":
            return pictures.astype(np.uint8)
        return to_uint8(pictures)


def check_real(dtype: np.dtype[Any], what: str) -> None:
    """Refuse pictures of a type that has no dark and bright.

    Raises:
        DataError: neither boolean nor a whole nor a floating-point number.
    """
    if dtype.kind not in "buif":
        hint = (
            "; for paths or pictures of several sizes pass a list" if dtype.kind in "OUST" else ""
        )
        raise DataError(f"{what} of dtype {dtype}; allowed: bool, whole numbers, floats{hint}")


def _family(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "f":
        return "float pixels"
    return "16-bit pixels" if (dtype.kind, dtype.itemsize) == ("u", 2) else "whole-number pixels"


def _guess(extent: _Extent) -> str:
    fits = [largest for largest in _USUAL_LARGEST if extent.high <= largest]
    if extent.low >= 0 and fits:
        return f"value_range=(0, {fits[0]})"
    return f"value_range=({extent.low:.9g}, {extent.high:.9g})"


def _checked_range(value_range: Sequence[float]) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in cast("Sequence[Any]", value_range))
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(
            f"value_range is {value_range!r}; allowed: two finite numbers, the darkest and the "
            "brightest that a pixel can be, such as (0, 16)"
        )
    return low, high
