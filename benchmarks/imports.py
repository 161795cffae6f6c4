"""How long ``import convolens`` and ``convolens --help`` take, each in processes of its own.

    python benchmarks/imports.py [--runs 21]

An import is timed inside a fresh interpreter, so starting Python is not part of it; ``--help`` is
timed from outside, as a person waits for it, beside an interpreter that does nothing. Runs
alternate, and each kind runs twice before anything counts.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from machine import write_result

if TYPE_CHECKING:
    from collections.abc import Callable

IMPORT = "import time; start = time.perf_counter(); import {0}; print(time.perf_counter() - start)"
LIMITS = {"convolens --help": 0.3}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=21)
    arguments = parser.parse_args()

    command = Path(sys.executable).with_name("convolens")
    kinds: dict[str, Callable[[], float]] = {
        "import convolens": lambda: inside(IMPORT.format("convolens")),
        "import convolens.ops": lambda: inside(IMPORT.format("convolens.ops")),
        "import torch": lambda: inside(IMPORT.format("torch")),
        "convolens --help": lambda: outside([str(command), "--help"]),
        "python -c pass": lambda: outside([sys.executable, "-c", "pass"]),
    }
    load = os.getloadavg()[0]
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    for run in range(arguments.runs + 2):
        for kind, measure in kinds.items():
            taken = measure()
            if run > 1:
                seconds[kind].append(taken)
    rows = [row(kind, values) for kind, values in seconds.items()]
    for entry in rows:
        print(
            f"{entry['kind']:<22} {entry['median_s']:.3f} s "
            f"({entry['min_s']:.3f} to {entry['max_s']:.3f})"
        )
    write_result("imports", {"runs": arguments.runs, "load_average_before": load, "rows": rows})
    return 0 if all(entry.get("within_limit", True) for entry in rows) else 1


def inside(code: str) -> float:
    """Seconds that the code prints."""
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return float(answer.stdout)


def outside(command: list[str]) -> float:
    """Seconds from the start of a process to its end."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def row(kind: str, seconds: list[float]) -> dict[str, Any]:
    """Median and spread, and whether the median is within the limit if there is one."""
    median = statistics.median(seconds)
    result: dict[str, Any] = {
        "kind": kind,
        "median_s": round(median, 4),
        "min_s": round(min(seconds), 4),
        "max_s": round(max(seconds), 4),
    }
    if kind in LIMITS:
        result |= {"limit_s": LIMITS[kind], "within_limit": median < LIMITS[kind]}
    return result


if __name__ == "__main__":
    raise SystemExit(main())
