"""Showing how a run goes: live lines on a terminal, plain lines or JSON lines elsewhere."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Protocol, TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from convolens.config import choose
from convolens.data import Dataset
from convolens.data.corrections import corrections_said
from convolens.data.display import LINE_EVERY
from convolens.training.events import (
    EpochDone,
    Event,
    GraphRefused,
    RunEnded,
    RunResumed,
    RunStarted,
    StepsDone,
    event_to_line,
)
from convolens.training.live_lines import draw_live
from convolens.training.live_screen import Screen, forced_live
from convolens.training.progress_words import (
    end_line,
    epoch_line,
    notices,
    start_line,
    steps_line,
)

FEW_EPOCHS = 10
"""A run of up to so many epochs says each of them."""
LEAST_GAP = 2.0  # seconds between the lines of two epochs of a longer run, however good they are
WORTH_A_LINE = 0.9
"""A best epoch of a longer run is said when its error is at most this times the last one said."""


class Display(Protocol):
    """What shows a run: the callback of its events, and two calls more."""

    def __call__(self, event: Event) -> None:
        """Show one event; never raises."""
        ...

    def say_problems(self, data: Dataset, problems: Mapping[str, int]) -> None:
        """What was left out, and what the data doctor found at a glance."""
        ...

    def close(self) -> None:
        """Stop showing and give the terminal back; may be called more than once."""
        ...


def choose_display(progress: bool | str = True) -> Display | None:
    """The display that somebody asked for; all of them write to standard error.

    Args:
        progress: "auto" or True: live lines on a terminal and plain ones elsewhere; "live" and
            "plain": one of the two wherever it goes; "jsonl": each event as a line of JSON, for
            other programs; "none" or False: nothing.

    Raises:
        ConfigError: another word.

    >>> choose_display("none") is None, type(choose_display("jsonl")).__name__
    (True, 'JsonLines')
    """
    if isinstance(progress, bool):
        progress = "auto" if progress else "none"
    return choose("progress", progress, DISPLAYS)()


class ProgressDisplay:
    """Live lines on a terminal, plain lines elsewhere.

    A run of up to ten epochs says each of them. A longer one says a best epoch when its error is a
    tenth lower than that of the last one said, at most every two seconds, else an epoch when
    nothing was said for ten seconds, and always the last.

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
        self._start: RunStarted | None = None
        self._steps: StepsDone | None = None
        self._told_at = clock()
        self._best: EpochDone | None = None
        self._unsaid: EpochDone | None = None
        self._said = 0
        self._said_at = clock()
        self._error_said = 1.0

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, RunStarted):
            self._begin(event)
        elif isinstance(event, RunResumed | GraphRefused):
            for line in notices(event):
                self._say(line)
        elif isinstance(event, StepsDone):
            self._steps, self._told_at = event, self._clock()
            if not self._screen.is_live and self._silent_for() >= LINE_EVERY:
                self._say(steps_line(event))
        elif isinstance(event, EpochDone):
            self._best = event if event.best else self._best
            self._unsaid = event
            if self._is_worth_a_line(event):
                self._say_epoch(event)
        elif isinstance(event, RunEnded):
            self.close()
            if self._unsaid:
                self._say_epoch(self._unsaid)
            self._say(end_line(event, self._best))

    def say_problems(self, data: Dataset, problems: Mapping[str, int]) -> None:
        """What was left out, and what the data doctor found at a glance."""
        if data.n_skipped:
            self._say(f"{data.n_used:,} of {data.n_seen:,} files are used")
        for line in corrections_said(data.problems):
            self._say(line)
        others = {kind: count for kind, count in problems.items() if kind != "corrected"}
        if others:
            found = ", ".join(f"{count:,} {kind}" for kind, count in others.items())
            self._say(f"problems of the data: {found}; see: convolens data {data.source}")

    def close(self) -> None:
        """Stop drawing; may be called more than once."""
        self._screen.stop()

    def _begin(self, event: RunStarted) -> None:
        self.close()
        self._start, self._steps, self._best, self._unsaid = event, None, None, None
        self._said, self._error_said, self._told_at = 0, 1.0, self._clock()
        self._say(start_line(event))
        self._screen.start()

    def _draw(self) -> RenderableType:
        if self._start is None:
            return Text()
        left = self._steps.seconds_left if self._steps else self._start.seconds_expected
        if left is not None:
            left -= self._clock() - self._told_at
        return draw_live(self._start, self._steps, self._best, left, self._screen.console.width)

    def _is_worth_a_line(self, event: EpochDone) -> bool:
        short = self._start is not None and self._start.epochs <= FEW_EPOCHS
        if short and self._said < FEW_EPOCHS:
            return True
        silent = self._silent_for()
        better = event.best and 1 - event.val_accuracy <= WORTH_A_LINE * self._error_said
        return silent >= LINE_EVERY or (better and silent >= LEAST_GAP)

    def _say_epoch(self, event: EpochDone) -> None:
        self._unsaid = None
        self._said += 1
        self._error_said = min(self._error_said, 1 - event.val_accuracy)
        self._say(epoch_line(event))

    def _silent_for(self) -> float:
        return self._clock() - self._said_at

    def _say(self, line: str) -> None:
        self._said_at = self._clock()
        self._screen.say(line)


class JsonLines:
    """Every event as a line of JSON, as in ``metrics.jsonl``, for programs that start a training.

    Before the first event comes a line of the data, with "event": "data_checked".

    Args:
        stream: where to; standard error by default, which leaves standard output to the result.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._gone = False

    def __call__(self, event: Event) -> None:
        """Write one event; a reader that has gone does not end the run."""
        self._write(event_to_line(event))

    def say_problems(self, data: Dataset, problems: Mapping[str, int]) -> None:
        """Write what was left out, and what the data doctor found at a glance."""
        found = {"seen": data.n_seen, "used": data.n_used, "problems": dict(problems)}
        self._write(json.dumps({"event": "data_checked", **found}) + "\n")
        for line in corrections_said(data.problems):
            self.say(line)

    def say(self, line: str) -> None:
        """Write a line for people, with "event": "message"."""
        self._write(json.dumps({"event": "message", "text": line}) + "\n")

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, line: str) -> None:
        if self._gone:
            return
        stream = self._stream or sys.stderr
        try:
            stream.write(line)
            stream.flush()
        except (OSError, ValueError):
            self._gone = True


DISPLAYS: dict[str, Callable[[], Display | None]] = {
    "auto": ProgressDisplay,
    "live": lambda: ProgressDisplay(forced_live(), live=True),
    "plain": lambda: ProgressDisplay(live=False),
    "jsonl": JsonLines,
    "none": lambda: None,
}
"""What ``convolens train --progress`` takes."""
