"""Long-lived processes that are measured in turn, so that both sides meet the same machine."""

import json
import statistics
import subprocess
from pathlib import Path
from typing import Any

from environment import tensorflow_variables


class Worker:
    """A process that answers one line of JSON to each line; its first answer is its rows."""

    def __init__(
        self, python: str | Path, script: str, side: str, data: Path, threads: int
    ) -> None:
        self.process = subprocess.Popen(
            [python, Path(__file__).with_name(script), side, data, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env=tensorflow_variables(threads),
        )  # fmt: skip
        self.rows = self.answer()

    def ask(self, row: str, count: int) -> Any:
        """Have a row done ``count`` times."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{row} {count}\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        """The next line that the process prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended with status {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and greatest, to four digits."""
    named = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    return {name: float(f"{value:.4g}") for name, value in named.items()}
