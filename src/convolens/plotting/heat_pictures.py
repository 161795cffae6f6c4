"""Heat maps laid over the picture they explain: what speaks for a class, and what against it."""

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from convolens.plotting.heat import heat_overlay
from convolens.plotting.pictures import has_finite, unit_limits

if TYPE_CHECKING:
    from convolens.explain import HeatMaps

_MAP = "RdBu_r"  # red for, blue against: told apart by colour-blind eyes
_FAINT = (0.35, 0.65)  # grey of the picture beneath, black and white: both colours stand out on it
_STRONGEST = 0.9
_FULL = 0.995


def picture_bytes(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """A picture as bytes, whatever its unit: black and white are those of the unit.

    Args:
        picture: (height, width, channels), any real dtype; of other channels than 1 or 3 the mean
            is taken.

    Returns:
        (height, width, 1 or 3).

    >>> picture_bytes(np.array([[[0.0], [1.0]]])).ravel().tolist()
    [0, 255]
    """
    shown = picture if picture.shape[2] in (1, 3) else picture.mean(axis=2, keepdims=True)
    if shown.dtype == np.uint8:
        return shown
    low, high = unit_limits(shown) if has_finite(shown) else (0.0, 1.0)
    shares = (np.nan_to_num(shown.astype(np.float64), nan=low) - low) / (high - low)
    return np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)


def heat_picture(picture: NDArray[Any], heat: "HeatMaps") -> NDArray[np.uint8]:
    """The first of some heat maps over its picture.

    Args:
        picture: (height, width, channels), as the network sees it.
        heat: the maps; of a signed one what speaks for the class is red and what speaks against it
            blue, else light is much.

    Returns:
        (height, width, 3).
    """
    shown = picture_bytes(picture)
    values = heat.values[0]
    return signed_overlay(shown, values) if heat.signed else heat_overlay(shown, values)


def signed_overlay(
    picture: NDArray[np.uint8], heat: NDArray[np.floating[Any]]
) -> NDArray[np.uint8]:
    """A picture in grey with a signed map over it: red above 0, blue below, the stronger the more.

    Args:
        picture: (height, width, 1 or 3) uint8.
        heat: (height, width); it is scaled to its own magnitudes, of which the largest 0.5 % look
            alike.

    Returns:
        (height, width, 3) uint8; a map of zeros leaves the picture in grey.

    >>> signed_overlay(np.full((1, 3, 1), 255, np.uint8), np.array([[-1.0, 0.0, 1.0]])).tolist()
    [[[21, 60, 104], [166, 166, 166], [109, 17, 44]]]
    """
    dark, light = _FAINT
    grey = dark + (light - dark) * picture.astype(np.float64).mean(axis=2) / 255
    clean = np.nan_to_num(heat.astype(np.float64), posinf=0.0, neginf=0.0)
    # A few pixels of large pictures would leave all others grey.
    most = np.quantile(np.abs(clean), _FULL) or np.abs(clean).max()
    scaled = np.clip(clean / most, -1, 1) if most > 0 else clean
    weight = (_STRONGEST * np.sqrt(np.abs(scaled)))[..., None]
    colours = mpl.colormaps[_MAP]((scaled + 1) / 2)[..., :3]
    mixed = (1 - weight) * grey[..., None] + weight * colours
    return (255 * mixed + 0.5).astype(np.uint8)
