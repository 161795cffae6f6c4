"""What a run tells while it goes: the same events to callbacks and to ``metrics.jsonl``."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TextIO, get_args

from convolens.config import choose, from_dict, to_dict
from convolens.doubt import Thresholds
from convolens.training.saving_events import CheckpointSaved, RunResumed


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """Everything is ready; the first step comes next."""

    event: ClassVar[str] = "run_started"
    epochs: float
    steps: int
    n_train: int
    batch_size: int
    parameters: int
    device: str
    precision: str
    seconds_expected: float | None = None
    """How long the training will take, where that is known before it starts."""
    accuracy_expected: float | None = None
    """Share of unseen pictures (0..1) that runs like this one get right, where that is known."""
    hardest_share: float = 1.0
    """Share of the training pictures (0..1) that a round after the first is over, at least."""


@dataclass(frozen=True, kw_only=True)
class StepsDone:
    """Some steps are done; loss and accuracy are means over the steps since the last such event.

    After the first round they may be those of the hardest pictures alone.
    """

    event: ClassVar[str] = "steps_done"
    step: int
    steps: int
    """Of the whole run; a run that keeps to a time may change it from event to event."""
    epoch: int
    """From 1."""
    loss: float
    accuracy: float
    learning_rate: float
    """Of the first optimiser, at the last of these steps."""
    images_per_second: float
    """Training pictures a second, validation excluded."""
    seconds_left: float
    """Until the end of the whole run."""


@dataclass(frozen=True, kw_only=True)
class EpochDone:
    """An epoch is done and the validation pictures are judged."""

    event: ClassVar[str] = "epoch_done"
    epoch: int
    """From 1."""
    step: int
    """Steps done when it was judged."""
    train_loss: float
    """Mean over the training pictures, each as it was when it was last seen: of what is minimised,
    with its label smoothing and class weights; but where rounds are over the hardest pictures, of
    the plain cross-entropy."""
    train_accuracy: float
    """Likewise."""
    val_loss: float
    val_accuracy: float
    best: bool
    """Whether this is the best model so far, by validation accuracy, then by validation loss."""
    seconds: float
    """Since the first step."""
    temperature: float | None = None
    """Of the best so far: what logits are divided by, so that the probabilities of the validation
    pictures fit best. Loss and accuracy here are those without it."""
    thresholds: Thresholds | None = None
    """Likewise: what it needs to say "unsure" and "unknown"."""


@dataclass(frozen=True, kw_only=True)
class RunEnded:
    """The last event: "completed", "interrupted" or "failed"."""

    event: ClassVar[str] = "run_ended"
    status: str
    step: int
    best_epoch: int
    train_seconds: float


@dataclass(frozen=True, kw_only=True)
class GraphRefused:
    """Steps are not replayed from a CUDA graph but computed one by one: the same, only slower."""

    event: ClassVar[str] = "graph_refused"
    step: int
    """Steps done when it was tried."""
    reason: str
    """What the capture said, in one line."""


Event = RunStarted | StepsDone | EpochDone | CheckpointSaved | RunResumed | GraphRefused | RunEnded
Callback = Callable[[Event], None]
_KINDS: dict[str, type[Event]] = {kind.event: kind for kind in get_args(Event)}


def event_to_dict(event: Event) -> dict[str, Any]:
    """An event as one JSON object.

    >>> event_to_dict(RunEnded(status="completed", step=3, best_epoch=1, train_seconds=0.5))
    {'event': 'run_ended', 'status': 'completed', 'step': 3, 'best_epoch': 1, 'train_seconds': 0.5}
    """
    return {"event": event.event, **to_dict(event)}


def event_from_dict(values: Mapping[str, Any]) -> Event:
    """An event again, from what :func:`event_to_dict` made of it.

    Raises:
        ConfigError: it is none.

    >>> end = RunEnded(status="completed", step=3, best_epoch=1, train_seconds=0.5)
    >>> event_from_dict(event_to_dict(end)) == end
    True
    """
    kind = choose("event", str(values.get("event")), _KINDS)
    return from_dict(kind, {name: value for name, value in values.items() if name != "event"})


def event_to_line(event: Event, **more: str) -> str:
    """An event as one line of JSON, its end included; ``more`` comes first after its kind.

    A number that is NaN or infinite becomes null: JSON has none, and a log must not end a run.

    >>> end = RunEnded(status="failed", step=3, best_epoch=1, train_seconds=math.nan)
    >>> json.loads(event_to_line(end))["train_seconds"] is None
    True
    """
    values = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in ({"event": event.event} | more | event_to_dict(event)).items()
    }
    return json.dumps(values, allow_nan=False) + "\n"


class EventWriter:
    """Callback that appends every event to a file, one JSON object a line, flushed at once."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")

    def __call__(self, event: Event) -> None:
        """Append one event."""
        self._file.write(event_to_line(event))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_events(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a ``metrics.jsonl``; a last line cut off by a crash is left out."""
    events: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return events
