"""How sure a measured share is."""

from math import sqrt
from statistics import NormalDist

from convolens.errors import ConfigError


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval for a share of which ``successes`` out of ``n`` were seen.

    Unlike the textbook's p ± 1.96 s it stays inside 0..1 and is right near the ends, where good
    classifiers are.

    Args:
        successes: 0..n.
        n: number of independent trials, at least 1.
        confidence: probability that the interval holds the true share, in (0, 1).

    Returns:
        (low, high), both in 0..1.

    Raises:
        ConfigError: the numbers are not of this kind.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    1927.

    >>> low, high = wilson_interval(9231, 10000)
    >>> f"{low:.4f} to {high:.4f}"
    '0.9177 to 0.9282'
    """
    if not 0 <= successes <= n or n < 1:
        raise ConfigError(f"successes must be in 0..n and n at least 1; got {successes} of {n}")
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence must be between 0 and 1; got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    centre = share + z * z / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # Of none, or of all, an end is 0 or 1 but for rounding.
    low = (centre - spread) / scale if successes else 0.0
    high = (centre + spread) / scale if successes < n else 1.0
    return max(0.0, low), min(1.0, high)
