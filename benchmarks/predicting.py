"""Pictures a second of prediction: against the bare network, Keras and ONNX Runtime.

    python benchmarks/predicting.py [--rounds 7] [--pictures 10000] [--threads N] [--no-peers]

Three processes live through the whole run, each with the same number of threads, and predict the
same Fashion-MNIST pictures in turn; every round gives one ratio. Weights are random: they cost the
same. Ours is ``Model.predict_proba``, from pixels to probabilities, so it does the preprocessing
and the softmax, too; everything else gets standardised batches that lie in memory:

- the bare network, the same forward passes, as PyTorch does them with all threads on one batch, and
  with a batch a thread as ours does. The goal is 90 % of the faster of the two (by medians).
- ``keras.Model.predict`` on the notes' network, with batches of 32 (its own choice) and of 250.
- ONNX Runtime on the network of ``fast`` and that of the notes, exported by ``torch.onnx``.

"fast mirrored" is how ``fast`` judges Fashion-MNIST: each picture and its mirror image.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import convolens as cl
from environment import tensorflow_python, tensorflow_versions
from machine import write_result
from predicting_worker import BATCH, ONNX
from workers import Worker, spread

GOAL = 0.9
MODELS = ("fast", "fast mirrored", "notes")
BARE = ("bare", "bare, a batch a thread")
Visits = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--no-peers", action="store_true", help="the bare network alone")
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()

    load = os.getloadavg()[0]
    images = cl.load_data("fashion-mnist").test.images[: given.pictures]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, images=images)
        workers = begin(path, given.threads, peers=not given.no_peers)
        visits = measure(workers, given.rounds)
        for worker in workers.values():
            worker.close()
    result = {
        "pictures": len(images),
        "batch_size": BATCH,
        "threads": given.threads,
        "rounds": given.rounds,
        "load_average_before": load,
        "peers": None if given.no_peers else {**tensorflow_versions(), "onnx": ONNX},
        "pictures_per_second": {row: spread(values) for row, values in visits.items()},
        "ratios": ratios(visits),
    }
    for name, entries in (*result["pictures_per_second"].items(), *result["ratios"].items()):
        print(f"{name}: {entries}")
    if not given.dry:
        write_result("predicting", result)


def begin(path: Path, threads: int, *, peers: bool) -> dict[str, Worker]:
    """The processes, by what stands before their rows."""
    script = "predicting_worker.py"
    workers = {"ours": Worker(sys.executable, script, "ours", path, threads)}
    if peers:
        workers["ONNX Runtime"] = Worker(sys.executable, script, "onnx", path, threads)
        workers["Keras"] = Worker(tensorflow_python(), script, "tensorflow", path, threads)
    return workers


def measure(workers: dict[str, Worker], rounds: int) -> Visits:
    """Every row once a round, in turn, after a warm-up of each."""
    rows = [(side, row) for side, worker in workers.items() for row in worker.rows]
    for side, row in rows:
        workers[side].ask(row, 1)
    visits: Visits = {f"{side}: {row}": [] for side, row in rows}
    for _ in range(rounds):
        for side, row in rows:
            visits[f"{side}: {row}"].append(workers[side].ask(row, 1))
    return visits


def ratios(visits: Visits) -> dict[str, Any]:
    """Ours over each of the others, round by round."""
    pairs = [(f"ours: {model}", f"ours: {model} {bare}") for model in MODELS for bare in BARE]
    pairs += [(f"ours: {row.partition(': ')[2].partition(',')[0]}", row) for row in visits
              if not row.startswith("ours")]  # fmt: skip
    found: dict[str, Any] = {
        f"{ours} / {other}": spread(
            [a / b for a, b in zip(visits[ours], visits[other], strict=True)]
        )
        for ours, other in pairs
    }
    for model in MODELS:
        share = min(found[f"ours: {model} / ours: {model} {bare}"]["median"] for bare in BARE)
        found[f"{model}: {GOAL:.0%} of the faster bare network"] = {
            "median": share,
            "met": share >= GOAL,
        }
    return found


if __name__ == "__main__":
    main()
