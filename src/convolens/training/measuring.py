"""What a run measures of itself while it goes: loss, accuracy and speed."""

import math
import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from convolens.errors import ConfigError
from convolens.training.events import Callback, EpochDone, StepsDone
from convolens.training.feeding import Batch
from convolens.training.hardest import HardestPictures

EXPLODED = 1_000.0  # times the loss of guessing: no run comes back from there to anything


class Progress:
    """Running means and speed; the numbers are read from the device only when they are told.

    Args:
        steps: planned.
        on_event: called with what is told.
        device: where the losses are; by default the CPU.
        hardest: is told of every batch, if not every round is over all pictures.
    """

    def __init__(
        self,
        steps: int,
        on_event: Callback,
        *,
        device: torch.device | None = None,
        hardest: HardestPictures | None = None,
    ) -> None:
        # Often enough to watch, seldom enough that a long run's log stays small.
        self.interval = max(1, min(20, steps // 100))
        self.on_event = on_event
        self.start = time.perf_counter()
        self.aside = 0.0
        """Seconds that went into validation and checkpoints."""
        self.images = 0
        self.classes = 1
        self.recent = Means(device)
        self.epoch = Means(device)
        self.hardest = hardest

    def end_epoch(self) -> tuple[float, float]:
        """Mean loss and accuracy of the pictures of the epoch; the next one begins.

        Where epochs are over the hardest pictures alone, those of all training pictures, each as it
        was when it was last seen: the few would look as if the training went backwards.
        """
        own = self.epoch.read()
        self.epoch.reset()
        return own if self.hardest is None else self.hardest.means()

    def count(self, batch: Batch, loss: Tensor, logits: Tensor) -> None:
        """Add a batch to the sums: all of it on the device, and nothing of it waits for the device.

        Args:
            batch: the pictures.
            loss: their mean.
            logits: (batch, classes) float32, detached.
        """
        targets = batch.targets
        self.classes = logits.shape[1]
        right = logits.argmax(1) == targets
        loss, correct = loss * len(targets), right.sum()
        self.recent.add(loss, correct)
        self.epoch.add(loss, correct)
        if self.hardest is not None:
            self.hardest.note(batch.samples, logits, targets, right)

    def tell(self, step: int, steps: int, epoch: int, n: int, rate: float) -> None:
        """Know of a step whose batch was counted, and tell of the last ones from time to time.

        Args:
            step: steps done.
            steps: steps planned, as of now.
            epoch: from 1.
            n: pictures of the batch.
            rate: the learning rate.

        Raises:
            Diverged: the mean loss of the last steps is no number, or enormous.
        """
        self.recent.n += n
        self.epoch.n += n
        self.images += n
        if step % self.interval and step < steps:
            return
        mean_loss, accuracy = self.recent.read()
        check_loss(mean_loss, step, limit=EXPLODED * max(1.0, math.log(self.classes)))
        self.recent.reset()
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
    """Means over pictures of loss and accuracy, summed on the device.

    The sums stay where they are in memory, so that a captured step goes on adding to them.

    Args:
        device: where the losses are; by default the CPU.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self.n = 0
        self.loss = torch.zeros((), dtype=torch.float32, device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)

    def add(self, loss: Tensor, correct: Tensor) -> None:
        """Add a batch to the sums; its pictures are counted in ``n`` by whoever knows them."""
        self.loss.add_(loss)
        self.correct.add_(correct)

    def read(self) -> tuple[float, float]:
        """Mean loss and accuracy, in one reading of the device."""
        loss, correct = torch.stack([self.loss.double(), self.correct.double()]).tolist()
        return loss / self.n, correct / self.n

    def reset(self) -> None:
        """Begin again."""
        self.n = 0
        self.loss.zero_()
        self.correct.zero_()

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"n": self.n, "loss": self.loss, "correct": self.correct}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.n = state["n"]
        self.loss.copy_(torch.as_tensor(state["loss"]))
        self.correct.copy_(torch.as_tensor(state["correct"]))


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
