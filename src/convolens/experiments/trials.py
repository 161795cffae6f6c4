"""The trials of a tuning on disk: one line each, written once, whole or not at all."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from convolens.config import from_dict, to_dict
from convolens.errors import ConfigError

FILE = "trials.jsonl"


@dataclass(frozen=True, kw_only=True)
class Rung:
    """What a trial reached on one rung of the halving."""

    epochs: float
    """For which it was trained, with a whole schedule."""
    val_accuracy: float
    """On the validation pictures."""
    val_loss: float
    """Likewise."""
    seconds: float
    """That it took."""

    @property
    def score(self) -> tuple[float, float]:
        """By accuracy, and by loss where that is the same."""
        return self.val_accuracy, -self.val_loss


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Some settings, and how far they came."""

    trial: int
    """From 1; the first has the recipe's own settings."""
    status: Literal["completed", "halted", "failed"]
    """"halted" on a rung where too many others were better, "failed" if it could not be trained."""
    settings: dict[str, Any]
    """Name to value."""
    rungs: tuple[Rung, ...] = ()
    """Those that it reached, by rising epochs."""
    reason: str | None = None
    """Why it failed."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


class TrialLog:
    """The file with the finished trials.

    A process that is killed while it writes leaves the start of a line at the end. That trial did
    not end: the rest of its line is removed when the file is opened, and the trial made again.

    Args:
        path: of the file, which need not exist.

    Raises:
        ConfigError: a whole line that is no trial, or one that is not the next.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.trials: list[Trial] = []
        content = path.read_bytes() if path.exists() else b""
        whole = content.rfind(b"\n") + 1
        for number, line in enumerate(content[:whole].splitlines(), 1):
            self.trials.append(_read(path, number, line))
        if whole < len(content):
            with path.open("rb+") as file:
                file.truncate(whole)
                os.fsync(file.fileno())

    def append(self, trial: Trial) -> None:
        """Add the next trial; when this returns, it is on the disk."""
        assert trial.trial == len(self.trials) + 1, "trials are numbered as they end"
        line = json.dumps(trial.to_dict(), allow_nan=False) + "\n"
        with self._path.open("ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        self.trials.append(trial)


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The best of those that came furthest; None if none was trained."""
    trained = [trial for trial in trials if trial.rungs]
    return max(
        trained, key=lambda trial: (trial.rungs[-1].epochs, trial.rungs[-1].score), default=None
    )


def _read(path: Path, number: int, line: bytes) -> Trial:
    where = f"{path}, line {number}"
    try:
        content = json.loads(line)
    except ValueError:
        raise ConfigError(f"{where} is no JSON: the file is damaged; name another folder") from None
    if not isinstance(content, dict) or content.get("trial") != number:
        raise ConfigError(f"{where} is not trial {number}; the file was changed by hand")
    return from_dict(Trial, content, source=where)
