"""The process that reads other people's files: it may hang, swell or crash, and only it is lost.

It is started by :mod:`convolens.images.reading_pool`, which speaks with it over pipes: one line of
JSON a message, followed by the bytes of the picture where they do not lie in a file of their own.
The first message says what to do with all pictures; every later one is a picture, answered by one
line. A picture that takes too long ends the process.
"""

import faulthandler
import hashlib
import io
import json
import os
import signal
import sys
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from convolens.errors import ImageError
from convolens.images.decoding import decode_file, read_facts
from convolens.images.fitting import Fitting
from convolens.images.limits import ImageLimits
from convolens.images.opening import check_content, read_content

Answer = list[Any]
"""["", figures...]; [kind, reason] of a picture that cannot be used; ["failed", reason] when the
picture is not to blame."""


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there are no more requests."""
    first = requests.readline()
    if not first:  # somebody only looks whether it can be started
        return
    setup = json.loads(first)
    limits = ImageLimits(**setup["limits"])
    work = make_work(setup, limits)
    answers.write(b"ready\n")
    answers.flush()
    while line := requests.readline():
        task = json.loads(line)
        content = requests.read(task["bytes"]) if "bytes" in task else None
        _alarm(limits.seconds)
        answer = attempt(work, task, content, limits)
        _alarm(0)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def make_work(setup: dict[str, Any], limits: ImageLimits) -> Callable[..., Answer]:
    """What is done with each picture: surveyed, or fitted and written to its place."""
    if setup["work"] == "survey":
        return lambda task, content: survey(content, task["name"], limits)
    fitting = Fitting(**setup["fitting"])
    # Without O_BINARY Windows writes two bytes for every byte 10.
    output = os.open(setup["output"], os.O_WRONLY | getattr(os, "O_BINARY", 0))
    offset, size = setup["offset"], setup["row_bytes"]

    def fit(task: dict[str, Any], content: bytes) -> Answer:
        # It may have changed since it was surveyed: its pixels would go under a false name.
        if hashlib.sha256(content).hexdigest() != task["sha256"]:
            raise ImageError("the file changed while it was read", kind="vanished")
        decoded = decode_file(io.BytesIO(content), task["name"], limits, fitting.need)
        pixels = fitting.fit(decoded).tobytes()
        _write_at(output, pixels, offset + task["row"] * size)
        return ["", zlib.crc32(pixels)]

    return fit


def survey(content: bytes, name: str, limits: ImageLimits) -> Answer:
    """The SHA-256 of a picture file and its head, in the order of the fields of ImageFacts."""
    facts = read_facts(io.BytesIO(content), name, limits)
    return ["", hashlib.sha256(content).hexdigest(), *asdict(facts).values()]


def attempt(
    work: Callable[..., Answer], task: dict[str, Any], content: bytes | None, limits: ImageLimits
) -> Answer:
    """Do the work on one picture; whatever is wrong with it becomes the answer."""
    name = task["name"]
    try:
        if content is None:
            content = read_content(Path(task["path"]), name, limits)
        else:
            check_content(content, name, limits)
        return work(task, content)
    except ImageError as error:
        return [error.kind, str(error).removeprefix(f"{name}: ")]
    except MemoryError:
        return ["too_slow", "takes more memory than is allowed; it is given up on"]
    except OSError as error:
        return ["failed", str(error)]


def main() -> None:
    """Serve the process that started this one, within its limits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this one
    if hasattr(signal, "SIGALRM"):  # ignored or held back by the parent, it would be so here
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    Image.MAX_IMAGE_PIXELS = None  # ImageLimits says what is read, and may allow more
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    # Nothing that a library prints may be taken for an answer.
    sys.stdout = sys.stderr
    if len(sys.argv) > 1:
        _limit_memory(int(sys.argv[1]))
    serve(requests, answers)


def _write_at(output: int, content: bytes, position: int) -> None:
    if hasattr(os, "pwrite"):
        written = os.pwrite(output, content, position)
    else:
        os.lseek(output, position, os.SEEK_SET)
        written = os.write(output, content)
    if written != len(content):
        raise OSError(f"only {written} of {len(content)} bytes could be written")


def _alarm(seconds: float) -> None:
    """End this process after some time, even inside a call into a decoder; 0 for never."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
    elif seconds:
        faulthandler.dump_traceback_later(seconds, exit=True)
    else:
        faulthandler.cancel_dump_traceback_later()


def _limit_memory(limit: int) -> None:
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + limit, used + limit))
    except (ImportError, OSError, ValueError):
        return  # not every system has it; the limits on bytes and pixels hold everywhere


if __name__ == "__main__":
    main()
