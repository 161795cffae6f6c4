"""Inputs of no class at all: a score of how familiar a picture is, and a threshold on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError

KEPT = 0.95
"""Share of familiar pictures that are not flagged, as is usual in the literature."""


@dataclass(frozen=True, kw_only=True)
class UnknownBelow:
    """A threshold on a score of familiarity, below which an input is flagged as unknown."""

    threshold: float
    kept: float
    """Share of the pictures that it was fitted on that are not flagged, 0..1."""


def energy(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The negative free energy: the logarithm of the sum of the exponentials of the logits.

    High where some class speaks strongly for a picture. A softmax loses that: it tells only by how
    much one class speaks louder than the others.

    Args:
        logits: (n, classes).

    Returns:
        (n,), higher for what is more familiar.

    Source: W. Liu et al., "Energy-based out-of-distribution detection", 2020, with temperature 1.

    >>> energy(np.array([[0.0, 0.0]])).round(4).tolist()
    [0.6931]
    """
    values = _checked(logits)
    highest = values.max(axis=1, keepdims=True)
    return (highest + np.log(np.exp(values - highest).sum(axis=1, keepdims=True)))[:, 0]


def max_logit(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The largest logit of each picture.

    Args:
        logits: (n, classes).

    Returns:
        (n,), higher for what is more familiar.

    Source: D. Hendrycks et al., "Scaling out-of-distribution detection for real-world settings",
    2022.

    >>> max_logit(np.array([[1.0, 3.0]])).tolist()
    [3.0]
    """
    return _checked(logits).max(axis=1)


def fit_unknown(scores: NDArray[np.floating], *, kept: float = KEPT) -> UnknownBelow:
    """The threshold that flags a given share of familiar pictures, and unfamiliar ones with luck.

    Args:
        scores: (n,) of pictures that were not trained on, such as the validation split's.
        kept: share of them that is not flagged, in (0, 1].

    Raises:
        ConfigError: no scores, some that are NaN, or a share outside its range.

    >>> fit_unknown(np.arange(100.0)).threshold
    5.0
    """
    if scores.ndim != 1 or not len(scores) or np.isnan(scores).any():
        raise ConfigError(f"scores must be numbers of shape (n,), n at least 1; got {scores.shape}")
    if not 0 < kept <= 1:
        raise ConfigError(f"kept must be above 0 and at most 1; got {kept}")
    ranked = np.sort(scores.astype(np.float64))
    # Flagged is what is strictly below, so that at most the share that was allowed is.
    place = min(len(ranked) - 1, int(np.floor((1 - kept) * len(ranked) + 1e-9)))
    threshold = float(ranked[place])
    return UnknownBelow(threshold=threshold, kept=float((ranked >= threshold).mean()))


def _checked(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    if logits.ndim != 2 or 0 in logits.shape or not np.isfinite(logits).all():
        raise ConfigError(f"logits must be finite numbers, (n, classes); got {logits.shape}")
    return logits.astype(np.float64)
