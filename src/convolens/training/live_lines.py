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
    left = "" if seconds_left is None else f"{duration(seconds_left)} left"
    above = Table.grid(padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    above.add_column(no_wrap=True)
    above.add_column(ratio=1)
    above.add_column(no_wrap=True)
    done, steps = (now.step, now.steps) if now else (0, started.steps)
    bar = ProgressBar(total=max(1, steps), completed=min(max(0, done), max(1, steps)))
    above.add_row(_epoch(started, now), bar, left)
    return Group(above, Text(_figures(now, best, width), no_wrap=True, overflow="ellipsis"))


def _epoch(started: RunStarted, now: StepsDone | None) -> str:
    """Such as "epoch 3 of 10"; a run whose steps are planned anew has other epochs, too."""
    epoch, epochs = (now.epoch, started.epochs) if now else (1, started.epochs)
    if now and started.steps > 0:
        epochs = epochs * now.steps / started.steps
    if not math.isfinite(epochs):
        return f"epoch {epoch}"
    return f"epoch {epoch} of {max(epoch, math.ceil(epochs - 1e-6))}"


def _figures(now: StepsDone | None, best: EpochDone | None, width: int) -> str:
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
