"""A run on disk: its folder, its record, and reading it back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convolens.bundle import Model, load_model
from convolens.data import Dataset, load_data
from convolens.errors import ConfigError, DataError, ModelError
from convolens.evaluation import Evaluation, evaluate
from convolens.files import read_json, write_json
from convolens.training.checkpoints import clear_strays, is_stray
from convolens.training.events import read_events
from convolens.training.locking import LOCK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECORD = "run.json"
METRICS = "metrics.jsonl"
REPORT = "report.html"
RUNS = Path("runs")


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """A training run that has ended, in its folder."""

    path: Path
    """The folder."""
    record: Mapping[str, Any]
    """What ``run.json`` holds: settings, data, seed, machine, versions, status, results."""
    dataset: Dataset | None = field(default=None, repr=False)
    """The data, while they are at hand; else they are loaded again by name."""
    stop_asked: bool = False
    """Whether somebody asked to stop while it went on, be it in its very last step: no other run
    should begin after it."""
    test: Evaluation | None = field(default=None, repr=False)
    """The model as it was judged on the test pictures when the run ended; None where there were
    none, or the run is only opened."""

    @property
    def results(self) -> dict[str, Any]:
        """The figures that ``convolens train --json`` prints."""
        return self.record["results"]

    @property
    def status(self) -> str:
        """One of "running", "completed", "interrupted" and "failed"."""
        return self.record["status"]

    @property
    def history(self) -> list[dict[str, Any]]:
        """One entry an epoch: loss and accuracy on the training and the validation pictures."""
        return self._told("epoch_done")

    @property
    def steps(self) -> list[dict[str, Any]]:
        """What was measured between: loss, accuracy and learning rate of some steps each."""
        return self._told("steps_done")

    def model(self) -> Model:
        """The model of the best epoch."""
        return load_model(self.path)

    def data(self) -> Dataset:
        """The data set that the run was trained on.

        Raises:
            DataError: it can no longer be found, or it has changed.
        """
        if self.dataset is not None:
            return self.dataset
        recorded = self.record["data"]
        dataset = load_data(recorded["source"], **recorded.get("options", {}))
        if dataset.fingerprint != recorded["fingerprint"]:
            raise DataError(
                f"{recorded['source']} is not the data that {self.path} was trained on: it has "
                "changed since; hand the data set to evaluate()"
            )
        return dataset

    def evaluate(self, data: Dataset | None = None, *, split: str = "test") -> Evaluation:
        """Judge the model, by default on the test pictures of its own data set."""
        return evaluate(self.model(), data or self.data(), split=split)

    def write_report(self, path: str | Path | None = None) -> Path:
        """Write the report on its model as one page: how good it is, where it fails, and why.

        Args:
            path: where to; by default ``report.html`` in the run's folder.

        Returns:
            The page.

        Raises:
            DataError: its data can no longer be found, or they have changed.
            ConfigError: the path is a folder, or a file that is no page of ours.
        """
        from convolens.training.report import write_report

        return write_report(self, self.test, path)

    def plot_learning_curves(self) -> "Figure":
        """Loss, accuracy and learning rate over the epochs."""
        from convolens.plotting import plot_learning_curves

        return plot_learning_curves(self.history, self.steps, note=self.curves_note)

    @property
    def curves_note(self) -> str:
        """What must be said beside its learning curves."""
        mined = self.record["recipe"].get("hardest_share", 1.0) < 1
        return "training, after a first round: of the hardest pictures" if mined else ""

    def to_dict(self) -> dict[str, Any]:
        """What ``convolens train --json`` prints."""
        return {"run": str(self.path), **self.results}

    def _told(self, kind: str) -> list[dict[str, Any]]:
        events = read_events(self.path / METRICS)
        return [event for event in events if event["event"] == kind]


def load_run(path: str | Path) -> Run:
    """Open a run folder.

    Raises:
        ModelError: it is not one, or its record is damaged.
    """
    folder = Path(path)
    if not (folder / RECORD).is_file():
        raise ModelError(f"{folder} is not a run folder: it has no {RECORD}")
    record = read_json(folder / RECORD, error=ModelError)
    missing = {"status", "data", "results"} - record.keys()
    if missing:
        raise ModelError(f"{folder / RECORD} lacks {', '.join(sorted(missing))}; it is damaged")
    return Run(path=folder, record=record)


def make_run_folder(path: str | Path | None, *, data: str, recipe: str) -> Path:
    """Make the folder of a new run.

    Args:
        path: where; by default ``runs/<data>-<recipe>-<n>`` with the next free n.
        data: name of the data set.
        recipe: name of the recipe.

    Raises:
        ConfigError: there is something at ``path`` already.
    """
    if path is not None:
        return _claim(Path(path))
    number = 1
    while True:
        folder = RUNS / f"{data}-{recipe}-{number}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder


def clear_claimed(folder: Path) -> None:
    """Make a folder that this process has locked empty of what a killed one left.

    Raises:
        ConfigError: another process made a run of it, before it was locked.
    """
    clear_strays(folder)
    if _occupied(folder):
        raise ConfigError(_taken(folder))


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write ``run.json`` whole, with the time at which it was written."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(folder / RECORD, {**record, "written": now})


def _claim(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = _occupied(folder)
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(f"{folder} is a file; a run needs a folder of its own") from None
    except OSError as error:
        raise ConfigError(
            f"{folder}: a run cannot be written there ({error.strerror or error}); name another "
            "folder"
        ) from None
    if occupied:
        raise ConfigError(_taken(folder))
    return folder


def _occupied(folder: Path) -> bool:
    return any(entry.name != LOCK and not is_stray(entry) for entry in folder.iterdir())


def _taken(folder: Path) -> str:
    if (folder / RECORD).is_file():
        return (
            f"{folder} is not empty; a run needs a folder of its own: name another one, or go on "
            f"with the run in it: convolens train --resume --run {folder}"
        )
    return f"{folder} is not empty; a run needs a folder of its own: name another one, or none"
