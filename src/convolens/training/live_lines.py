"""The two live lines of a run, made to fit any width."""

import math

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from convolens.training.events import EpochDone, RunStarted, StepsDone
from convolens.training.progress_words import duration, finite

_BETWEEN = "  "


def draw_live(
    started: RunStarted,
    now: StepsDone | None,
    best: EpochDone | None,
    seconds_left: float | None,
    width: int,
) -> RenderableType:
    """Epoch, bar and time left above; speed, loss, accuracy and learning rate below.

    What does not fit the width is left out, from the end of the second line; the epoch, the time
    left and as much of the bar as there is room for always stay.

    Args:
        started: the run's first event.
        now: the last that is known of its steps; None before the first.
        best: its best epoch so far, if any.
        seconds_left: of the whole run; None where nobody knows.
        width: columns.
    """
    return draw_lines(
        epoch_words(started, now),
        share_done(started, now),
        seconds_left,
        figures_line(now, best, width),
    )


def draw_lines(
    title: str, share: float | None, seconds_left: float | None, below: str
) -> RenderableType:
    """A title, a bar and the time left on one line, and a line below.

    Args:
        title: what goes on.
        share: how much of it is done, 0..1; None where nobody knows, and then there is no bar.
        seconds_left: until its end; None where nobody knows.
        below: cut off where it is longer than the width.
    """
    left = "" if seconds_left is None else f"{duration(seconds_left)} left"
    above = Table.grid(padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    above.add_column(no_wrap=True)
    above.add_column(ratio=1)
    above.add_column(no_wrap=True)
    bar = Text() if share is None else ProgressBar(total=1.0, completed=share)
    above.add_row(title, bar, left)
    return Group(above, Text(below, no_wrap=True, overflow="ellipsis"))


def share_done(started: RunStarted, now: StepsDone | None) -> float:
    """The share of a run's steps that are done, 0..1."""
    done, steps = (now.step, now.steps) if now else (0, started.steps)
    return min(max(0, done), max(1, steps)) / max(1, steps)


def epoch_words(started: RunStarted, now: StepsDone | None) -> str:
    """Such as "epoch 3 of 10"; a run whose steps are planned anew has other epochs, too."""
    epoch, epochs = (now.epoch, started.epochs) if now else (1, started.epochs)
    if now and started.steps > 0:
        epochs = epochs * now.steps / started.steps
    if not math.isfinite(epochs):
        return f"epoch {epoch}"
    return f"epoch {epoch} of {max(epoch, math.ceil(epochs - 1e-6))}"


def figures_line(now: StepsDone | None, best: EpochDone | None, width: int) -> str:
    """Speed, loss, accuracy and learning rate, as much as the width has room for."""
    if now is None:
        return "the first steps"
    parts = [
        f"{finite(now.images_per_second):,.0f} images/s",
        f"loss {now.loss:.3f}",
        f"accuracy {now.accuracy:.1%}",
        f"learning rate {now.learning_rate:.2g}",
    ]
    if len(_BETWEEN.join(parts)) > width:
        parts[-1] = f"rate {now.learning_rate:.2g}"
    if best is not None:
        parts.append(f"best on validation {best.val_accuracy:.1%} (epoch {best.epoch})")
    while len(parts) > 1 and len(_BETWEEN.join(parts)) > width:
        parts.pop()
    return _BETWEEN.join(parts)
