"""One picture in one pair of axes: grey or colour, any range, with what is not finite marked."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, to_rgb
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from convolens.config import did_you_mean
from convolens.errors import ConfigError
from convolens.plotting.style import NOT_FINITE

# A figure six inches wide has 1,800 dots at 300 dpi: more pixels than this would not be seen.
_LONGEST_SIDE = 2048
# Smaller pictures are mostly drawn enlarged: their pixels are squares, not a blur.
_SQUARES_UP_TO = 160
_SPAN_OF_FLOAT32 = 1e38

Limits = tuple[float, float]


def show_picture(
    axes: Axes, picture: NDArray[Any], limits: Limits | None = None, cmap: str = "gray"
) -> AxesImage:
    """Draw a picture with pixel (row, column) centred on the point (column, row).

    Args:
        axes: where to draw; their limits become the picture's edges.
        picture: (height, width) or (height, width, 3), as ``inputs.as_picture`` returns it.
        limits: values drawn darkest and lightest; ``unit_limits(picture)`` if None.
        cmap: colour map of a grey picture.
    """
    height, width = picture.shape[:2]
    low, high = unit_limits(picture) if limits is None else limits
    step = -(-max(height, width) // _LONGEST_SIDE)
    seen = picture[::step, ::step]
    if seen.ndim == 3:
        pixels, style = rgb_pixels(seen, (low, high)), {}
    else:
        pixels = np.ma.masked_invalid(seen.astype(_floating(seen, high - low)))
        style = {"cmap": colour_map(cmap), "vmin": low, "vmax": high}
    image = axes.imshow(
        pixels,
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="nearest" if max(height, width) <= _SQUARES_UP_TO else "auto",
        **style,
    )
    axes.set(xticks=[], yticks=[])
    return image


def unit_limits(*pictures: NDArray[Any]) -> Limits:
    """What black and white stand for in pictures that are shown together.

    That is 0..255 for integers and 0..1 for floating point, the two units that pictures have here;
    where values lie outside, the smallest and the largest of them.

    >>> unit_limits(np.array([[3, 200]])), unit_limits(np.array([[0.2, 0.4]]))
    ((0.0, 255.0), (0.0, 1.0))
    >>> unit_limits(np.array([[-2.0, 0.4]]))
    (-2.0, 0.4)
    """
    whole = all(picture.dtype.kind in "ui" for picture in pictures)
    unit = 255.0 if whole else 1.0
    ranges = [value_limits(picture) for picture in pictures]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return (0.0, unit) if low >= 0 and high <= unit else apart(low, high)


def value_limits(picture: NDArray[Any]) -> Limits:
    """The smallest and the largest finite value."""
    finite = picture[np.isfinite(picture)] if picture.dtype.kind == "f" else picture
    return float(finite.min()), float(finite.max())


def has_finite(picture: NDArray[Any]) -> bool:
    """Whether any value is neither NaN nor infinite."""
    return bool(np.isfinite(picture).any())


def apart(low: float, high: float) -> Limits:
    """The limits, or where they are one value (a dead feature map), limits that paint it black."""
    if high - low > 1e-12 * max(abs(low), abs(high), 1e-200):
        return low, high
    return low, low + max(1.0, 1e-6 * abs(low))


def rgb_pixels(picture: NDArray[Any], limits: Limits) -> NDArray[np.uint8]:
    """A colour picture as bytes: all channels on one scale, pixels that are not finite marked."""
    if picture.dtype == np.uint8 and limits == (0.0, 255.0):
        return picture
    low, high = limits
    finite = np.asarray(np.isfinite(picture).all(axis=2))
    shares = (np.where(finite[:, :, None], picture, low).astype(np.float64) - low) / (high - low)
    pixels = np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)
    pixels[~finite] = np.rint(np.array(to_rgb(NOT_FINITE)) * 255)
    return pixels


def colour_map(name: str) -> Colormap:
    """A colour map of matplotlib, with the mark for what is not finite.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in mpl.colormaps:
        common = ["gray", "binary", "viridis", "cividis", "magma", "RdBu_r"]
        raise ConfigError(f"unknown colour map {name!r}{did_you_mean(name, common)}")
    return mpl.colormaps[name].with_extremes(bad=NOT_FINITE)


def not_finite_note(*pictures: NDArray[Any]) -> str:
    """A remark on values that are NaN or infinite, empty if all are finite."""
    n = sum(int(np.count_nonzero(~np.isfinite(p))) for p in pictures if p.dtype.kind == "f")
    return f"yellow: NaN or infinite ({n:,} {'value' if n == 1 else 'values'})" if n else ""


def ink_on(colour: tuple[float, ...]) -> str:
    """Black or white, whichever is read more easily on a colour (luminance as WCAG 2.2 has it)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return "black" if luminance > 0.179 else "white"


def _floating(picture: NDArray[Any], span: float) -> type[np.floating[Any]]:
    """float32 where that is exact, and where its differences do not overflow."""
    exact = picture.dtype.itemsize <= 2 or picture.dtype == np.float32
    return np.float32 if exact and span < _SPAN_OF_FLOAT32 else np.float64
