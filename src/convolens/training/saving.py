"""What a run writes while it goes: its checkpoints, and the best model so far."""

import errno
import os
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from convolens.bundle import Model
from convolens.config import to_dict
from convolens.data import Split
from convolens.evaluation import Evaluation, choose_neighbours, fit_neighbours
from convolens.training.cadence import Cadence, CheckpointEvery, choose_cadence
from convolens.training.checkpoints import CHECKPOINTS, write_checkpoint
from convolens.training.events import EpochDone, Event
from convolens.training.metrics_log import MetricsLog
from convolens.training.recording import Job
from convolens.training.saving_events import CheckpointSaved
from convolens.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable

KEEP_EVERY = 30.0  # seconds between two writings of a better model while the run goes
COPIES = 4  # of the weights in a state: themselves, the best ones, and two momenta
BYTES_PER_SECOND = 100e6  # of a slow disk: what the first checkpoint is thought to take
# What a disk says when it cannot take any more; anything else is a mistake of ours.
_DISK_ERRORS = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO, errno.EROFS}


class CheckpointSaver:
    """Writes a run's checkpoints when its cadence says so, and tells of each."""

    def __init__(
        self, folder: Path, every: CheckpointEvery, job: Job, log: MetricsLog, *, begin: float
    ) -> None:
        size = sum(p.numel() * p.element_size() for p in job.network.parameters())
        self.folder = folder / CHECKPOINTS
        self.cadence: Cadence = choose_cadence(every, expected=COPIES * size / BYTES_PER_SECOND)
        self.log = log
        self.begin = begin
        self.on_event: Callable[[CheckpointSaved], None] = lambda _: None

    def due(self, state: TrainingState) -> bool:
        """Whether it is time to."""
        return self.cadence.due(state.step)

    def save(self, state: TrainingState) -> None:
        """Write one, with what else is needed to go on from it."""
        start = time.perf_counter()
        facts = {"events": self.log.lines, "total_seconds": start - self.begin}
        size = write_checkpoint(self.folder, state.step, state.state_dict(), facts)
        seconds = time.perf_counter() - start
        state.progress.aside += seconds
        self.cadence.saved(seconds)
        self.on_event(CheckpointSaved(step=state.step, seconds=seconds, bytes=size))


@dataclass(frozen=True, eq=False)
class ModelKeeper:
    """Writes a better model while the run goes, so that a crash does not lose all of it."""

    path: Path
    job: Job

    def __call__(self, event: Event) -> None:
        """Write the model if this is an epoch that made it better, not too often."""
        if isinstance(event, EpochDone) and event.best and self._due(event.seconds):
            self.save(event)

    def save(self, best: EpochDone, test: Evaluation | None = None) -> Model:
        """Write it, with the neighbours that a new picture's familiarity is measured by.

        Returns:
            What was written.
        """
        model = with_neighbours(self.model(best, test), self.job.data.validation)
        model.save(self.path)
        return model

    def model(self, best: EpochDone, test: Evaluation | None = None) -> Model:
        """The network as it is now, with what it reached."""
        return Model(
            network=self.job.network,
            architecture=self.job.recipe.architecture,
            arguments=self.job.recipe.arguments,
            preprocessing=self.job.preprocessing,
            classes=self.job.data.class_names,
            mirrored=self.job.recipe.augmentation.flip is True,
            temperature=best.temperature or 1.0,
            thresholds=best.thresholds,
            recipe=to_dict(self.job.recipe),
            metrics={
                "epoch": best.epoch,
                "val_accuracy": best.val_accuracy,
                "val_loss": best.val_loss,
                "test_accuracy": test.accuracy if test else None,
            },
        )

    def _due(self, seconds: float) -> bool:
        written = self.path / "model.json"
        if not written.exists():
            return seconds >= KEEP_EVERY
        return time.time() - written.stat().st_mtime >= KEEP_EVERY


def with_neighbours(model: Model, validation: Split) -> Model:
    """A model that knows the unknown by its distance to validation pictures, where it can be."""
    if model.thresholds is None:
        return model
    chosen = choose_neighbours(len(validation.labels))
    features = model.outputs(validation.images[chosen]).features
    unknown = None if features is None else fit_neighbours(features)
    if unknown is None:
        return model
    thresholds = replace(model.thresholds, unknown=unknown)
    return replace(model, thresholds=thresholds, neighbours=features)


def disk_error(error: BaseException) -> str | None:
    """What a disk that cannot be written to said; None if an error is not about that."""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, SafetensorError):  # which has the number in its text alone
        said = re.search(r"os error (\d+)", str(error))
        number = int(said[1]) if said else None
    return os.strerror(number) if number is not None and number in _DISK_ERRORS else None
