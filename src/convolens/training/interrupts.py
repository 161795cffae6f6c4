"""Stopping cleanly on Ctrl-C or a termination signal."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None]


class StopRequest:
    """Whether the user asked to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """While the block runs, the first Ctrl-C or SIGTERM only sets ``asked``; a second one raises.

    An interrupt between any two Python instructions could leave the weights half updated. Outside
    the main thread, where signals cannot be handled, nothing is changed.
    """
    request = StopRequest()

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if request.asked:
            raise KeyboardInterrupt
        request.asked = True

    with _handling(handle, signal.SIGINT, signal.SIGTERM):
        yield request


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """While the block runs, SIGTERM raises what Ctrl-C does, so that a run's end is recorded."""

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    with _handling(handle, signal.SIGTERM):
        yield


@contextmanager
def _handling(handle: Handler, *numbers: signal.Signals) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
