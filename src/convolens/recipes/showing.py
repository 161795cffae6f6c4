"""Who is shown what while a data set is read and a run goes."""

from collections.abc import Iterator
from contextlib import contextmanager

from convolens.data import PreparationDisplay
from convolens.data.surveying import OnProgress, silent
from convolens.training import Callback, Event
from convolens.training.progress import Display

SILENT: tuple[bool | str, ...] = (False, "none", "jsonl")
"""Kinds of progress that say nothing while a data set is read."""


@contextmanager
def shown(display: Display | None, on_event: Callback | None) -> Iterator[Callback]:
    """A callback that shows every event and hands it on; the terminal is given back at the end."""

    def tell(event: Event) -> None:
        if display:
            display(event)
        if on_event:
            on_event(event)

    try:
        yield tell
    finally:
        if display:
            display.close()


@contextmanager
def preparation_shown(progress: bool | str) -> Iterator[OnProgress]:
    """What :func:`convolens.data.load_data` takes, to show how far it is."""
    if progress in SILENT:
        yield silent
        return
    with PreparationDisplay() as display:
        yield display
