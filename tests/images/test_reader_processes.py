"""The processes that read pictures: how they start, what ends them, and who is blamed for it."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from convolens.config import to_dict
from convolens.images import ImageLimits
from convolens.images.reading_pool import ReadingTask, survey_pictures
from convolens.images.worker import serve

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with a name")
LIMITS = ImageLimits()
WORKER = [sys.executable, "-P", "-m", "convolens.images.worker"]
LONG = "a long name " * 2_000  # longer than what is held back before it is sent


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(path)
    return path


def the_worker():
    listing = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    lines = [line for line in listing.stdout.splitlines() if "convolens.images.worker" in line]
    (line,) = lines
    return int(line.split()[0])


def kill_the_worker_at(pipe):
    """Once it opens the pipe, and with it has answered all that came before."""
    writing = os.open(pipe, os.O_WRONLY)
    pid = the_worker()
    os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):  # somebody else has waited for it
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    os.close(writing)


def test_no_picture_is_blamed_for_a_process_that_ended_when_it_was_answered(tmp_path, picture):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def tasks():
        yield ReadingTask(number=0, name="answered", path=str(picture))
        yield ReadingTask(number=1, name=LONG, path=str(pipe))
        # Dead while its answer lies unread, and before it is written to again.
        kill_the_worker_at(pipe)
        pipe.unlink()
        pipe.write_bytes(picture.read_bytes())
        for number in range(2, 60):
            yield ReadingTask(number=number, name=LONG, path=str(picture))

    answers = list(survey_pictures(tasks(), LIMITS, workers=1))
    assert [number for number, _ in answers] == list(range(60))
    assert [answer[0] for _, answer in answers] == [""] * 60


def test_a_picture_that_two_processes_died_of_has_crashed_them(tmp_path, picture):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    paths = [picture, pipe, picture, picture]
    tasks = [ReadingTask(number=n, name=str(n), path=str(path)) for n, path in enumerate(paths)]
    killer = threading.Thread(
        target=lambda: [kill_the_worker_at(pipe) for _ in range(2)], daemon=True
    )
    killer.start()
    answers = dict(survey_pictures(tasks, LIMITS, workers=1))
    reason = "its reader was killed, as happens when memory is short; it is given up on"
    assert answers.pop(1) == ["crashed", reason]
    assert [answers[n][0] for n in (0, 2, 3)] == [""] * 3
    killer.join()


def test_a_process_that_cannot_be_started_is_no_pictures_fault(monkeypatch, tmp_path, picture):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    tasks = [ReadingTask(number=0, name="a", path=str(picture))]
    with pytest.raises(
        RuntimeError, match="no process that reads pictures can be started: No such"
    ):
        list(survey_pictures(tasks, LIMITS, workers=2))


def test_nothing_in_the_current_folder_is_run(monkeypatch, tmp_path, picture):
    planted, run = tmp_path / "planted", tmp_path / "it was run"
    planted.mkdir()
    for name in ("json.py", "numpy.py", "PIL.py", "sitecustomize.py"):
        (planted / name).write_text(f"open({str(run)!r}, 'w').close()")
    monkeypatch.chdir(planted)
    tasks = [ReadingTask(number=0, name="a", path=str(picture))]
    with suppress(RuntimeError):  # what was run in json's place cannot do json's work
        assert dict(survey_pictures(tasks, LIMITS, workers=1))[0][0] == ""
    assert not run.exists()


def test_the_advised_command_ends_quietly_where_nothing_is_wrong():
    for arguments in ([], ["1"]):
        ended = subprocess.run(
            [*WORKER, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_the_timer_works_where_alarms_are_ignored_or_held_back(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    setup = {"work": "survey", "limits": to_dict(ImageLimits(seconds=0.01))}
    lines = [json.dumps(message) + "\n" for message in (setup, {"name": "a", "path": str(pipe)})]
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        ended = subprocess.run(WORKER, input="".join(lines), text=True, timeout=30, check=False)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGALRM, before)
    assert ended.returncode == -signal.SIGALRM


def test_pixels_are_written_as_they_are_where_files_are_text_unless_told(monkeypatch, tmp_path):
    output = tmp_path / "pixels"
    output.write_bytes(b"")
    binary = 1 << 30  # stands for the flag that Windows has
    real, flags = os.open, []

    def watched(path, flag, *rest, **more):
        flags.append(flag)
        return real(path, flag & ~binary, *rest, **more)

    monkeypatch.setattr(os, "O_BINARY", binary, raising=False)
    monkeypatch.setattr(os, "open", watched)
    setup = {
        "work": "fit",
        "limits": to_dict(LIMITS),
        "fitting": {"height": 1, "width": 1, "channels": 1, "policy": "pad"},
        "output": str(output),
        "offset": 0,
        "row_bytes": 1,
    }
    with (tmp_path / "answers").open("wb") as answers, (tmp_path / "requests").open("w+b") as lines:
        lines.write(json.dumps(setup).encode() + b"\n")
        lines.seek(0)
        serve(lines, answers)
    assert [flag & binary for flag in flags] == [binary]
