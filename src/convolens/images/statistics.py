"""What the pixels of a picture are: range, mean and spread, as a whole and by channel."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import to_dict
from convolens.errors import ImageError


@dataclass(frozen=True, kw_only=True)
class PixelStatistics:
    """The figures of one picture, over its finite values; ``non_finite`` counts the others."""

    shape: tuple[int, ...]
    """(height, width) or (height, width, channels)."""
    dtype: str
    """NumPy's name of the type of a value."""
    minimum: float
    """Smallest value."""
    maximum: float
    """Largest value."""
    mean: tuple[float, ...]
    """Mean of each channel."""
    standard_deviation: tuple[float, ...]
    """Standard deviation of each channel, with n in the denominator."""
    channel_minimum: tuple[float, ...]
    """Smallest value of each channel."""
    channel_maximum: tuple[float, ...]
    """Largest value of each channel."""
    non_finite: int
    """How many values are NaN or infinite."""

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON types."""
        return to_dict(self)

    def __str__(self) -> str:
        """A heading and a table with a row a channel."""
        lines = [
            f"shape {self.shape}, {self.dtype}, values {self.minimum:g} to {self.maximum:g}"
            + (f", {self.non_finite} not finite" if self.non_finite else ""),
            f"{'channel':<8}{'mean':>12}{'spread':>12}{'minimum':>12}{'maximum':>12}",
        ]
        names = ("red", "green", "blue") if len(self.mean) == 3 else range(len(self.mean))
        rows = zip(
            names if len(self.mean) > 1 else ("grey",),
            self.mean,
            self.standard_deviation,
            self.channel_minimum,
            self.channel_maximum,
            strict=True,
        )
        for name, *values in rows:
            lines.append(f"{name:<8}" + "".join(f"{value:>12.6g}" for value in values))
        return "\n".join(lines)


def inspect_image(image: NDArray[Any]) -> PixelStatistics:
    """Look at the pixels of a picture, or of a stack of feature maps.

    Args:
        image: (height, width) or (height, width, channels), any number of channels; a real dtype.

    Returns:
        The figures, computed in float64.

    Raises:
        ImageError: another number of axes, no pixels, values that are not real, or no finite value
            in some channel.

    >>> inspect_image(np.array([[0, 255], [255, 0]], np.uint8)).mean
    (127.5,)
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3) or image.size == 0 or image.dtype.kind not in "buif":
        raise ImageError(
            f"array of shape {image.shape} and dtype {image.dtype}: not a picture; allowed: real "
            "values as (height, width) or (height, width, channels), none of them zero"
        )
    values = image.reshape(image.shape[0] * image.shape[1], -1)
    channels = [_figures(values[:, channel]) for channel in range(values.shape[1])]
    means, spreads, minima, maxima = zip(*channels, strict=True)
    return PixelStatistics(
        shape=image.shape,
        dtype=str(image.dtype),
        minimum=min(minima),
        maximum=max(maxima),
        mean=means,
        standard_deviation=spreads,
        channel_minimum=minima,
        channel_maximum=maxima,
        non_finite=int(image.size - np.isfinite(image).sum()),
    )


def _figures(values: NDArray[Any]) -> tuple[float, float, float, float]:
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise ImageError(
            "a channel holds nothing but NaN and infinity; there is nothing to inspect"
        )
    exact = finite.astype(np.float64)
    return float(exact.mean()), float(exact.std()), float(exact.min()), float(exact.max())
