"""Reading many picture files on all cores, in processes that can be given up on."""

import os
import queue
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from convolens.config import check_whole
from convolens.images.fitting import Fitting
from convolens.images.limits import ImageLimits
from convolens.images.reader_process import ProcessLost, ProcessStopped, ReaderProcess

_AHEAD = 48  # pictures that a process is given before it has answered; bounds what is lost with it
_EMBEDDED_AHEAD = 4  # likewise of pictures whose bytes go through the pipe
_ANSWERS_AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingTask:
    """One picture to read."""

    number: int
    """By which its answer is known."""
    name: str
    """What to call it in a message."""
    path: str | None = None
    """Its file; or else"""
    content: bytes | None = None
    """its bytes."""
    row: int = 0
    """Where its pixels go, counted in pictures."""
    sha256: str = ""
    """What the content has to be, in hexadecimal digits; for fitting alone."""


def count_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def survey_pictures(
    tasks: Iterable[ReadingTask], limits: ImageLimits, *, workers: int | None = None
) -> Iterator[tuple[int, list[Any]]]:
    """The head and the SHA-256 of every picture.

    Args:
        tasks: the pictures; taken one at a time, as they are needed.
        limits: what each may be at most.
        workers: processes; as many as there are cores if None.

    Yields:
        (number, ["", sha256, format, height, width, channels, frames]), or (number, [kind, reason])
        for a picture that cannot be used, in the order in which they are done.
    """
    return _run(tasks, {"work": "survey", "limits": asdict(limits)}, limits, workers)


def fit_pictures(
    tasks: Iterable[ReadingTask],
    limits: ImageLimits,
    fitting: Fitting,
    output: str,
    offset: int,
    *,
    workers: int | None = None,
) -> Iterator[tuple[int, list[Any]]]:
    """Decode every picture, fit it, and write its pixels to its row of a file.

    Args:
        tasks: the pictures, with the row and the SHA-256 of each.
        limits: what each may be at most.
        fitting: size, channels and policy.
        output: a file that is large enough already.
        offset: of row 0 in it.
        workers: processes; as many as there are cores if None.

    Yields:
        (number, ["", CRC-32 of the pixels]), or (number, [kind, reason]); a row whose picture
        cannot be used holds nothing of use.
    """
    setup = {
        "work": "fit",
        "limits": asdict(limits),
        "fitting": {
            "height": fitting.height,
            "width": fitting.width,
            "channels": fitting.channels,
            "policy": fitting.policy,
        },
        "output": output,
        "offset": offset,
        "row_bytes": fitting.height * fitting.width * fitting.channels,
    }
    return _run(tasks, setup, limits, workers)


def _run(
    tasks: Iterable[ReadingTask], setup: dict[str, Any], limits: ImageLimits, workers: int | None
) -> Iterator[tuple[int, list[Any]]]:
    n_workers = count_cores() if workers is None else workers
    check_whole("workers", n_workers, 1, 1024)
    shared = _Tasks(iter(tasks))
    answers: queue.Queue[list[tuple[int, list[Any]]] | BaseException | None] = queue.Queue(
        maxsize=64
    )
    drivers = [_Driver(shared, answers, setup, limits) for _ in range(n_workers)]
    for driver in drivers:
        driver.start()
    running = n_workers
    try:
        while running:
            item = answers.get()
            if item is None:
                running -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield from item
    finally:
        shared.close()
        for driver in drivers:
            driver.stop()
        while any(driver.is_alive() for driver in drivers):
            with suppress(queue.Empty):  # a driver that waits for room in the queue
                answers.get(timeout=0.05)


class _Tasks:
    """The tasks, handed out to several threads."""

    def __init__(self, tasks: Iterator[ReadingTask]) -> None:
        self._tasks = tasks
        self._lock = threading.Lock()
        self._closed = False

    def take(self) -> ReadingTask | None:
        with self._lock:
            return None if self._closed else next(self._tasks, None)

    def close(self) -> None:
        with self._lock:
            self._closed = True


class _Driver(threading.Thread):
    """Feeds one process, and starts another when it is lost."""

    def __init__(
        self,
        tasks: _Tasks,
        answers: "queue.Queue[Any]",
        setup: dict[str, Any],
        limits: ImageLimits,
    ) -> None:
        super().__init__(daemon=True)
        self._tasks = tasks
        self._answers = answers
        self._process = ReaderProcess(setup, limits)
        self._waiting: deque[ReadingTask] = deque()  # sent, not answered
        self._again: deque[ReadingTask] = deque()  # sent to a process that was lost
        self._suspect: ReadingTask | None = None  # a process crashed, perhaps because of it

    def run(self) -> None:
        """Until there are no more tasks; the last item in the queue is None."""
        try:
            self._work()
        except ProcessStopped:
            pass
        except BaseException as error:  # noqa: BLE001 - goes to the thread that asked
            self._answers.put(error)
        finally:
            self._process.end()
            self._answers.put(None)

    def stop(self) -> None:
        """From another thread: at once."""
        self._process.stop()

    def _work(self) -> None:
        done: list[tuple[int, list[Any]]] = []
        while True:
            try:
                self._feed()
                if not self._waiting:
                    break
                answer = self._process.receive()
            except ProcessLost as lost:
                if not self._blamed(lost):
                    continue
                answer = [lost.kind, lost.reason]
            done.append((self._waiting.popleft().number, answer))
            if len(done) >= _ANSWERS_AT_ONCE:
                self._answers.put(done)
                done = []
        if done:
            self._answers.put(done)

    def _blamed(self, lost: ProcessLost) -> bool:
        """Whether the first picture without an answer is what the process died of.

        Its timer runs during a picture alone, but what else ends a process may come from outside
        or between two pictures: the same picture has to be there twice. All others are sent again.
        """
        first = self._waiting.popleft()
        self._again.extendleft(reversed(self._waiting))
        self._waiting.clear()
        if lost.kind == "too_slow" or first is self._suspect:
            self._waiting.append(first)
            return True
        self._suspect = first
        self._again.appendleft(first)
        return False

    def _feed(self) -> None:
        while self._room():
            task = self._again.popleft() if self._again else self._tasks.take()
            if task is None:
                break
            self._waiting.append(task)
            message: dict[str, Any] = {"name": task.name, "row": task.row, "sha256": task.sha256}
            if task.content is None:
                message["path"] = task.path
            self._process.send(message, task.content)
        self._process.flush()

    def _room(self) -> bool:
        embedded = bool(self._waiting) and self._waiting[-1].content is not None
        return len(self._waiting) < (_EMBEDDED_AHEAD if embedded else _AHEAD)
