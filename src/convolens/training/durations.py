"""Lengths of time as a person writes them: ``30s``, ``2m``, ``1.5h``."""

import math
import re

from convolens.errors import ConfigError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_WRITTEN = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([smh]?)\s*", re.ASCII | re.IGNORECASE)


def parse_duration(text: str, name: str = "the duration") -> float:
    """Seconds that a text means.

    Args:
        text: a number, 0 or more, with a unit: s for seconds, m for minutes, h for hours; without
            one it is seconds. ``off`` is 0.
        name: what it is for, as in "--budget", for the message.

    Returns:
        Seconds, 0 or more, finite.

    Raises:
        ConfigError: it is something else.

    >>> [parse_duration(text) for text in ("30s", "2m", "1.5h", "45", "off")]
    [30.0, 120.0, 5400.0, 45.0, 0.0]
    """
    if text.strip().lower() == "off":
        return 0.0
    written = _WRITTEN.fullmatch(text)
    seconds = float(written[1]) * _UNITS[written[2].lower() or "s"] if written else math.inf
    if not math.isfinite(seconds):
        raise ConfigError(
            f"{name} is {text!r}; allowed: a number with s, m or h, such as 30s, 2m or 1.5h, or off"
        )
    return seconds
