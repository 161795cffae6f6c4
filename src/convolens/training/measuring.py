"""What a run measures of itself while it goes: loss, accuracy and speed."""

import math
import time
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from convolens.errors import ConfigError
from convolens.training.events import Callback, EpochDone, StepsDone

EXPLODED = 1_000.0  # times the loss of guessing: no run comes back from there to anything


class Progress:
    """Running means and speed; the numbers are read from the device only when they are told."""

    def __init__(self, steps: int, on_event: Callback) -> None:
        # Often enough to watch, seldom enough that a long run's log stays small.
        self.interval = max(1, min(20, steps // 100))
        self.on_event = on_event
        self.start = time.perf_counter()
        self.aside = 0.0
        """Seconds that went into validation and checkpoints."""
        self.images = 0
        self.recent = Means()
        self.epoch = Means()

    def add(
        self,
        step: int,
        steps: int,
        epoch: int,
        loss: Tensor,
        logits: Tensor,
        targets: Tensor,
        rate: float,
    ) -> None:
        """Count a step in, and tell of the last ones from time to time.

        Args:
            step: steps done.
            steps: steps planned, as of now.
            epoch: from 1.
            loss: mean of the batch.
            logits: (batch, classes).
            targets: (batch,) int64.
            rate: the learning rate.

        Raises:
            Diverged: the mean loss of the last steps is no number, or enormous.
        """
        loss, correct = loss.detach(), (logits.detach().argmax(1) == targets).sum()
        self.recent.add(loss, correct, len(targets))
        self.epoch.add(loss, correct, len(targets))
        self.images += len(targets)
        if step % self.interval and step < steps:
            return
        mean_loss, accuracy = self.recent.read()
        check_loss(mean_loss, step, limit=EXPLODED * max(1.0, math.log(logits.shape[1])))
        self.recent = Means()
        self.on_event(
            StepsDone(
                step=step,
                steps=steps,
                epoch=epoch,
                loss=mean_loss,
                accuracy=accuracy,
                learning_rate=rate,
                images_per_second=self.images_per_second(),
                seconds_left=self.seconds() / step * max(0, steps - step),
            )
        )

    def seconds(self) -> float:
        """Since the first step, over all parts of a run that was resumed."""
        return time.perf_counter() - self.start

    def images_per_second(self) -> float:
        """Training pictures a second, validation and checkpoints excluded."""
        return self.images / (self.seconds() - self.aside)

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {
            "seconds": self.seconds(),
            "aside": self.aside,
            "images": self.images,
            "recent": self.recent.state_dict(),
            "epoch": self.epoch.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.start = time.perf_counter() - state["seconds"]
        self.aside = state["aside"]
        self.images = state["images"]
        self.recent.load_state_dict(state["recent"])
        self.epoch.load_state_dict(state["epoch"])


class Means:
    """Means over pictures of loss and accuracy, summed on the device."""

    def __init__(self) -> None:
        self.n = 0
        self.loss: Tensor | float = 0.0
        self.correct: Tensor | float = 0.0

    def add(self, loss: Tensor, correct: Tensor, n: int) -> None:
        """Count a batch of n pictures in: its mean loss, and how many were right."""
        self.n += n
        self.loss = self.loss + loss * n
        self.correct = self.correct + correct

    def read(self) -> tuple[float, float]:
        """Mean loss and accuracy."""
        return float(self.loss) / self.n, float(self.correct) / self.n

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"n": self.n, "loss": self.loss, "correct": self.correct}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint; single values on the CPU are added to those of any device."""
        self.n, self.loss, self.correct = state["n"], state["loss"], state["correct"]


class Diverged(ConfigError):  # noqa: N818 - the name says it all
    """The training has left every useful state: the loss or a weight is no number, or enormous.

    Args:
        step: after which it was found.
        what: was found.
    """

    def __init__(self, step: int, what: str) -> None:
        super().__init__(
            f"training diverged: at step {step} {what}; lower the learning rate, or set precision "
            "to float32"
        )
        self.step = step
        self.best: EpochDone | None = None
        """The best epoch before, whose weights the network has again."""

    def keep(self, what: str) -> None:
        """Say what is left of the run."""
        self.args = (f"{self.args[0]}; {what}",)


def check_loss(loss: float, step: int, *, limit: float = math.inf) -> None:
    """Stop a run whose loss is no longer a number, or not below a limit."""
    if not math.isfinite(loss):
        raise Diverged(step, f"the loss is {loss}")
    if loss > limit:
        raise Diverged(step, f"the loss is {loss:.3g}, where guessing gives {limit / EXPLODED:.2g}")
