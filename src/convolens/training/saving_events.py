"""What a run tells of its checkpoints."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved:
    """The state after a step is on disk, whole."""

    event: ClassVar[str] = "checkpoint_saved"
    step: int
    seconds: float
    """That it took."""
    bytes: int
    """Of all its files."""


@dataclass(frozen=True, kw_only=True)
class RunResumed:
    """A run goes on from a checkpoint, or from its beginning where there was none yet."""

    event: ClassVar[str] = "run_resumed"
    step: int
    """Steps that were done."""
    notices: tuple[str, ...] = ()
    """What a person should know, one line each: checkpoints that are damaged and were passed over,
    and in what the machine differs, so that the bits may."""
