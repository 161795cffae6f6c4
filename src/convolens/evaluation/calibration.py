"""Whether a probability of 0.9 is right nine times in ten, and making it so."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import to_dict
from convolens.errors import ConfigError
from convolens.evaluation.intervals import wilson_interval
from convolens.evaluation.metrics import Labels, Probabilities, bins_of, check_predictions

COLDEST, HOTTEST = 0.01, 100.0
"""Temperatures that are tried. Where all pictures are judged rightly, colder is always better."""


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Pictures whose likeliest class has a probability in (low, high]."""

    low: float
    high: float
    n: int
    """How many there are."""
    confidence: float | None
    """Mean probability of their likeliest classes; None where there are none."""
    accuracy: float | None
    """Share that is right; well calibrated it is the confidence."""
    accuracy_low: float | None
    """Lower end of its 95 % interval (Wilson)."""
    accuracy_high: float | None
    """Upper end."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


def reliability(
    probabilities: Probabilities, labels: Labels, bins: int = 15
) -> tuple[ReliabilityBin, ...]:
    """The reliability diagram: accuracy against confidence.

    Args:
        probabilities: (n, classes).
        labels: (n,) in 0..classes-1.
        bins: of equal width, those of :func:`expected_calibration_error`.

    Returns:
        One entry a bin, from the least confident.

    Raises:
        ConfigError: shapes, labels or probabilities that do not fit.

    Source: A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised
    learning", 2005.

    >>> top = reliability(np.array([[0.8, 0.2]] * 5), np.array([0, 0, 0, 0, 1]), bins=2)[1]
    >>> top.n, round(top.confidence, 2), top.accuracy
    (5, 0.8, 0.8)
    """
    check_predictions(probabilities, labels)
    bin_of, confidence, right = bins_of(probabilities, labels, bins)
    entries: list[ReliabilityBin] = []
    for number in range(bins):
        inside = bin_of == number
        n, correct = int(inside.sum()), int(right[inside].sum())
        low, high = wilson_interval(correct, n) if n else (None, None)
        entries.append(
            ReliabilityBin(
                low=number / bins,
                high=(number + 1) / bins,
                n=n,
                confidence=float(confidence[inside].mean()) if n else None,
                accuracy=correct / n if n else None,
                accuracy_low=low,
                accuracy_high=high,
            )
        )
    return tuple(entries)


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """The temperature that makes probabilities fit labels best: that of the least log loss.

    Logits are divided by it before the softmax: above 1 it makes a network that is too sure less
    sure, below 1 the other way. No prediction changes, only how sure it is. Fit it on pictures that
    were not trained on, such as the validation split, and judge it on others.

    Counted in is one picture more, an average one of whose class nothing is known. Among thousands
    it hardly shows. But where all of fifty are judged rightly the least loss alone would make every
    probability 1, and fifty pictures do not say that.

    Args:
        probabilities: (n, classes), such as a softmax gives.
        labels: (n,) in 0..classes-1.

    Returns:
        The temperature, 0.01 to 100.

    Raises:
        ConfigError: shapes, labels or probabilities that do not fit.

    Source: C. Guo et al., "On calibration of modern neural networks", 2017, section 4.2; the one
    picture more in the spirit of J. Platt, "Probabilistic outputs for support vector machines",
    1999, section 2.2, and of Laplace's rule of succession.

    >>> sure = np.array([[0.99, 0.01]] * 4)
    >>> temperature = fit_temperature(sure, np.array([0, 0, 0, 1]))
    >>> with_temperature(sure, temperature)[0].round(3).tolist()  # 3.5 of 5
    [0.7, 0.3]
    """
    check_predictions(probabilities, labels)
    return temperature_of(_log(probabilities), labels)


def temperature_of(logits: NDArray[np.floating[Any]], labels: Labels) -> float:
    """As :func:`fit_temperature`, of the logits themselves.

    Args:
        logits: (n, classes), finite.
        labels: (n,) in 0..classes-1.
    """
    logits = logits.astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    n = len(labels)
    right = logits[np.arange(n), labels].mean()
    # Of all n and the one more, as the mean over all.
    wanted = (n * right + logits.mean()) / (n + 1)

    def slope(inverse: float) -> tuple[float, float]:
        """Of the log loss over 1 / temperature, and the slope of that: a mean and a variance."""
        weights = np.exp(inverse * logits)
        weights /= weights.sum(axis=1, keepdims=True)
        expected = (weights * logits).sum(axis=1)
        squares = (weights * logits**2).sum(axis=1)
        return float(expected.mean() - wanted), float((squares - expected**2).mean())

    return 1 / _root(slope, 1 / HOTTEST, 1 / COLDEST)


def _root(slope: Callable[[float], tuple[float, float]], low: float, high: float) -> float:
    """Where a rising function is 0: Newton's steps, and bisection where they leave the bounds."""
    at = 1.0
    for _ in range(100):
        value, steepness = slope(at)
        low, high = (at, high) if value < 0 else (low, at)
        step = at - value / steepness if steepness > 0 else math.inf
        new = step if low < step < high else math.sqrt(low * high)
        if abs(new - at) <= 1e-9 * at:
            break
        at = new
    return at


def with_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Probabilities as if their logits had been divided by a temperature.

    Args:
        probabilities: (n, classes).
        temperature: above 0; 1 changes nothing.

    Returns:
        (n, classes), of the type given; the likeliest class stays the likeliest.

    Raises:
        ConfigError: the temperature is not above 0.

    >>> with_temperature(np.array([[0.8, 0.2]]), 2.0).round(4).tolist()
    [[0.6667, 0.3333]]
    """
    if not 0 < temperature < np.inf:
        raise ConfigError(f"a temperature is a number above 0; got {temperature}")
    with np.errstate(divide="ignore"):  # what is 0 stays so
        logits = np.log(probabilities.astype(np.float64)) / temperature
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(probabilities.dtype)


def _log(probabilities: Probabilities) -> NDArray[np.float64]:
    """Logarithms; of zero that of the smallest number of its type, as in :func:`log_loss`."""
    smallest = np.finfo(probabilities.dtype).tiny
    return np.log(np.maximum(probabilities, smallest).astype(np.float64))
