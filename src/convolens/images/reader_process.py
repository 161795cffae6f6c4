"""One process that reads pictures, as seen by the one that started it."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from convolens.images.limits import ImageLimits


class ProcessLost(Exception):  # noqa: N818 - an event, and a picture's fault rather than an error
    """The process ended over a picture."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = f"{reason}; it is given up on"


class ProcessStopped(Exception):  # noqa: N818 - likewise
    """The process was stopped on purpose."""


class ReaderProcess:
    """A process of :mod:`convolens.images.worker`, started at its first use and after each loss."""

    def __init__(self, setup: dict[str, Any], limits: ImageLimits) -> None:
        self._setup = setup
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def send(self, message: dict[str, Any], content: bytes | None) -> None:
        """A message, and the bytes that belong to it.

        That the process has ended is no error here but in :meth:`receive`, once all that it had
        answered is taken: else a picture that it was done with would be blamed for its end.

        Raises:
            RuntimeError: no process can be started.
            ProcessStopped: :meth:`stop` was called.
        """
        if content is not None:
            message = {**message, "bytes": len(content)}
        requests = self._pipes()[0]
        with suppress(OSError):
            requests.write(json.dumps(message).encode() + b"\n" + (content or b""))

    def flush(self) -> None:
        """Let the process have what was sent."""
        if self._process is not None:
            requests = self._pipes()[0]
            with suppress(OSError):
                requests.flush()

    def receive(self) -> list[Any]:
        """The next answer.

        Raises:
            ProcessLost: the process has ended, and everything that it answered was received.
            ProcessStopped: :meth:`stop` was called.
            OSError: it could not write what it had made.
        """
        line = self._pipes()[1].readline()
        if not line.endswith(b"\n"):
            raise self._loss()
        answer: list[Any] = json.loads(line)
        if answer[0] == "failed":
            raise OSError(answer[1])
        return answer

    def stop(self) -> None:
        """End it at once and for good; any thread may call this."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def end(self) -> int:
        """Wait until it has ended, which it does when nothing more can come; its exit status."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return 0
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            return process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        with self._lock:
            if self._stopped:
                raise ProcessStopped
            process, fresh = self._process, self._process is None
            if process is None:
                process = self._process = _start(self._limits)
        assert process.stdin is not None
        assert process.stdout is not None
        if fresh:
            self._greet(process.stdin, process.stdout)
        return process.stdin, process.stdout

    def _greet(self, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        with suppress(OSError):
            stdin.write(json.dumps(self._setup).encode() + b"\n")
            stdin.flush()
        if stdout.readline() == b"ready\n":
            return
        with self._lock:
            if self._stopped:
                raise ProcessStopped
        raise RuntimeError(
            "the process that reads pictures cannot be started; see what it says: "
            f"{sys.executable} -P -m convolens.images.worker < {os.devnull}"
        )

    def _loss(self) -> Exception:
        status = self.end()
        with self._lock:
            if self._stopped:
                return ProcessStopped()
        if status == _LATE:
            return ProcessLost("too_slow", f"takes longer than {self._limits.seconds:g} s to read")
        if hasattr(signal, "SIGKILL") and status == -signal.SIGKILL:
            return ProcessLost("crashed", "its reader was killed, as happens when memory is short")
        return ProcessLost("crashed", f"its reader crashed (exit status {status})")


# How a process ends that its own timer has ended; that of faulthandler, elsewhere, exits with 1.
_LATE = -signal.SIGALRM if hasattr(signal, "SIGALRM") else 1


def _start(limits: ImageLimits) -> "subprocess.Popen[bytes]":
    # Not multiprocessing: its processes import the user's script again, which would have to be
    # guarded against that, and a forked one inherits the threads of PyTorch in an unknown state.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}
    package = str(Path(__file__).parents[2])  # which may have been found in the current folder
    environment["PYTHONPATH"] = os.pathsep.join([*(path for path in sys.path if path), package])
    # -P: a json.py among the pictures is not to be run because that is the current folder.
    command = [sys.executable, "-P", "-m", "convolens.images.worker", str(limits.memory)]
    try:
        return subprocess.Popen(  # noqa: S603 - this very Python, with a number
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
    except OSError as error:
        raise RuntimeError(
            f"no process that reads pictures can be started: {error.strerror or error}; close "
            "other programs, or use fewer workers"
        ) from error
