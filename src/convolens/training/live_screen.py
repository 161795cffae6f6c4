"""Lines on standard error: those that stay, and live ones below them where there is a terminal."""

import sys
from collections.abc import Callable

from rich.console import Console, RenderableType
from rich.live import Live

REDRAWN = 4  # times a second; each takes about a millisecond from the training


class Screen:
    """A place for lines that never fails: when its reader has gone, it falls silent.

    Args:
        draw: what the live lines are, whenever they are drawn.
        console: where to; standard error by default.
        live: whether to draw live lines; None for what the console is.
    """

    def __init__(
        self,
        draw: Callable[[], RenderableType],
        console: Console | None = None,
        *,
        live: bool | None = None,
    ) -> None:
        self.console = console or StandardError(stderr=True, highlight=False)
        self.is_live = self.console.is_terminal if live is None else live
        self._draw = draw
        self._live: Live | None = None

    def say(self, line: str) -> None:
        """Write a line that stays."""
        try:
            self.console.print(line, soft_wrap=True, markup=False)
        except (OSError, ValueError):  # a terminal that is gone, a stream that is closed
            self.console.quiet = True

    def start(self) -> None:
        """Draw the live lines from now on, if there are any."""
        if not self.is_live or self._live:
            return
        self._live = Live(
            get_renderable=self._draw,
            console=self.console,
            refresh_per_second=REDRAWN,
            transient=True,
            # What a callback prints belongs above the live lines, but only on the same terminal:
            # standard output that goes to a file must arrive there.
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )
        try:
            self._live.start()
        except (OSError, ValueError):
            self.console.quiet = True

    def stop(self) -> None:
        """Give the terminal back; may be called more than once."""
        live, self._live = self._live, None
        if live:
            try:
                live.stop()
            except (OSError, ValueError):
                self.console.quiet = True


class StandardError(Console):
    """Of a reader that has gone, rich makes an end of the program; a run goes on."""

    def on_broken_pipe(self) -> None:
        """Fall silent."""
        self.quiet = True


def forced_live() -> Console:
    """Standard error, written to as if it were a terminal."""
    return StandardError(stderr=True, highlight=False, force_terminal=True)
