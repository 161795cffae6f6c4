"""Scores of how familiar a picture is, from its logits, and a threshold on one of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import choose, to_dict
from convolens.errors import ConfigError

Logits = NDArray[np.floating[Any]]
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
    """Which score it is on: a key of ``SCORES``."""

    def __post_init__(self) -> None:
        choose("score of familiarity", self.score, SCORES)
        if not math.isfinite(self.threshold) or not 0 <= self.kept <= 1:
            raise ConfigError(
                "a threshold for the unknown is a finite number that keeps a share of 0 to 1; got "
                f"{self.threshold} that keeps {self.kept}"
            )

    def scores(self, logits: Logits) -> Scores:
        """(n,) the score of each picture, from its logits (n, classes)."""
        return SCORES[self.score](logits)

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


SCORES: dict[str, Callable[[Logits], Scores]] = {"energy": energy, "max_logit": max_logit}
"""By name, as ``model.json`` has it; each is higher for what is more familiar."""


def _checked(logits: Logits) -> Scores:
    if logits.ndim != 2 or 0 in logits.shape or not np.isfinite(logits).all():
        raise ConfigError(f"logits must be finite numbers, (n, classes); got {logits.shape}")
    return logits.astype(np.float64)
