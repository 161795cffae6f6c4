"""Kill a training process again and again, go on with its run, and compare the weights.

    python tests/training/killing_campaign.py [--kills 32] [--seed 0]

Prints one JSON object: every kill with what was aimed at and where the run went on, and for every
run whether its weights are those of one that was never disturbed, byte by byte.

The process does everything once and then forks a child for each attempt (it has one thread, so
that is safe). Half the kills come from outside at a random moment; the others from inside, at a
call that a saving makes: before a flush, a rename or a removal, or at a flush with the file cut
short, which is what a power cut leaves.
"""

import argparse
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from convolens.data import Dataset, Split
from convolens.recipes import fast
from convolens.training import Augmentation, Event, Recipe, load_run, train_recipe
from convolens.training.cadence import EverySteps
from convolens.training.resuming import resume_run

CALLS = ("fsync", "rename", "replace", "unlink", "rmdir")
EVERY = EverySteps(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(campaign(Path(folder), arguments.kills, random.Random(arguments.seed))))  # noqa: T201


def campaign(folder: Path, kills: int, chance: random.Random) -> dict[str, Any]:
    """Kill runs at random until enough have been, and say what became of them."""
    train_or_resume(folder / "warm")  # whatever is imported late, every child then has
    start = time.perf_counter()
    assert attempt(folder / "undisturbed", "none", 0) == 0
    seconds = time.perf_counter() - start
    calls = count_calls(folder / "counted")
    expected = weights(folder / "undisturbed")
    done: list[dict[str, Any]] = []
    same: list[bool] = []
    while len(done) < kills:
        path = folder / f"run-{len(same)}"
        for _ in range(chance.randint(1, 3)):
            inside = len(done) % 2 == 0
            aim = chance.choice(["call", "call", "cut"]) if inside else "moment"
            at = chance.randrange(calls) if inside else chance.uniform(0, seconds)
            status = attempt(path, aim, at)
            if status == -signal.SIGKILL:
                done.append({"run": len(same), "aim": aim, "at": at, "from": resumed_at(path)})
            elif status == 0:
                break
            else:
                raise RuntimeError(f"{path.name}, {aim} at {at}: status {status}")
        assert attempt(path, "none", 0) == 0
        same.append(weights(path) == expected)
    return {"kills": done, "runs": len(same), "same": same, "calls_of_a_run": calls}


def attempt(path: Path, aim: str, at: float) -> int:
    """Begin a run, or go on with it, in a child that is killed; its status as subprocess has it."""
    alive, ours = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(alive)
            if aim in ("call", "cut"):
                kill_at_call(int(at), cut=aim == "cut")
            train_or_resume(path)
            status = 0
        except BaseException:  # noqa: BLE001 - the child must not go on as its parent
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(ours)
    if aim == "moment":
        select.select([alive], [], [], at)  # until then, or until the child has ended
        os.kill(child, signal.SIGKILL)
    os.close(alive)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def train_or_resume(path: Path, on_event: Callable[[Event], None] = lambda _: None) -> None:
    if (path / "run.json").is_file():
        resume_run(path, data(), checkpoint_every=EVERY, on_event=on_event)
    else:  # killed before it was a run
        train_recipe(data(), recipe(), path=path, checkpoint_every=EVERY, on_event=on_event)


def data() -> Dataset:
    """Bright against dark pictures."""
    rng = np.random.default_rng(0)
    labels = np.arange(160, dtype=np.int64) % 2
    images = rng.integers(0, 100, (160, 8, 8, 1)) + labels[:, None, None, None] * 100
    halves = (slice(0, 80), slice(80, 160))
    parts = [Split(images[half].astype(np.uint8), labels[half]) for half in halves]
    return Dataset("small", *parts, None, ("dark", "bright"), "made by a test")


def recipe() -> Recipe:
    """Five steps an epoch: a checkpoint every two steps is mostly in the middle of one."""
    augmentation = Augmentation(shift=1, flip=True)
    return fast(epochs=5, batch_size=16, augmentation=augmentation, hardest_share=0.4)


def weights(path: Path) -> bytes:
    return (path / "model" / "weights.safetensors").read_bytes()


def resumed_at(path: Path) -> int | None:
    """The newest checkpoint that a killed run left; None where it left no run."""
    if not (path / "run.json").is_file():
        return None
    assert load_run(path).status in ("running", "completed")
    names = [entry.name for entry in path.glob("checkpoints/step-*")]
    return max((int(name[5:]) for name in names), default=0)


def on_calls(act: Callable[[str, int | None], None]) -> None:
    """Have ``act`` called before each call that changes what is on the disk."""

    def wrap(name: str) -> None:
        real = getattr(os, name)

        def wrapped(first: Any, *rest: Any, **named: Any) -> Any:
            act(name, first if name == "fsync" else None)
            return real(first, *rest, **named)

        setattr(os, name, wrapped)

    for name in CALLS:
        wrap(name)


def kill_at_call(number: int, *, cut: bool) -> None:
    """Kill this process at one of those calls, if it comes that far."""
    left = [number]

    def act(name: str, descriptor: int | None) -> None:
        left[0] -= 1
        if left[0] >= 0 or (cut and descriptor is None):
            return
        if cut and descriptor is not None and not os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)

    on_calls(act)


def count_calls(path: Path) -> int:
    """How many such calls an undisturbed run makes."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        count = [0]
        on_calls(lambda *_: count.__setitem__(0, count[0] + 1))
        train_or_resume(path)
        os.write(writing, str(count[0]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.wait()
    return int(text)


if __name__ == "__main__":
    main()
