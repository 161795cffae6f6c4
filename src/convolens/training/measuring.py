"""What a run measures of itself while it goes: loss, accuracy and speed."""

import math
import time

from torch import Tensor

from convolens.errors import ConfigError
from convolens.training.events import Callback, Event, StepsDone


class Progress:
    """Running means and speed; the numbers are read from the device only when they are told."""

    def __init__(self, steps: int, on_event: Callback) -> None:
        self.steps = steps
        # Often enough to watch, seldom enough that a long run's log stays small.
        self.interval = max(1, min(20, steps // 100))
        self.on_event = on_event
        self.start = time.perf_counter()
        self.validating = 0.0
        self.images = 0
        self.recent = Means()
        self.epoch = Means()

    def add(
        self, step: int, epoch: int, loss: Tensor, logits: Tensor, targets: Tensor, rate: float
    ) -> None:
        """Count a step in, and tell of the last ones from time to time."""
        loss, correct = loss.detach(), (logits.detach().argmax(1) == targets).sum()
        self.recent.add(loss, correct, len(targets))
        self.epoch.add(loss, correct, len(targets))
        self.images += len(targets)
        if step % self.interval and step != self.steps:
            return
        event = self._event(step, epoch, rate)
        self.recent = Means()
        self.on_event(event)

    def _event(self, step: int, epoch: int, rate: float) -> Event:
        mean_loss, accuracy = self.recent.read()
        check_finite(mean_loss, step)
        speed = self.images_per_second()
        per_step = self.seconds() / step
        return StepsDone(
            step=step,
            steps=self.steps,
            epoch=epoch,
            loss=mean_loss,
            accuracy=accuracy,
            learning_rate=rate,
            images_per_second=speed,
            seconds_left=per_step * (self.steps - step),
        )

    def seconds(self) -> float:
        """Since the first step."""
        return time.perf_counter() - self.start

    def images_per_second(self) -> float:
        """Training pictures a second, validation excluded."""
        return self.images / (self.seconds() - self.validating)


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


def check_finite(loss: float, step: int) -> None:
    """Stop a run whose loss is no longer a number."""
    if not math.isfinite(loss):
        raise ConfigError(
            f"training diverged: the loss at step {step} is {loss}; lower the learning rate, or "
            "set precision to float32"
        )
