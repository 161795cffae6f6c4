"""Processes that read pictures: the same pixels as in this one, and no file stops them."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convolens.config import to_dict
from convolens.errors import ConfigError
from convolens.images import ImageLimits, fit_image, load_sample
from convolens.images.fitting import Fitting
from convolens.images.reading_pool import (
    ReadingTask,
    count_cores,
    fit_pictures,
    survey_pictures,
)
from convolens.images.worker import serve

CHINA = Image.fromarray(load_sample("china"))
LIMITS = ImageLimits()


def encoded(image, file_format="JPEG", **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def pictures(tmp_path):
    paths = []
    for number in range(60):
        path = tmp_path / f"Bild {number} ü.jpg"
        size = (60 + 7 * number, 300 - 3 * number)
        path.write_bytes(encoded(CHINA.resize(size), quality=50 + number % 50))
        paths.append(path)
    return paths


def fitted(tasks, output, fitting, limits=LIMITS, workers=2, offset=128):
    row_bytes = fitting.height * fitting.width * fitting.channels
    with output.open("wb") as file:
        file.truncate(offset + len(tasks) * row_bytes)
    answers = dict(fit_pictures(tasks, limits, fitting, str(output), offset, workers=workers))
    pixels = np.fromfile(output, np.uint8, offset=offset)
    return answers, pixels.reshape(-1, fitting.height, fitting.width, fitting.channels)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("embedded", [False, True])
def test_the_pixels_are_those_of_fit_image(tmp_path, pictures, workers, embedded):
    fitting = Fitting(24, 31, 3, "pad")
    tasks = [
        ReadingTask(
            number=number,
            name=path.name,
            path=None if embedded else str(path),
            content=path.read_bytes() if embedded else None,
            row=len(pictures) - 1 - number,
            sha256=digest(path.read_bytes()),
        )
        for number, path in enumerate(pictures)
    ]
    answers, pixels = fitted(tasks, tmp_path / "pixels", fitting, workers=workers)
    assert sorted(answers) == list(range(60))
    for task, path in zip(tasks, pictures, strict=True):
        alone = fit_image(path, 24, 31, 3)
        assert np.array_equal(pixels[task.row], alone)
        assert answers[task.number] == ["", zlib.crc32(alone.tobytes())]


def test_a_survey_gives_digest_and_head(pictures):
    tasks = [ReadingTask(number=n, name=p.name, path=str(p)) for n, p in enumerate(pictures)]
    answers = dict(survey_pictures(tasks, LIMITS, workers=2))
    for number, path in enumerate(pictures):
        with Image.open(path) as image:
            width, height = image.size
        wanted = ["", digest(path.read_bytes()), "JPEG", height, width, 3, 1]
        assert answers[number] == wanted


def test_every_fault_is_an_answer_and_all_other_pictures_are_read(tmp_path, pictures):
    whole = pictures[0].read_bytes()
    faults = {
        "empty_file": b"",
        "not_an_image": b"a text among the pictures",
        "damaged": whole[: len(whole) // 2],
        "too_large": encoded(Image.new("1", (8_000, 7_000)), "PNG"),
    }
    tasks = []
    for number, (kind, content) in enumerate(faults.items()):
        (tmp_path / kind).write_bytes(content)
        tasks.append(
            ReadingTask(
                number=number, name=kind, path=str(tmp_path / kind), row=number,
                sha256=digest(content),
            )
        )  # fmt: skip
    tasks.append(ReadingTask(number=4, name="missing_file", path=str(tmp_path / "none"), row=4))
    changed = ReadingTask(number=5, name="vanished", path=str(pictures[1]), row=5, sha256="0" * 64)
    good = ReadingTask(number=6, name="good", path=str(pictures[0]), row=6, sha256=digest(whole))
    answers, pixels = fitted(
        [*tasks, changed, good], tmp_path / "pixels", Fitting(9, 9, 1, "crop"), workers=1
    )
    assert [answers[number][0] for number in range(6)] == [*faults, "missing_file", "vanished"]
    assert all(len(answers[number]) == 2 for number in range(6))
    # The reason does not repeat the name: the problem that it becomes has that.
    assert not any(answers[task.number][1].startswith(task.name) for task in tasks)
    assert np.array_equal(pixels[6], fit_image(pictures[0], 9, 9, 1, policy="crop"))


def test_a_picture_that_takes_too_long_costs_its_process_and_nothing_else(tmp_path, pictures):
    # A real hang: a pipe that nobody writes into keeps the reader waiting inside the system.
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    paths = [*pictures[:5], pipe, *pictures[5:10]]
    tasks = [ReadingTask(number=n, name=p.name, path=str(p)) for n, p in enumerate(paths)]
    answers = dict(survey_pictures(tasks, ImageLimits(seconds=0.5), workers=1))
    assert answers[5] == ["too_slow", "takes longer than 0.5 s to read; it is given up on"]
    assert [answers[n][0] for n in range(11) if n != 5] == [""] * 10


def test_a_picture_that_takes_too_much_memory_is_given_up_on(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(encoded(Image.new("RGB", (6_000, 6_000)), "PNG"))  # 144 MB when decoded
    tasks = [
        ReadingTask(number=0, name="large", path=str(path), sha256=digest(path.read_bytes())),
    ]
    limits = ImageLimits(memory=400 * 2**20)
    answers, _ = fitted(tasks, tmp_path / "a", Fitting(4, 4, 3, "pad"), limits, workers=1)
    assert answers[0][0] == ""
    limits = ImageLimits(memory=60 * 2**20)
    answers, _ = fitted(tasks, tmp_path / "b", Fitting(4, 4, 3, "pad"), limits, workers=1)
    assert answers[0][0] == "too_slow"
    assert "memory" in answers[0][1]


def test_what_is_not_the_pictures_fault_is_raised(tmp_path, pictures):
    tasks = [ReadingTask(number=0, name="a", path=str(pictures[0]), sha256="")]
    with pytest.raises(RuntimeError, match="cannot be started"):
        list(fit_pictures(tasks, LIMITS, Fitting(4, 4, 3, "pad"), str(tmp_path / "no"), 0))
    with pytest.raises(ConfigError, match="workers is 0"):
        list(survey_pictures(tasks, LIMITS, workers=0))

    def broken():
        yield tasks[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(survey_pictures(broken(), LIMITS, workers=2))


def test_leaving_early_leaves_no_process_behind(pictures):
    tasks = (ReadingTask(number=n, name="a", path=str(pictures[n % 60])) for n in range(100_000))
    answers = survey_pictures(tasks, LIMITS, workers=2)
    next(answers)
    children = children_of(os.getpid())
    assert len(children) == 2
    answers.close()
    assert not children & children_of(os.getpid())


def children_of(parent):
    listing = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True
    )
    lines = listing.stdout.splitlines()
    return {int(line.split()[0]) for line in lines if "convolens.images.worker" in line}


def test_a_process_ends_when_its_parent_is_gone(pictures):
    script = f"""
import os, signal
from convolens.images import ImageLimits
from convolens.images.reading_pool import ReadingTask, survey_pictures
path = {str(pictures[0])!r}
tasks = (ReadingTask(number=n, name="a", path=path) for n in range(10**6))
answers = survey_pictures(tasks, ImageLimits(), workers=1)
next(answers)
children = os.popen(f"ps -o pid= --ppid {{os.getpid()}} --sort=pid").read()
print(children.split()[0], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL
    child = int(ended.stdout)
    for _ in range(100_000):  # it ends as soon as its pipe is closed
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if _zombie(child):
            return
    pytest.fail(f"process {child} is still there")


def _zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_the_worker_answers_in_this_process_too(tmp_path, pictures):
    """As ``serve`` is one function of two streams, it can be watched at work."""
    content = pictures[0].read_bytes()
    output = tmp_path / "pixels"
    output.write_bytes(bytes(4 * 4 * 3))
    setup = {
        "work": "fit",
        "limits": to_dict(LIMITS),
        "fitting": {"height": 4, "width": 4, "channels": 3, "policy": "stretch"},
        "output": str(output),
        "offset": 0,
        "row_bytes": 48,
    }
    task = {"name": "a", "row": 0, "sha256": digest(content), "bytes": len(content)}
    bad = {**task, "bytes": 3}
    lines = [json.dumps(message).encode() + b"\n" for message in (setup, task, bad)]
    answers = io.BytesIO()
    serve(io.BytesIO(lines[0] + lines[1] + content + lines[2] + b"abc"), answers)
    ready, first, second = answers.getvalue().splitlines()
    assert ready == b"ready"
    expected = fit_image(content, 4, 4, 3, policy="stretch").tobytes()
    assert json.loads(first) == ["", zlib.crc32(expected)]
    assert output.read_bytes() == expected
    assert json.loads(second)[0] == "vanished"
    survey = json.dumps({"work": "survey", "limits": to_dict(LIMITS)}).encode() + b"\n"
    answers = io.BytesIO()
    named = json.dumps({"name": "b", "path": str(pictures[0])}).encode() + b"\n"
    serve(io.BytesIO(survey + named), answers)
    assert json.loads(answers.getvalue().splitlines()[1])[1] == digest(content)


def test_cores_that_may_be_used():
    assert 1 <= count_cores() <= os.cpu_count()
