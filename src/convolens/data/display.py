"""How far the reading of a data set is: a live line on a terminal, plain lines elsewhere."""

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

LINE_EVERY = 10.0  # seconds between two plain lines where there is no terminal


class PreparationDisplay:
    """Shows how far the reading of a data set is; use it in a ``with`` statement."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self.live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.tasks: dict[str, TaskID] = {}
        self.next_line = time.monotonic() + LINE_EVERY

    def __enter__(self) -> "PreparationDisplay":
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def __call__(self, what: str, done: int, n: int) -> None:
        """Show that so many of n are done."""
        if what not in self.tasks:
            self.tasks[what] = self.live.add_task(what, total=n)
        self.live.update(self.tasks[what], completed=done, total=n)
        if not self.console.is_terminal and time.monotonic() >= self.next_line:
            self.next_line = time.monotonic() + LINE_EVERY
            self.console.print(f"{what}: {done:,} of {n:,}", soft_wrap=True, markup=False)
