"""The process that does jobs for :mod:`convolens.experiments.runner`.

It says that it is ready, which takes seconds: no run's time is to go into that. Then it maps what
the parent shares, reads one job a line and answers each with lines of JSON: one for every event of
its run, and one for what became of it. It ends when there are no more jobs; and at once when the
parent is gone.
"""

import json
import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import torch

from convolens.errors import ConfigError, ConvolensError
from convolens.experiments.folder import SHARED
from convolens.experiments.jobs import Job, Outcome, RunOptions, Workbench
from convolens.experiments.material import open_material
from convolens.experiments.recipe_files import from_json
from convolens.experiments.runner import READY, WORK
from convolens.files import read_json
from convolens.training import Event
from convolens.training.events import event_to_dict


class _Requests:
    """Lines from the parent. That there are no more during a job means that the parent is gone."""

    def __init__(self, source: BinaryIO) -> None:
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._source = source
        self.busy = False
        threading.Thread(target=self._read, daemon=True).start()

    def take(self) -> bytes | None:
        """The next line; None when there are no more."""
        return self._lines.get()

    def _read(self) -> None:
        for line in self._source:
            self.busy = True
            self._lines.put(line)
        if self.busy:
            # Nobody waits for the result. Whatever is being written is written beside its place.
            os._exit(1)
        self._lines.put(None)


def main(folder: Path, threads: int) -> None:
    """Serve the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and says so by SIGTERM
    torch.set_num_threads(threads)
    answers = os.fdopen(os.dup(1), "wb")
    # Nothing that a library prints may be taken for an answer.
    os.dup2(2, 1)
    requests = _Requests(sys.stdin.buffer)
    _answer(answers, READY)
    bench: Workbench | None = None

    def tell(event: Event) -> None:
        _answer(answers, {"told": event_to_dict(event)})

    while (line := requests.take()) is not None:
        job = Job(**json.loads(line))
        try:
            bench = bench or _bench(folder)
            torch.set_num_threads(job.threads or threads)
            answer: dict[str, Any] = asdict(bench.do(job, tell))
        except KeyboardInterrupt:  # what SIGTERM is turned into while a run is trained
            answer = asdict(Outcome(status="interrupted"))
        except ConvolensError as error:
            answer = {"kind": type(error).__name__, "error": str(error)}
        except Exception as error:  # noqa: BLE001 - the parent says it, in one line
            answer = {"kind": type(error).__name__, "error": f"{job.name}: {error}"}
        requests.busy = False
        _answer(answers, answer)


def _answer(answers: BinaryIO, content: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):
        answers.write(json.dumps(content).encode() + b"\n")
        answers.flush()


def _bench(folder: Path) -> Workbench:
    work = read_json(folder / SHARED / WORK, error=ConfigError)
    return Workbench(
        open_material(folder / SHARED),
        from_json(work["recipe"], source="recipe"),
        folder,
        work["problems"],
        RunOptions(**work["options"]),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
