"""What a heat map marks, laid over its picture."""

from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError

_MAP = "inferno"  # rises in lightness all the way, so that it can be read without its colours
_STRONGEST = 0.8  # of the colour where the map is highest: some of the picture stays
_FAINT = 0.45  # how light the picture is beneath: colours must stand out on white shoes, too


def heat_overlay(picture: NDArray[np.uint8], heat: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """A picture in grey with a heat map over it: the hotter, the more colour, and the lighter.

    Args:
        picture: (height, width, 1 or 3) uint8.
        heat: (height, width), from 0; it is scaled to its own highest value. What is not finite, or
            below 0, counts as 0.

    Returns:
        (height, width, 3) uint8; a map of zeros leaves the picture in grey.

    Raises:
        ConfigError: the map is not as large as the picture.

    >>> heat = np.array([[0.0, 1.0]])
    >>> heat_overlay(np.full((1, 2, 1), 255, np.uint8), heat).tolist()
    [[[115, 115, 115], [225, 227, 155]]]
    """
    if heat.shape != picture.shape[:2]:
        raise ConfigError(f"the heat map is {heat.shape} and the picture {picture.shape[:2]}")
    grey = picture.astype(np.float64).mean(axis=2) / 255 * _FAINT
    clean = np.clip(np.nan_to_num(heat.astype(np.float64), posinf=0.0, neginf=0.0), 0, None)
    most = clean.max()
    scaled = clean / most if most > 0 else clean
    colours = mpl.colormaps[_MAP](scaled)[..., :3]
    weight = (_STRONGEST * scaled**0.75)[..., None]
    mixed = (1 - weight) * grey[..., None] + weight * colours
    return (255 * mixed + 0.5).astype(np.uint8)
