"""Training speed, ours and Keras on TensorFlow, side by side; and what ``fast`` reaches.

    python benchmarks/training.py [--rounds 5] [--seeds 3] [--threads N]

Speed: two processes live through the whole run, each with the same number of threads, and train
the same networks on the same Fashion-MNIST pictures in turn; every round gives one ratio. Ours is
the package's own loop with everything that a user's run does; Keras is ``model.fit``. Start-up and
compilation are excluded on both sides.

Accuracy: the recipe ``fast`` as ``convolens train fashion-mnist`` runs it, once for each seed,
timed from the arrays in memory to the trained model.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import convolens as cl
from environment import tensorflow_python, tensorflow_versions
from machine import write_result
from workers import Worker, spread

STEPS = {"notes": 40, "fast": 30}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()

    load = os.getloadavg()[0]
    data = cl.load_data("fashion-mnist")
    reached = accuracy(data, arguments.seeds)
    speed = speeds(data, arguments.rounds, arguments.threads)
    write_result(
        "training",
        {
            "tensorflow": tensorflow_versions(),
            "threads": arguments.threads,
            "rounds": arguments.rounds,
            "load_average_before": load,
            "speed_images_per_second": speed,
            "fast_on_fashion_mnist": reached,
        },
    )


def speeds(data: Any, rounds: int, threads: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        n = 256 * max(STEPS.values())
        np.savez(path, images=data.train.images[:n], labels=data.train.labels[:n])
        ours = Worker(sys.executable, "training_worker.py", "ours", path, threads)
        theirs = Worker(tensorflow_python(), "training_worker.py", "tensorflow", path, threads)
        rows = [measure(name, ours, theirs, rounds) for name in STEPS]
        ours.close()
        theirs.close()
    return rows


def measure(name: str, ours: Worker, theirs: Worker, rounds: int) -> dict[str, Any]:
    """One network in turn: ours in both precisions, Keras in both."""
    sides = {
        f"{side} {precision}": (worker, f"{name} {precision}")
        for precision in ("float32", "bfloat16")
        for side, worker in (("ours", ours), ("keras", theirs))
    }
    for worker, row in sides.values():
        worker.ask(row, 5)  # warm-up
    visits: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, (worker, row) in sides.items():
            visits[side].append(worker.ask(row, STEPS[name]))
    ratios = {
        "ours bfloat16 / keras float32": ("ours bfloat16", "keras float32"),
        "ours bfloat16 / keras bfloat16": ("ours bfloat16", "keras bfloat16"),
        "ours float32 / keras float32": ("ours float32", "keras float32"),
    }
    result: dict[str, Any] = {"network": name, **{s: spread(v) for s, v in visits.items()}}
    for label, (first, second) in ratios.items():
        pairs = zip(visits[first], visits[second], strict=True)
        result[label] = spread([a / b for a, b in pairs])
    for key, value in result.items():
        print(f"{key}: {value}")
    return result


def accuracy(data: Any, seeds: int) -> dict[str, Any]:
    runs = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            run = cl.train(data, "fast", seed=seed, path=folder, progress=False)
            seconds = time.perf_counter() - start
        results = {
            key: run.results[key]
            for key in ("seed", "val_accuracy", "test_accuracy", "train_seconds", "epochs")
        }
        runs.append({**results, "total_seconds": seconds})
        print(runs[-1])
    means = {
        key: {
            "mean": statistics.mean(run[key] for run in runs),
            "deviation": statistics.stdev(run[key] for run in runs) if seeds > 1 else None,
        }
        for key in ("val_accuracy", "test_accuracy", "train_seconds", "total_seconds")
    }
    return {"runs": runs, **means}


if __name__ == "__main__":
    main()
