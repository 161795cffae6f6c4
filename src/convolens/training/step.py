"""One step of training: forward, loss, backward, update, and what is measured of it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch.optim import Optimizer

from convolens.training.events import Callback
from convolens.training.feeding import Feed
from convolens.training.graph import cuda_capture
from convolens.training.measuring import Progress
from convolens.training.passes import Passes
from convolens.training.resident import ResidentFeed
from convolens.training.state import TrainingState
from convolens.training.step_static import StaticStep
from convolens.training.step_updates import StaticUpdates
from convolens.zoo import draws_random_numbers


class LearningRates:
    """The rates of some optimisers: made before a checkpoint is loaded, they are the peaks.

    Args:
        optimizers: as they were built.
    """

    def __init__(self, optimizers: Sequence[Optimizer]) -> None:
        self._optimizers = optimizers
        self._peaks = [[group["lr"] for group in each.param_groups] for each in optimizers]

    def set(self, factor: float) -> float:
        """Set every rate to ``factor`` times its peak; returns that of the first optimiser."""
        for optimizer, peaks in zip(self._optimizers, self._peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
        return self._peaks[0][0] * factor


class Step(Protocol):
    """Takes training steps, at the rates that the optimisers have."""

    def __call__(self, step: int) -> int:
        """Take the step after ``step`` steps; returns how many pictures it saw."""
        ...


class EagerStep:
    """A step that is computed operation by operation, on any device.

    Args:
        feed: where the batches come from.
        passes: forward and backward.
        optimizers: of its network.
        progress: where loss and accuracy are summed.
        seed: of dropout.
    """

    def __init__(
        self,
        feed: Feed,
        passes: Passes,
        optimizers: Sequence[Optimizer],
        progress: Progress,
        *,
        seed: int,
    ) -> None:
        self.feed = feed
        self.passes = passes
        self.optimizers = optimizers
        self.progress = progress
        self.seed = seed

    def __call__(self, step: int) -> int:
        """Take the step after ``step`` steps; returns how many pictures it saw."""
        _seed_dropout(self.seed, step)
        batch = self.feed.batch(step)
        loss, logits = self.passes.gradients(batch.images, batch.targets)
        self.passes.update(self.optimizers)
        self.progress.count(batch, loss, logits)
        return len(batch.targets)


def choose_step(
    feed: Feed, passes: Passes, state: TrainingState, *, seed: int, on_event: Callback
) -> Step:
    """A step from a CUDA graph where that is the same, else one operation after the other.

    It is the same where the pictures lie on the GPU, the optimisers are made for it (those of
    ``fast`` and ``accurate``), and the network draws no random numbers: those are a function of the
    step by a seed of the host's, which a graph would not see.
    """
    optimizers = [each for each in state.optimizers if isinstance(each, StaticUpdates)]
    static = len(optimizers) == len(state.optimizers) and not draws_random_numbers(state.network)
    if static and isinstance(feed, ResidentFeed) and feed.device.type == "cuda":
        capture = cuda_capture()
        return StaticStep(
            feed, passes, optimizers, state.progress, capture=capture, on_event=on_event
        )
    return EagerStep(feed, passes, state.optimizers, state.progress, seed=seed)


def _seed_dropout(seed: int, step: int) -> None:
    """Make what a step draws a function of (seed, step) alone."""
    state = np.random.SeedSequence([seed, step]).generate_state(2, np.uint32)
    torch.manual_seed(int(state[0]) << 32 | int(state[1]))
