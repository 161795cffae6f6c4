"""``metrics.jsonl`` as it grows, and cutting it back to where a run goes on from."""

from pathlib import Path

from convolens.files import write_text
from convolens.training.events import Event, EventWriter


class MetricsLog:
    """Callback that appends every event to a file, and knows how many it holds.

    Args:
        path: the file; made when missing.
        keep: how many of its lines stay: those written before the checkpoint that is gone on from.
    """

    def __init__(self, path: Path, *, keep: int = 0) -> None:
        if path.exists():
            # The last line may have been cut off by a crash: it ends without a newline.
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            kept = [line for line in lines[:keep] if line.endswith("\n")]
            write_text(path, "".join(kept))
            keep = len(kept)
        else:
            keep = 0
        self.lines = keep
        self._writer = EventWriter(path)

    def __call__(self, event: Event) -> None:
        """Append one event."""
        self._writer(event)
        self.lines += 1

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
