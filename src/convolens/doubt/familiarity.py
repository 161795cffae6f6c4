"""Scores of how familiar a picture is, and a threshold on one of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import choose, to_dict
from convolens.errors import ConfigError

NEIGHBOURS = "neighbours"
NEAREST = 3
"""Which of the neighbours the distance is to (chosen by ``benchmarks/unknown.py``)."""

CHUNK = 1000  # pictures whose distances are in memory at a time

Logits = NDArray[np.floating[Any]]
Features = NDArray[np.floating[Any]]
Scores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class UnknownBelow:
    """A threshold on a score of familiarity, below which an input is flagged as unknown.

    Raises:
        ConfigError: a score that does not exist, or numbers that are none.
    """

    threshold: float
    kept: float
    """Share of the pictures that it was fitted on that are not flagged, 0..1."""
    score: str = "energy"
    """Which score it is on: a key of ``SCORES``, or "neighbours"."""

    def __post_init__(self) -> None:
        choose("score of familiarity", self.score, {**SCORES, NEIGHBOURS: neighbourhood})
        if not math.isfinite(self.threshold) or not 0 <= self.kept <= 1:
            raise ConfigError(
                "a threshold for the unknown is a finite number that keeps a share of 0 to 1; got "
                f"{self.threshold} that keeps {self.kept}"
            )

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


def energy(logits: Logits) -> Scores:
    """The negative free energy: the logarithm of the sum of the exponentials of the logits.

    High where some class speaks strongly for a picture. A softmax loses that: it tells only by how
    much one class speaks louder than the others.

    Args:
        logits: (n, classes).

    Returns:
        (n,), higher for what is more familiar.

    Raises:
        ConfigError: logits of another shape, or some that are not finite.

    Source: W. Liu et al., "Energy-based out-of-distribution detection", 2020, with temperature 1.

    >>> energy(np.array([[0.0, 0.0]])).round(4).tolist()
    [0.6931]
    """
    values = _checked(logits)
    highest = values.max(axis=1, keepdims=True)
    return (highest + np.log(np.exp(values - highest).sum(axis=1, keepdims=True)))[:, 0]


def max_logit(logits: Logits) -> Scores:
    """The largest logit of each picture.

    Args:
        logits: (n, classes).

    Returns:
        (n,), higher for what is more familiar.

    Raises:
        ConfigError: as :func:`energy`.

    Source: D. Hendrycks et al., "Scaling out-of-distribution detection for real-world settings",
    2022.

    >>> max_logit(np.array([[1.0, 3.0]])).tolist()
    [3.0]
    """
    return _checked(logits).max(axis=1)


def neighbourhood(features: Features, neighbours: Features, *, nearest: int = NEAREST) -> Scores:
    """Minus the distance from what a network saw of a picture to the third nearest neighbour.

    The logits see only what tells the classes apart. What the last layer makes them of is more: it
    also shows what looks like no picture of any class.

    Args:
        features: (n, features), what the last layer saw of each picture.
        neighbours: (m, features), of familiar pictures that were not trained on.
        nearest: which of the neighbours, 1 to m.

    Returns:
        (n,), at most 0, higher for what is more familiar.

    Raises:
        ConfigError: shapes that do not fit.

    Source: Y. Sun et al., "Out-of-distribution detection with deep nearest neighbors", 2022; here
    without dividing features by their length, which hides how little noise excites a network.

    >>> neighbourhood(np.array([[0.0]]), np.array([[1.0], [2.0], [-4.0]]), nearest=2)
    array([-2.])
    """
    if features.ndim != 2 or neighbours.ndim != 2 or features.shape[1] != neighbours.shape[1]:
        raise ConfigError(
            "features and neighbours must be (n, features) and (m, features); got "
            f"{features.shape} and {neighbours.shape}"
        )
    if not 1 <= nearest <= len(neighbours):
        raise ConfigError(f"nearest must be from 1 to {len(neighbours)}; got {nearest}")
    known = neighbours.astype(np.float64)
    lengths = (known**2).sum(axis=1)
    parts: list[Scores] = []
    for start in range(0, len(features), CHUNK):
        seen = features[start : start + CHUNK].astype(np.float64)
        squares = (seen**2).sum(axis=1)[:, None] + lengths - 2 * seen @ known.T
        nearest_squares = np.partition(squares, nearest - 1, axis=1)[:, nearest - 1]
        parts.append(-np.sqrt(np.maximum(nearest_squares, 0)))
    return np.concatenate(parts) if parts else np.empty(0)


def familiarity(
    score: str, logits: Logits, features: Features | None, neighbours: Features | None
) -> Scores:
    """(n,) a score by its name, of what it needs.

    Raises:
        ConfigError: there is no such score, or it needs features that are not there.
    """
    if score != NEIGHBOURS:
        return choose("score of familiarity", score, SCORES)(logits)
    if features is None or neighbours is None:
        raise ConfigError(
            "the distance to neighbours needs features, which the network does not give"
        )
    return neighbourhood(features, neighbours)


SCORES: dict[str, Callable[[Logits], Scores]] = {"energy": energy, "max_logit": max_logit}
"""Those of logits, by name, as ``model.json`` has it; each is higher for what is more familiar."""


def _checked(logits: Logits) -> Scores:
    if logits.ndim != 2 or 0 in logits.shape or not np.isfinite(logits).all():
        raise ConfigError(f"logits must be finite numbers, (n, classes); got {logits.shape}")
    return logits.astype(np.float64)
