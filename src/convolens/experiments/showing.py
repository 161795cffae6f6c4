"""Showing how an experiment goes: which run of how many, and the time left of the whole."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from rich.console import Console, RenderableType

from convolens.config import choose
from convolens.data.display import LINE_EVERY
from convolens.data.surveying import OnProgress
from convolens.experiments.events import ExperimentEvent, JobEnded, JobStarted, RunTold
from convolens.recipes.showing import preparation_shown
from convolens.training.events import EpochDone, RunStarted, StepsDone, event_to_line
from convolens.training.live_lines import draw_lines, epoch_words, figures_line, share_done
from convolens.training.live_screen import Screen, forced_live
from convolens.training.progress import JsonLines
from convolens.training.progress_words import steps_line

if TYPE_CHECKING:
    from convolens.training import Event


class Display(Protocol):
    """What shows an experiment: the callback of its events, and two calls more."""

    def __call__(self, event: ExperimentEvent) -> None:
        """Show one event; never raises."""
        ...

    def say(self, line: str) -> None:
        """Say a line for people."""
        ...

    def close(self) -> None:
        """Give the terminal back; may be called more than once."""
        ...


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What an experiment takes, so that it is shown."""

    say: Callable[[str], None]
    """A line for people."""
    on_event: Callable[[ExperimentEvent], None]
    """Every event."""
    on_progress: OnProgress
    """How far the reading of the data set is."""


@contextmanager
def experiment_shown(progress: bool | str = True) -> Iterator[Shown]:
    """Show an experiment on standard error while the block runs.

    Args:
        progress: as for :func:`convolens.train`.

    Raises:
        ConfigError: another word.
    """
    if isinstance(progress, bool):
        progress = "auto" if progress else "none"
    display = choose("progress", progress, DISPLAYS)()
    with ExitStack() as stack, ExitStack() as preparing:
        stack.callback(display.close)
        on_progress = preparing.enter_context(preparation_shown(progress))

        def say(line: str) -> None:
            preparing.close()  # one live line at a time
            display.say(line)

        def tell(event: ExperimentEvent) -> None:
            preparing.close()
            display(event)

        yield Shown(say=say, on_event=tell, on_progress=on_progress)


@dataclass(kw_only=True)
class _Run:
    """What is known of the run that goes on."""

    job: str
    begun: float
    started: RunStarted | None = None
    steps: StepsDone | None = None
    best: EpochDone | None = None
    shown: float = 0.0
    """When a line was said of it."""
    told: float = 0.0
    """When its steps were told."""

    @property
    def ends(self) -> float:
        """When it will, by what its last steps said."""
        return self.told + (self.steps.seconds_left if self.steps else 0.0)

    def take(self, event: ExperimentEvent, now: float) -> None:
        """Count in what it told."""
        if isinstance(event, RunStarted):
            self.started, self.steps, self.best = event, None, None
        elif isinstance(event, StepsDone):
            self.steps, self.told = event, now
        elif isinstance(event, EpochDone) and event.best:
            self.best = event


@dataclass(kw_only=True)
class Position:
    """Where an experiment is, from what it told: for the bar, and for the time left.

    The time left is what its budget has, if it has one; else what the run has left and, for each
    later one, what those before took, or this one. Of several at once the slowest counts.
    """

    clock: Callable[[], float]
    told: JobStarted | JobEnded | None = None
    """The last of these events."""
    at: float = 0.0
    """When it was."""
    runs: dict[str, _Run] = field(default_factory=dict[str, _Run])
    """Those that go on, by their names; several where each has a process of its own."""
    alike: bool = True

    def take(self, event: ExperimentEvent) -> None:
        """Count an event in."""
        now = self.clock()
        if isinstance(event, JobStarted | JobEnded):
            self.told, self.at = event, now
            if isinstance(event, JobStarted):
                self.runs[event.job] = _Run(job=event.job, begun=now)
                self.alike = event.alike
            else:
                self.runs.pop(event.job, None)
            return
        event, run = self.whose(event)
        if run is not None:
            run.take(event, now)

    def whose(self, event: ExperimentEvent) -> tuple[ExperimentEvent, _Run | None]:
        """What a run told, and which; a bare event is of the only one that goes on."""
        if isinstance(event, RunTold):
            return event.told, self.runs.get(event.job)
        runs = self.going_on()
        return event, runs[0] if len(runs) == 1 else None

    def going_on(self) -> list[_Run]:
        """The runs that go on."""
        return list(self.runs.values())  # at once: a thread draws while they do

    def share(self) -> float | None:
        """How much of the whole is done, 0..1; None where nobody knows how much it is."""
        if self.told is None or not self.told.jobs:
            return None
        own = [share_done(run.started, run.steps) for run in self.going_on() if run.started]
        return min(1.0, (self.told.done + sum(own) * self.alike) / self.told.jobs)

    def seconds_left(self) -> float | None:
        """Of the whole; None where nobody knows."""
        told, now = self.told, self.clock()
        if told is None:
            return None
        if told.seconds_left is not None:
            return told.seconds_left - (now - self.at)
        if told.jobs is None:
            return None
        runs, each = self.going_on(), told.seconds_each
        known = [run for run in runs if run.steps is not None]
        if not known or len(known) < len(runs) or not self.alike:
            rounds = math.ceil((told.jobs - told.done) / told.at_once)
            return None if each is None else each * rounds - (now - self.at)
        left = max(run.ends - now for run in known)
        if each is None:
            each = max(run.ends - run.begun for run in known)
        return left + each * math.ceil((told.jobs - told.done - len(runs)) / told.at_once)


class ExperimentDisplay:
    """Two live lines on a terminal, and the lines that stay; without one, plain lines.

    Above which run of how many goes on, a bar and the time left of the whole; below the epoch of
    the run, with its figures as :class:`convolens.training.progress.ProgressDisplay` shows them.

    Args:
        console: where to; standard error by default.
        live: whether to draw live lines; None for what the console is.
        clock: seconds from any fixed moment, as ``time.monotonic``.
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        live: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._screen = Screen(self._draw, console, live=live)
        self._clock = clock
        self._position = Position(clock=clock)
        self._said_at = clock()

    def __call__(self, event: ExperimentEvent) -> None:
        """Show one event."""
        self._position.take(event)
        if isinstance(event, JobStarted):
            self._screen.start()
            return
        event, run = self._position.whose(event)
        if run is not None and isinstance(event, StepsDone) and not self._screen.is_live:
            # Of several at once each is told in turn.
            others = [other.shown for other in self._position.going_on() if other is not run]
            silent = self._clock() - self._said_at
            if silent >= LINE_EVERY and run.shown <= min(others, default=run.shown):
                run.shown = self._clock()
                self.say(f"{run.job}: {steps_line(event)}")

    def say(self, line: str) -> None:
        """Say a line that stays."""
        self._said_at = self._clock()
        self._screen.say(line)

    def close(self) -> None:
        """Stop drawing; may be called more than once."""
        self._screen.stop()

    def _draw(self) -> RenderableType:
        position, width = self._position, self._screen.console.width
        runs, told = position.going_on(), position.told
        several = len(runs) > 1
        below: list[str] = []
        for run in runs:
            if run.started:
                words = f"{run.job}  " * several + f"{epoch_words(run.started, run.steps)}  "
                below.append(words + figures_line(run.steps, run.best, width - len(words)))
        if not below and told is not None and told.jobs is not None:
            below = [f"{told.done} of {told.jobs} done"]
        title = f"{len(runs)} at once" if several else runs[0].job if runs else "finishing"
        return draw_lines(title, position.share(), position.seconds_left(), "\n".join(below))


class ExperimentLines(JsonLines):
    """Every event as a line of JSON, and every line for people as one, for other programs."""

    def __call__(self, event: ExperimentEvent) -> None:
        """Write one event; of several runs at once each says which it is of."""
        if isinstance(event, RunTold):
            self._write(event_to_line(event.told, job=event.job))
        else:
            super().__call__(cast("Event", event))


class Silent:
    """Nothing."""

    def __call__(self, event: ExperimentEvent) -> None:
        """Show nothing."""

    def say(self, line: str) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Nothing is held open."""


DISPLAYS: dict[str, Callable[[], Display]] = {
    "auto": ExperimentDisplay,
    "live": lambda: ExperimentDisplay(forced_live(), live=True),
    "plain": lambda: ExperimentDisplay(live=False),
    "jsonl": ExperimentLines,
    "none": Silent,
}
"""What ``--progress`` of an experiment's command takes."""
