"""What the whole report on a model costs, as a user makes it, from start to end of the command.

    python benchmarks/report.py [--model RUN] [--rounds 5]

``convolens evaluate RUN --report FILE`` for the 10,000 test pictures of Fashion-MNIST, as a process
of its own, beside ``convolens evaluate RUN`` without a report; in turn, several rounds. The goal is
below 30 s for everything. The run is one of ``fast``; without ``--model`` it is trained first.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import convolens as cl
from machine import write_result
from workers import spread

GOAL = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="a run; trained if none is given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()

    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        run = given.model or str(
            cl.train("fashion-mnist", recipe="fast", seed=0, path=Path(folder) / "run").path
        )
        page = Path(folder) / "report.html"
        seconds: dict[str, list[float]] = {"with_report": [], "without": []}
        for _ in range(given.rounds):
            seconds["with_report"].append(timed(run, "--report", str(page)))
            seconds["without"].append(timed(run))
        result: dict[str, Any] = {
            "pictures": 10_000,
            "rounds": given.rounds,
            "load_average_before": load,
            "goal_seconds": GOAL,
            "bytes": page.stat().st_size,
            **{f"{name}_seconds": spread(values) for name, values in seconds.items()},
        }
    pairs = zip(seconds["with_report"], seconds["without"], strict=True)
    result["report_alone_seconds"] = spread([whole - bare for whole, bare in pairs])
    result["met"] = result["with_report_seconds"]["median"] < GOAL
    for name, value in result.items():
        print(f"{name}: {value}")
    if not given.dry:
        write_result("report", result)


def timed(run: str, *options: str) -> float:
    """Seconds that the command takes."""
    command = [sys.executable, "-m", "convolens", "evaluate", run, *options]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
