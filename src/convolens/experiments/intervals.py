"""How sure a mean of several runs is."""

import math
from collections.abc import Sequence
from statistics import mean, stdev

from convolens.config import check_whole
from convolens.errors import ConfigError


def student_t_quantile(confidence: float, degrees: int) -> float:
    """The t between whose negative and itself Student's distribution has a given probability.

    Args:
        confidence: that probability, in (0, 1).
        degrees: of freedom, at least 1.

    Returns:
        t, above 0.

    Raises:
        ConfigError: a number outside its range.

    Source: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4:
    the probability in closed form, here inverted by bisection.

    >>> round(student_t_quantile(0.95, 4), 4)
    2.7764
    """
    _check_confidence(confidence)
    check_whole("degrees", degrees, 1, 2**63 - 1)
    low, high = 0.0, math.pi / 2
    for _ in range(60):  # each halves the interval: to the last bit of a double
        angle = (low + high) / 2
        if _central_probability(angle, degrees) < confidence:
            low = angle
        else:
            high = angle
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Interval for the mean of independent values, by Student's t.

    Args:
        values: at least two, such as the accuracies of runs with different seeds.
        confidence: probability that the interval holds the true mean, in (0, 1).

    Returns:
        (low, high).

    Raises:
        ConfigError: fewer than two values.

    >>> low, high = mean_interval([0.90, 0.91, 0.92])
    >>> f"{low:.4f} to {high:.4f}"
    '0.8852 to 0.9348'
    """
    return corrected_interval(values, 0.0, confidence)


def corrected_interval(
    values: Sequence[float], test_over_train: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval for the mean over folds, by the corrected resampled t.

    The training parts of the folds share most of their pictures, so their results are not
    independent, and the usual variance s²/J of a mean of J results is far too small. The corrected
    one is (1/J + n_test / n_train) s².

    Args:
        values: one result a fold, over all repeats; at least two.
        test_over_train: pictures of a fold over those that were trained on for it; 1 / (folds - 1)
            where all others were.
        confidence: probability that the interval holds the true mean, in (0, 1).

    Returns:
        (low, high). It is an approximation: no unbiased estimate of this variance exists (Bengio
        and Grandvalet, 2004).

    Raises:
        ConfigError: fewer than two values, or a negative ratio.

    Source: C. Nadeau and Y. Bengio, "Inference for the generalization error", 2003; for repeated
    folds R. Bouckaert and E. Frank, 2004.

    >>> low, high = corrected_interval([0.90, 0.91, 0.92], test_over_train=1 / 2)
    >>> f"{low:.4f} to {high:.4f}"
    '0.8707 to 0.9493'
    """
    if len(values) < 2:
        raise ConfigError(f"an interval needs at least two values; got {len(values)}")
    if not test_over_train >= 0:
        raise ConfigError(f"test_over_train must be 0 or more; got {test_over_train}")
    t = student_t_quantile(confidence, len(values) - 1)
    half = t * math.sqrt(1 / len(values) + test_over_train) * stdev(values)
    centre = mean(values)
    return centre - half, centre + half


def _central_probability(angle: float, degrees: int) -> float:
    """P(|T| < t) for t = sqrt(degrees) * tan(angle)."""
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for number in range(2 + odd, degrees - 1, 2):
        term *= cosine * cosine * (number - 1) / number
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence must be between 0 and 1; got {confidence}")
