"""How one value inside a trained network came about, and what becomes of it."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convolens.config import to_dict
from convolens.explain.value_text import step_text, trace_text

Floats = NDArray[np.float64]
Kind = Literal["convolution", "max_pool", "avg_pool"]

# Sums of some thousand products in other orders, and by fast algorithms that take them apart,
# were found to differ by up to 2.2 units of the network's precision, relative to the sum of the
# products' magnitudes (float32; all architectures untrained, two trained networks).
_MOST_UNITS = 16


@dataclass(frozen=True, kw_only=True)
class FollowingStep:
    """A layer that makes of the value another one, and looks at no other value for that."""

    layer: str
    """Its name in the network."""
    operation: str
    """Its class, such as "BatchNorm2d" or "ReLU"."""
    numbers: dict[str, float]
    """Its own numbers for this channel, by name: of a batch normalisation mean, variance, epsilon,
    scale and shift; of a scaling its factor."""
    before: float
    """What came in, as worked out here."""
    value: float
    """What goes out, worked out in float64."""
    network_value: float
    """What the network itself put out."""
    magnitude: float
    """Size of the terms that the value is a sum of: what rounding errors are relative to."""

    def __str__(self) -> str:
        return step_text(self)


@dataclass(frozen=True, eq=False, kw_only=True)
class ValueTrace:
    """One value of a convolution or a pooling, taken apart; ``str()`` writes the arithmetic out."""

    layer: str
    """Name of the layer in the network."""
    operation: str
    """Its class, such as "Conv2d"."""
    kind: Kind
    """What is done with the window."""
    row: int
    """Row of the value in what the layer puts out."""
    column: int
    """Its column."""
    channel: int
    """Its channel."""
    source: str | None
    """Name of the layer whose output it saw, "" for the picture itself, None where the network
    computed that outside of its layers."""
    source_shape: tuple[int, int, int]
    """(height, width, channels) of what it saw a part of."""
    rows: NDArray[np.int64]
    """(height,): rows of the window; below 0 and beyond the last they lie in the padding."""
    columns: NDArray[np.int64]
    """(width,): its columns, likewise."""
    channels: NDArray[np.int64]
    """(channels,): those it saw: of a group those of the group, of a pooling one."""
    window: Floats
    """(height, width, channels): the values seen; 0 where padded."""
    padded: NDArray[np.bool_]
    """(height, width): True where the window lies in the padding."""
    weights: Floats | None
    """(height, width, channels): the filter; None for a pooling."""
    products: Floats | None
    """(height, width, channels): window times weights; None for a pooling."""
    sum: float | None
    """Of all products, or of the window where its mean is taken, in float64; None for a maximum."""
    bias: float | None
    """Of the filter; None if it has none, and for a pooling."""
    divisor: int | None
    """What the sum is divided by where a mean is taken, else None."""
    winner: tuple[int, int] | None
    """(row, column) of the largest value in what it saw, the first of equals, else None."""
    value: float
    """The value, worked out in float64."""
    network_value: float
    """The value that the network itself put out, in its own precision."""
    magnitude: float
    """Sum of the magnitudes of all products and of the bias (divided as the sum is): rounding
    errors are relative to it, not to the value, in which large products may cancel out."""
    precision: float
    """Distance from 1 to the next number in the network's precision: 1.2e-7 in float32."""
    following: tuple[FollowingStep, ...]
    """What becomes of the value as long as no other value matters, in order."""
    ending: str
    """Why it is not followed further, in words."""

    @property
    def error(self) -> float:
        """Distance of value and network's value as a share of ``magnitude``; 0 if they are one."""
        if self.value == self.network_value or (
            math.isnan(self.value) and math.isnan(self.network_value)
        ):
            return 0.0
        # What is smaller than any normal number of the network's counts as nothing.
        return abs(self.value - self.network_value) / max(self.magnitude, 1e-37)

    @property
    def agrees(self) -> bool:
        """Whether the network computed what is written here, to the precision of its numbers."""
        return self.error <= _MOST_UNITS * self.precision

    @property
    def channel_sums(self) -> Floats:
        """(channels,): what each channel of the window adds; for a pooling the window's sum."""
        with np.errstate(all="ignore"):
            terms = self.window if self.products is None else self.products
            return terms.sum(axis=(0, 1))

    @property
    def source_words(self) -> str:
        """What the window was laid on, in words."""
        if self.source is None:
            return "what the network computed before it"
        return f"what {self.source!r} puts out" if self.source else "the picture"

    def largest_channels(self, most: int) -> list[int]:
        """Which channels of the window to show, by their place in it.

        Args:
            most: how many.

        Returns:
            All in their order if there are at most so many, else those that change the sum most,
            the largest first; what is not a number comes before all.
        """
        sizes = np.abs(self.channel_sums)
        if len(sizes) <= most:
            return list(range(len(sizes)))
        order = np.argsort(-np.where(np.isnan(sizes), np.inf, sizes), kind="stable")
        return [int(place) for place in order[:most]]

    def to_dict(self) -> dict[str, Any]:
        """Every field as plain JSON types, ``error`` and ``agrees``; no number is None."""
        return {**_finite(to_dict(self)), "error": _finite(self.error), "agrees": self.agrees}

    def __str__(self) -> str:
        return trace_text(self)


def _finite(value: Any) -> Any:
    """NaN and infinity, which JSON lacks, as None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list) else value
