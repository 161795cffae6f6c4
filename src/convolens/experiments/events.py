"""What an experiment tells while it goes, beside the events of each of its runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from convolens.training import Event


@dataclass(frozen=True, kw_only=True)
class JobStarted:
    """A run begins; its own events come next, those of several at once each in a ``RunTold``."""

    event: ClassVar[str] = "job_started"
    job: str
    """In words, such as "fold 2 of 5"."""
    done: int
    """How many have ended, those of earlier calls among them."""
    jobs: int | None
    """How many there are; None where a time and not a number says when it is enough."""
    seconds_each: float | None = None
    """That one takes, as far as that is known by now."""
    at_once: int = 1
    """How many go at once."""
    seconds_left: float | None = None
    """Of the time that the whole has, if it has one."""
    alike: bool = True
    """Whether all take about as long, so that the first one says how long the others will."""


@dataclass(frozen=True, kw_only=True)
class JobEnded:
    """A run is complete and recorded."""

    event: ClassVar[str] = "job_ended"
    job: str
    done: int
    """How many have ended, this one among them."""
    jobs: int | None
    seconds_each: float | None = None
    """As of :class:`JobStarted`."""
    at_once: int = 1
    """Likewise."""
    seconds_left: float | None = None
    """Likewise."""


@dataclass(frozen=True, kw_only=True)
class RunTold:
    """What one of several runs at once tells, each of which has a process of its own."""

    job: str
    """Of which run."""
    told: Event


ExperimentEvent = Event | JobStarted | JobEnded | RunTold
OnEvent = Callable[[ExperimentEvent], None]
Say = Callable[[str], None]
"""Gets a line of text from time to time, while an experiment goes."""


def tell_nobody(_: object) -> None:
    """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class Telling:
    """Who hears of an experiment."""

    say: Say = tell_nobody
    """Called with a line for people."""
    on_event: OnEvent = tell_nobody
    """Called with every event."""
