"""A threshold for inputs of no class at all, and everything that a model needs to doubt."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.doubt import NEAREST, NEIGHBOURS, SCORES, Thresholds, UnknownBelow, neighbourhood
from convolens.errors import ConfigError
from convolens.evaluation.metrics import Labels
from convolens.evaluation.selective import risk_table
from convolens.prediction import to_probabilities

KEPT = 0.95
"""Share of familiar pictures that are not flagged, as is usual in the literature."""

SCORE = "energy"
"""Of the scores of logits that which trained models carry where they have no neighbours."""

MOST_NEIGHBOURS = 1000
FEWEST_NEIGHBOURS = 20  # of fewer pictures a twentieth is none


def fit_unknown(
    scores: NDArray[np.floating[Any]], *, kept: float = KEPT, score: str = SCORE
) -> UnknownBelow:
    """The threshold that flags a given share of familiar pictures, and unfamiliar ones with luck.

    Args:
        scores: (n,) of pictures that were not trained on, such as the validation split's.
        kept: share of them that is not flagged, in (0, 1].
        score: what they are, a key of ``SCORES`` or "neighbours", so that the threshold says so.

    Raises:
        ConfigError: no scores, some that are not finite, or a share outside its range.

    >>> fit_unknown(np.arange(100.0)).threshold
    5.0
    """
    if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
        raise ConfigError(
            f"scores must be finite numbers of shape (n,), n at least 1; got {scores.shape}"
        )
    if not 0 < kept <= 1:
        raise ConfigError(f"kept must be above 0 and at most 1; got {kept}")
    ranked = np.sort(scores.astype(np.float64))
    # Flagged is what is strictly below, so that at most the share that was allowed is.
    place = min(len(ranked) - 1, int(np.floor((1 - kept) * len(ranked) + 1e-9)))
    threshold = float(ranked[place])
    return UnknownBelow(threshold=threshold, kept=float((ranked >= threshold).mean()), score=score)


def fit_thresholds(
    logits: NDArray[np.float32], labels: Labels, temperature: float, *, score: str = SCORE
) -> Thresholds:
    """All that a model needs to say "unsure" and "unknown".

    Args:
        logits: (n, classes) float32, of pictures that were not trained on.
        labels: (n,) in 0..classes-1.
        temperature: of the probabilities that risks are counted on, as from ``fit_temperature``.
        score: of familiarity, a key of ``SCORES``.

    Raises:
        ConfigError: shapes, labels or numbers that do not fit.

    >>> logits = np.array([[3.0, 0.0], [0.0, 1.0]], np.float32)
    >>> fit_thresholds(logits, np.array([0, 0]), 1.0).risks.wrong
    (1, 0)
    """
    return Thresholds(
        risks=risk_table(to_probabilities(logits, temperature), labels),
        unknown=fit_unknown(SCORES[score](logits), score=score),
    )


def choose_neighbours(n: int) -> NDArray[np.int64]:
    """Which of n validation pictures are kept as neighbours: at most 1,000, evenly spread.

    >>> choose_neighbours(5000)[:3].tolist()
    [0, 5, 10]
    """
    kept = min(n, MOST_NEIGHBOURS)
    return np.arange(kept, dtype=np.int64) * n // kept


def fit_neighbours(features: NDArray[np.floating[Any]]) -> UnknownBelow | None:
    """The threshold on the distance to neighbours, from the neighbours themselves.

    Each is judged by all others, as if it were a new picture.

    Args:
        features: (m, features) of pictures that were not trained on.

    Returns:
        None where there are fewer than 20, or some that are not finite.

    >>> features = np.random.default_rng(0).normal(size=(200, 2))
    >>> found = fit_neighbours(features)
    >>> found.score, found.kept
    ('neighbours', 0.95)
    """
    if len(features) < FEWEST_NEIGHBOURS or not np.isfinite(features).all():
        return None
    # The nearest of all is the picture itself.
    scores = neighbourhood(features, features, nearest=NEAREST + 1)
    return fit_unknown(scores, score=NEIGHBOURS)
