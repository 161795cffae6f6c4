"""What every experiment is when it has ended, or was stopped: a folder and its record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convolens.training import Run, load_run


@dataclass(frozen=True, eq=False, kw_only=True)
class Experiment:
    """An experiment in its folder."""

    path: Path
    """The folder."""
    record: Mapping[str, Any] = field(repr=False)
    """What the record's file holds: settings, data, status and, of several runs, one entry each
    with a summary."""

    @property
    def status(self) -> str:
        """How it ended: "completed" or "interrupted"."""
        return self.record["status"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SeveralRuns(Experiment):
    """One that keeps its runs."""

    @property
    def runs(self) -> list[Run]:
        """The finished runs, in order."""
        return [load_run(self.path / entry["run"]) for entry in self.record["runs"]]
