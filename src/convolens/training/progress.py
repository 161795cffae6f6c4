"""Showing how a run goes: a live line on a terminal, plain lines elsewhere."""

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from convolens.data import Dataset
from convolens.data.display import LINE_EVERY
from convolens.training.events import EpochDone, Event, RunEnded, RunStarted, StepsDone


class ProgressDisplay:
    """Callback that shows events on standard error; :meth:`close` gives the terminal back."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self.live = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            TextColumn("step {task.completed}/{task.total}"),
            TextColumn("{task.fields[speed]:,.0f} images/s"),
            TextColumn("loss {task.fields[loss]:.3f}"),
            TextColumn("accuracy {task.fields[accuracy]:.1%}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.next_line = time.monotonic() + LINE_EVERY
        self.task = self.live.add_task(
            "training", total=None, start=False, epoch=1, speed=0.0, loss=0.0, accuracy=0.0
        )

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, RunStarted):
            self._say(
                f"training {event.parameters:,} parameters on {event.n_train:,} pictures: "
                f"{event.epochs:g} epochs, {event.steps:,} steps of {event.batch_size}, "
                f"{event.precision} on {event.device}"
            )
            self.live.start()
            self.live.start_task(self.task)
            self.live.update(self.task, total=event.steps)
        elif isinstance(event, StepsDone):
            self.live.update(
                self.task,
                completed=event.step,
                epoch=event.epoch,
                speed=event.images_per_second,
                loss=event.loss,
                accuracy=event.accuracy,
            )
            if not self.console.is_terminal and time.monotonic() >= self.next_line:
                self.next_line = time.monotonic() + LINE_EVERY
                self._say(
                    f"step {event.step:,} of {event.steps:,}: {event.images_per_second:,.0f} "
                    f"images/s, loss {event.loss:.3f}, accuracy {event.accuracy:.1%}, "
                    f"{event.seconds_left:.0f} s left"
                )
        elif isinstance(event, EpochDone):
            self._say(
                f"epoch {event.epoch}: training loss {event.train_loss:.4f}, accuracy "
                f"{event.train_accuracy:.2%}; validation loss {event.val_loss:.4f}, accuracy "
                f"{event.val_accuracy:.2%}{' (best)' if event.best else ''}, "
                f"after {event.seconds:.1f} s"
            )
        elif isinstance(event, RunEnded):
            self.close()
            self._say(
                f"{event.status} in {event.train_seconds:.1f} s; kept epoch {event.best_epoch}"
            )

    def say_problems(self, data: Dataset, problems: Mapping[str, int]) -> None:
        """What was left out, and what the data doctor found at a glance."""
        if data.n_skipped:
            self._say(f"{data.n_used:,} of {data.n_seen:,} files are used")
        if problems:
            found = ", ".join(f"{count:,} {kind}" for kind, count in problems.items())
            self._say(f"problems of the data: {found}; see: convolens data {data.source}")

    def close(self) -> None:
        """Stop drawing; may be called more than once."""
        self.live.stop()

    def _say(self, line: str) -> None:
        self.console.print(line, soft_wrap=True, markup=False)
