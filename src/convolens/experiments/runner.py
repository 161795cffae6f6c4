"""Doing jobs: one after the other here, or several at once in processes of their own."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from types import FrameType
from typing import Any

import torch

from convolens import errors
from convolens.config import check_whole
from convolens.errors import ConvolensError
from convolens.experiments.events import OnEvent, RunTold
from convolens.experiments.folder import SHARED
from convolens.experiments.jobs import Job, Outcome, Workbench
from convolens.experiments.recipe_files import as_json
from convolens.files import write_json
from convolens.training import Callback, Event
from convolens.training.events import event_from_dict

WORK = "work.json"
READY = {"ready": True}
_PATIENCE = 20.0  # seconds that a process gets to end in order once it was asked to

Ended = Callable[[Job, Outcome], None]
HandOut = Callable[[Job], Job]


def run_jobs(
    bench: Workbench,
    jobs: Sequence[Job],
    *,
    at_once: int = 1,
    hand_out: HandOut = lambda job: job,
    on_start: Callable[[Job], None] = lambda _: None,
    on_end: Ended = lambda _, __: None,
    on_event: OnEvent = lambda _: None,
) -> bool:
    """Do all jobs.

    Args:
        bench: what they have in common.
        jobs: in this order; where several run at once, each process takes the next one.
        at_once: 1 does them in this process, on all of its threads; more in as many processes,
            which share the threads evenly unless a job has a number of its own.
        hand_out: called with each job when its turn comes, and gives it back with its time; in
            order, by one at a time.
        on_start: called with each job that begins.
        on_end: called with each job that ended, in the order in which they do.
        on_event: called with every event of each run; of those in other processes each comes in a
            ``RunTold``.

    Returns:
        Whether all were done; False after Ctrl-C or SIGTERM, when every process has ended.

    Raises:
        ConfigError: ``at_once`` is below 1.
        ConvolensError: what the first job that failed raised, with the job's name. The others are
            stopped.
        RuntimeError: a process died, or an error of another kind; with the job's name.
    """
    check_whole("at_once", at_once, 1, 1024)
    if at_once == 1 or not jobs:
        return _one_by_one(bench, jobs, hand_out, on_start, on_end, on_event)
    # As many threads a run as was asked for, even if fewer runs are left: the bits depend on it.
    threads = max(1, torch.get_num_threads() // at_once)
    crew = _Crew(bench, jobs, hand_out, min(at_once, len(jobs)), threads)
    return crew.work(on_start, on_end, on_event)


def _one_by_one(
    bench: Workbench,
    jobs: Sequence[Job],
    hand_out: HandOut,
    on_start: Callable[[Job], None],
    on_end: Ended,
    on_event: Callback,
) -> bool:
    for number, job in enumerate(jobs, 1):
        on_start(job)
        outcome = bench.do(hand_out(job), on_event)
        if outcome.status != "completed":
            return False
        on_end(job, outcome)
        if outcome.stop_asked:
            return number == len(jobs)
    return True


class _Crew:
    """Processes that take jobs until there are none."""

    def __init__(
        self, bench: Workbench, jobs: Sequence[Job], hand_out: HandOut, size: int, threads: int
    ) -> None:
        self._waiting = deque(jobs)
        self._hand_out = hand_out
        self._lock = threading.Lock()
        self._said: queue.Queue[tuple[str, Job | None, Any]] = queue.Queue()
        self._bench = bench
        self._size = size
        self._threads = threads
        self._workers: list[_Worker] = []

    def work(self, on_start: Callable[[Job], None], on_end: Ended, on_event: OnEvent) -> bool:
        """Until all jobs are done, or one fails."""
        shared = self._bench.folder / SHARED
        self._bench.material.share(shared)
        work = {
            "recipe": as_json(self._bench.recipe),
            "problems": self._bench.problems,
            "options": self._bench.options.to_dict(),
        }
        write_json(shared / WORK, work)
        try:
            with _termination_interrupts():
                for _ in range(self._size):
                    self._workers.append(_Worker(str(self._bench.folder), self._threads))
                for worker in self._workers:
                    threading.Thread(target=self._serve, args=(worker,), daemon=True).start()
                return self._listen(on_start, on_end, on_event)
        except KeyboardInterrupt:
            return False
        finally:
            self._end()

    def _listen(self, on_start: Callable[[Job], None], on_end: Ended, on_event: OnEvent) -> bool:
        running = self._size
        while running:
            what, job, content = self._said.get()
            if what == "free":
                running -= 1
                continue
            assert job is not None
            if what == "start":
                on_start(job)
            elif what == "told":
                on_event(RunTold(job=job.name, told=content))
            elif what == "end":
                if content.status != "completed":
                    return False
                on_end(job, content)
            else:
                raise content
        return True

    def _serve(self, worker: "_Worker") -> None:
        """Hand jobs to one process; in a thread."""
        worker.wait_until_ready()
        while True:
            with self._lock:
                if not self._waiting:
                    break
                job = self._waiting.popleft()
                timed = self._hand_out(job)
            self._said.put(("start", job, None))
            try:
                self._said.put(("end", job, worker.ask(timed, partial(self._tell, job))))
            except BaseException as error:  # noqa: BLE001 - goes to the thread that waits
                self._said.put(("error", job, error))
                break
        worker.stop()  # it has nothing more to do
        self._said.put(("free", None, None))

    def _tell(self, job: Job, event: Event) -> None:
        self._said.put(("told", job, event))

    def _end(self) -> None:
        """No process is left when this returns, or raises."""
        with self._lock:
            self._waiting.clear()
        try:
            for worker in self._workers:
                worker.stop()
            for worker in self._workers:
                worker.wait(_PATIENCE)
        finally:  # a second Ctrl-C arrives above
            for worker in self._workers:
                worker.kill()


class _Worker:
    """One process of :mod:`convolens.experiments.worker`."""

    def __init__(self, folder: str, threads: int) -> None:
        # -P: nothing is imported from the current folder. A session of its own: Ctrl-C in a
        # terminal reaches the parent alone, which decides.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "convolens.experiments.worker", folder, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            start_new_session=True,
        )
        self._idle = True

    def wait_until_ready(self) -> None:
        """Until it can take jobs; or has ended, which shows when it is asked."""
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def ask(self, job: Job, tell: Callback) -> Outcome:
        """Have a job done, and hear its events; the errors are those of :func:`run_jobs`."""
        assert self._process.stdin is not None
        self._idle = False
        with suppress(OSError, ValueError):  # that it has ended shows below
            self._process.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
            self._process.stdin.flush()
        while "told" in (answer := self._heard(job)):
            tell(event_from_dict(answer["told"]))
        self._idle = True
        if "error" in answer:
            raise _error(answer["kind"], answer["error"])
        return Outcome(**answer)

    def _heard(self, job: Job) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise RuntimeError(_death(job, self._process.wait()))
        return json.loads(line)

    def stop(self) -> None:
        """Ask it to end: after the step that it is at, or at once if it has nothing to do."""
        if self._idle and self._process.stdin is not None:
            with suppress(OSError, ValueError):
                self._process.stdin.close()
        elif self._process.poll() is None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Until it has ended, or the time is over."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def kill(self) -> None:
        """End it now, if it has not."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that no child is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _death(job: Job, status: int) -> str:
    how = f"with status {status}"
    if status < 0:
        how = f"by signal {-status}"
        with suppress(ValueError):
            how += f" ({signal.Signals(-status).name})"
    return (
        f"the process of {job.name} ended {how}, perhaps for want of memory; the same command goes "
        "on with what is not done, and with at_once 1 needs the least memory"
    )


def _error(kind: str, message: str) -> Exception:
    cls = getattr(errors, kind, None)
    if isinstance(cls, type) and issubclass(cls, ConvolensError):
        return cls(message)
    return RuntimeError(f"{message} ({kind})")
