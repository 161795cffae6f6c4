"""Our operations and TensorFlow's on the two sample pictures, side by side in one run.

    python benchmarks/ops.py [--rounds 9] [--threads N]

Two processes live through the whole run, one with torch and one with TensorFlow, with the same
number of threads. In every round each row is timed in one process, then in the other, and the round
gives one ratio. TensorFlow is timed twice: from tensor to tensor, as its users chain operations,
and from NumPy array to NumPy array, as ours work. First calls are excluded, and the results of both
sides are compared before anything is timed.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_sample_image

import convolens as cl
from environment import tensorflow_python, tensorflow_versions
from machine import write_result
from workers import Worker, spread

SCRIPT = "ops_worker.py"
OPERATIONS = {
    "conv2d": 'conv2d, 2 filters of 7x7, "same"',
    "Conv2D": 'Conv2D layer, 32 filters of 3x3, "same", ReLU',
    "max_pool2d": "max_pool2d, 2x2",
    "avg_pool2d": "avg_pool2d, 2x2",
    "depthwise_max_pool": "depthwise_max_pool, 3 channels",
}
SECONDS_A_VISIT = 0.15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()

    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures.npz"
        write_pictures(pictures)
        ours = Worker(sys.executable, SCRIPT, "ours", pictures, arguments.threads)
        theirs = Worker(tensorflow_python(), SCRIPT, "tensorflow", pictures, arguments.threads)
        rows = [measure(row, ours, theirs, arguments.rounds) for row in ours.rows]
        ours.close()
        theirs.close()

    order = list(OPERATIONS)
    rows.sort(key=lambda row: (order.index(row["operation"]), row["dtype"]))
    show(rows)
    write_result(
        "ops",
        {
            "tensorflow": tensorflow_versions(),
            "pictures": "china and flower, (2, 427, 640, 3), 0..1",
            "threads": arguments.threads,
            "rounds": arguments.rounds,
            "load_average_before": load,
            "rows": rows,
        },
    )


def write_pictures(path: Path) -> None:
    """The notes' two pictures and filters, and weights that both sides' layers share."""
    pictures = np.array([load_sample_image(f"{name}.jpg") for name in ("china", "flower")]) / 255
    filters = cl.kernels.stack([cl.kernels.vertical_line(7), cl.kernels.horizontal_line(7)], 3)
    weights = cl.Conv2D(filters=32, kernel_size=3, dtype="float64").weights(3)
    np.savez(path, pictures=pictures, filters=filters, weights=weights)


def measure(row: str, ours: Worker, theirs: Worker, rounds: int) -> dict[str, Any]:
    """Time one row in alternation; every visit gives the median of its calls."""
    check(row, ours.ask(row, 0), theirs.ask(row, 0))
    sides = {
        "ours": (ours, row),
        "tensorflow": (theirs, row),
        "tensorflow_arrays": (theirs, f"{row} arrays"),
    }
    calls = {side: calls_a_visit(worker.ask(name, 3)[1:]) for side, (worker, name) in sides.items()}
    visits: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, (worker, name) in sides.items():
            visits[side].append(1000 * statistics.median(worker.ask(name, calls[side])))
    operation, dtype = row.split()
    result: dict[str, Any] = {"operation": operation, "dtype": dtype}
    result |= {f"{side}_ms": spread(values) for side, values in visits.items()}
    for side in ("tensorflow", "tensorflow_arrays"):
        pairs = zip(visits["ours"], visits[side], strict=True)
        result[f"{side}_over_ours"] = spread([their / our for our, their in pairs])
    print(line(result), file=sys.stderr)
    return result


def check(row: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Both sides must compute the same before their times mean anything."""
    same = ours["shape"] == theirs["shape"] and ours["dtype"] == theirs["dtype"]
    keys = ("mean", "corner")
    if not same or not all(np.allclose(ours[key], theirs[key], rtol=1e-4) for key in keys):
        raise RuntimeError(f"{row}: ours gives {ours}, TensorFlow {theirs}")


def calls_a_visit(seconds: list[float]) -> int:
    return int(min(max(SECONDS_A_VISIT / statistics.median(seconds), 3), 50))


def show(rows: list[dict[str, Any]]) -> None:
    print("milliseconds: median (least to greatest) of the rounds; above 1x, ours is faster")
    for row in rows:
        print(line(row))


def line(row: dict[str, Any]) -> str:
    def wide(key: str, digits: int = 2) -> str:
        values = [f"{row[key][name]:.{digits}f}" for name in ("median", "min", "max")]
        return f"{values[0]} ({values[1]} to {values[2]})"

    return (
        f"{row['operation']:<19}{row['dtype']:<9} ours {wide('ours_ms'):<26}"
        f" TensorFlow {wide('tensorflow_ms'):<26} {wide('tensorflow_over_ours', 1)}x;"
        f" from arrays {wide('tensorflow_arrays_ms'):<26}"
        f" {wide('tensorflow_arrays_over_ours', 1)}x"
    )


if __name__ == "__main__":
    main()
