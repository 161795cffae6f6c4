"""How often a checkpoint is written."""

import time
from collections.abc import Callable
from typing import Protocol

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.training.durations import parse_duration

EVERY = "30s"
SHARE = 0.02  # of the time since the start, at most, is spent on writing checkpoints


class Cadence(Protocol):
    """Says when the next checkpoint is due. Never asked for weights: it cannot change them."""

    def due(self, step: int) -> bool:
        """Whether to write one now, after ``step`` steps."""
        ...

    def saved(self, seconds: float) -> None:
        """One was written, which took ``seconds``."""
        ...


class EverySeconds:
    """A checkpoint every so many seconds, and fewer where they would cost over 2 % of the time.

    Args:
        seconds: between two; 0 for none at all.
        expected: seconds that the first one is thought to take; after that the last one counts.
        clock: seconds, from any start.

    >>> now = iter([0.0, 20.0, 31.0, 32.0, 62.0, 151.0])
    >>> cadence = EverySeconds(30, clock=lambda: next(now))
    >>> cadence.due(1), cadence.due(2)  # after 20 and 31 seconds
    (False, True)
    >>> cadence.saved(1.5)  # which is 2 % of 75 seconds, and of two 150
    >>> cadence.due(3), cadence.due(4)
    (False, True)
    """

    def __init__(
        self,
        seconds: float,
        *,
        expected: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self.clock = clock
        self.start = self.last = clock()
        self.expected = expected
        self.spent = 0.0

    def due(self, step: int) -> bool:  # noqa: ARG002 - the interface of a cadence
        """Whether the time has come."""
        if self.seconds == 0:
            return False
        now = self.clock()
        affordable = self.spent + self.expected <= SHARE * (now - self.start)
        return now - self.last >= self.seconds and affordable

    def saved(self, seconds: float) -> None:
        """Count what a checkpoint took."""
        self.last = self.clock()
        self.spent += seconds
        self.expected = seconds


class EverySteps:
    """A checkpoint every ``steps`` steps, whatever it costs: for experiments and tests."""

    def __init__(self, steps: int) -> None:
        check_whole("steps between checkpoints", steps, 1, 2**63 - 1)
        self.steps = steps

    def due(self, step: int) -> bool:
        """Whether ``step`` is a multiple."""
        return step % self.steps == 0

    def saved(self, seconds: float) -> None:
        """What a checkpoint took does not matter here."""


CheckpointEvery = str | float | Cadence
"""A text such as "30s" or "off", seconds (0 for none), or a cadence."""


def choose_cadence(every: CheckpointEvery, *, expected: float = 0.0) -> Cadence:
    """The cadence that is meant.

    Raises:
        ConfigError: it is not a length of time.
    """
    if isinstance(every, str):
        return EverySeconds(parse_duration(every, "--checkpoint-every"), expected=expected)
    if isinstance(every, int | float):
        if not 0 <= every < float("inf"):
            raise ConfigError(f"checkpoint_every is {every}; allowed: seconds, 0 or more")
        return EverySeconds(float(every), expected=expected)
    return every
