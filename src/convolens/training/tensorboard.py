"""A run as TensorBoard event files."""

import os
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from convolens.errors import ConfigError
from convolens.extras import require
from convolens.training.events import EpochDone, Event, RunEnded, RunStarted, StepsDone

_PARTS = ("training", "validation")


class TensorBoardWriter:
    """Callback that writes what a run measures as scalars for TensorBoard.

    ``training/`` and ``validation/`` below the folder are what TensorBoard calls runs, so that it
    draws the two losses into one picture, and the two accuracies into another. The tags are "loss"
    and "accuracy" in both, "learning_rate" and "images_per_second" in ``training`` alone; the step
    is the number of steps done. Look at them with ``tensorboard --logdir FOLDER``.

    A run that goes on after an interruption writes into the same folder: what was written of steps
    that are done again is then left out by TensorBoard.

    Args:
        folder: made when missing.

    Raises:
        ExtraMissing: TensorBoard is not installed.
        ConfigError: the folder cannot be written.

    Source of the format: ``tensorboard.summary.writer.record_writer`` writes the records; the
    messages are ``event.proto`` and ``summary.proto`` of TensorBoard.
    """

    def __init__(self, folder: str | Path) -> None:
        require("tensorboard", extra="tensorboard")
        records = import_module("tensorboard.summary.writer.record_writer").RecordWriter
        self._events = import_module("tensorboard.compat.proto.event_pb2")
        self._summaries = import_module("tensorboard.compat.proto.summary_pb2")
        self._begins = True
        self._writers: dict[str, Any] = {}
        try:
            for part in _PARTS:
                self._writers[part] = records(_new_file(Path(folder) / part))
        except OSError as error:
            self.close()
            raise ConfigError(
                f"{folder}: TensorBoard's files cannot be written there "
                f"({error.strerror or error}); name another folder"
            ) from None
        for part in _PARTS:
            self._write(part, file_version="brain.Event:2")

    def __call__(self, event: Event) -> None:
        """Write one event; what a reader sees is whole after every epoch."""
        if isinstance(event, RunStarted):
            self._begins = True
        elif isinstance(event, StepsDone):
            self._begin_at(event.step)
            self._write_scalars(
                "training",
                event.step,
                loss=event.loss,
                accuracy=event.accuracy,
                learning_rate=event.learning_rate,
                images_per_second=event.images_per_second,
            )
        elif isinstance(event, EpochDone):
            self._begin_at(event.step)
            self._write_scalars(
                "validation", event.step, loss=event.val_loss, accuracy=event.val_accuracy
            )
            self._flush()
        elif isinstance(event, RunEnded):
            self._flush()

    def close(self) -> None:
        """Close the files; may be called more than once."""
        for writer in self._writers.values():
            writer.close()

    def _begin_at(self, step: int) -> None:
        """Say that nothing of this step or a later one that was written before counts."""
        if not self._begins:
            return
        self._begins = False
        start = self._events.SessionLog(status=self._events.SessionLog.START)
        for part in _PARTS:
            self._write(part, step=step, session_log=start)

    def _write_scalars(self, part: str, step: int, **scalars: float) -> None:
        values = [
            self._summaries.Summary.Value(tag=tag, simple_value=value)
            for tag, value in scalars.items()
        ]
        self._write(part, step=step, summary=self._summaries.Summary(value=values))

    def _write(self, part: str, **fields: Any) -> None:
        event = self._events.Event(wall_time=time.time(), **fields)
        self._writers[part].write(event.SerializeToString())

    def _flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()


def _new_file(folder: Path) -> Any:
    """TensorBoard reads the files of a folder in the order of their names: by their time."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"events.out.tfevents.{time.time_ns():020d}.{os.getpid()}"
    return (folder / name).open("xb")
