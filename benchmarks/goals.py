"""What the recipes reach on Fashion-MNIST in how much time, beside the notebook in TensorFlow.

    python benchmarks/goals.py [--seeds 5] [--goals 89.8,92.0,...] [--split test|validation]

Every run is a fresh process that has the arrays in memory before its clock starts; the clock stops
at the trained model. Fitting the preprocessing, whitening, building the kernels and judging the
validation pictures are included, judging the test pictures is not. The settings were chosen on the
validation pictures.

In every round the notes' network trains in Keras on TensorFlow for some steps (its start-up and
compilation excluded), which gives the time of the notebook's ten epochs on the same machine at the
same time; and the rate of a large bfloat16 matrix product is measured, of which training reaches a
share. On a machine with a GPU ours runs there.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import convolens as cl
from environment import tensorflow_python, tensorflow_versions
from machine import write_result
from workers import Worker

GOALS: dict[str, dict[str, Any]] = {
    "89.8": {
        "seconds": 6,
        "recipe": "fast",
        "changes": {"epochs": 0.8, "arguments": {"width": 16}},
    },
    "92.0": {"seconds": 20, "recipe": "fast", "changes": {"epochs": 1.5}},
    "93.0": {"seconds": 45, "recipe": "fast", "changes": {"epochs": 3.0}},
    "94.0": {"seconds": 150, "recipe": "fast", "changes": {"epochs": 10.0}},
    "94.8": {"seconds": 3600, "recipe": "accurate", "changes": {}},
}
"""By accuracy in per cent: in how many seconds, and how."""

NOTEBOOK_EPOCHS = 10
STEPS = 40
BATCH = 32  # of the notebook


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--goals", default="89.8,92.0,93.0,94.0")
    parser.add_argument("--split", default="test", choices=("test", "validation"))
    parser.add_argument("--name", default="goals", help="of the file of results")
    parser.add_argument("--no-tensorflow", action="store_true")
    arguments = parser.parse_args()

    load = os.getloadavg()[0]
    names = arguments.goals.split(",")
    data = cl.load_data("fashion-mnist")
    with tempfile.TemporaryDirectory() as folder:
        keras = None if arguments.no_tensorflow else notebook(data, Path(folder))
        rounds = [
            one_round(seed, names, arguments.split, data, keras) for seed in range(arguments.seeds)
        ]
        if keras is not None:
            keras.close()
    write_result(
        arguments.name,
        {
            "tensorflow": None if arguments.no_tensorflow else tensorflow_versions(),
            "load_average_before": load,
            "split": arguments.split,
            "goals": {name: summary(name, [each[name] for each in rounds]) for name in names},
        },
    )


def notebook(data: Any, folder: Path) -> Worker:
    """The notes' network in Keras, warmed up and waiting."""
    np.savez(
        folder / "data.npz",
        images=data.train.images[: BATCH * STEPS],
        labels=data.train.labels[: BATCH * STEPS],
    )
    threads = len(os.sched_getaffinity(0))
    worker = Worker(
        tensorflow_python(), "training_worker.py", "tensorflow", folder / "data.npz", threads
    )
    worker.ask("notes float32", 5)
    return worker


def one_round(
    seed: int, names: list[str], split: str, data: Any, keras: Worker | None
) -> dict[str, dict[str, Any]]:
    """Every goal once, each beside the notebook's speed at that moment."""
    results: dict[str, dict[str, Any]] = {}
    for name in names:
        result = ours(name, seed, split)
        if keras is not None:
            speed = keras.ask("notes float32", STEPS)
            result["notebook_images_per_second"] = speed
            result["notebook_seconds"] = NOTEBOOK_EPOCHS * len(data.train.labels) / speed
            result["times_faster"] = result["notebook_seconds"] / result["seconds"]
        results[name] = result
        print(f"{name} %, seed {seed}: {result}", flush=True)
    return results


def ours(name: str, seed: int, split: str) -> dict[str, Any]:
    """One run in a process of its own."""
    goal = GOALS[name]
    asked = {"recipe": goal["recipe"], "changes": goal["changes"], "seed": seed, "split": split}
    answer = subprocess.run(
        [sys.executable, Path(__file__).with_name("goals_worker.py"), json.dumps(asked)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(answer.stdout)


def summary(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and deviation of every figure, and whether the goal is met by the means."""
    figures: dict[str, Any] = {
        key: {
            "mean": statistics.mean(run[key] for run in runs),
            "deviation": statistics.stdev(run[key] for run in runs) if len(runs) > 1 else None,
        }
        for key, value in runs[0].items()
        if isinstance(value, float)
    }
    accuracy, seconds = figures["accuracy"]["mean"], figures["seconds"]["mean"]
    goal = GOALS[name]
    met = accuracy >= float(name) / 100 and seconds <= goal["seconds"]
    print(f"{name} %: {accuracy:.2%} in {seconds:.1f} s (goal {goal['seconds']} s): {met}")
    return {"goal_seconds": goal["seconds"], "settings": goal, "met": met, **figures, "runs": runs}


if __name__ == "__main__":
    main()
