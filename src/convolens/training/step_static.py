"""A training step that is a function of tensors in fixed places: a graph can replay it."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from convolens.training.events import Callback, GraphRefused
from convolens.training.graph import WARM_UP, Capture, Compute
from convolens.training.measuring import Progress
from convolens.training.passes import Passes
from convolens.training.resident import ResidentFeed
from convolens.training.step_updates import StaticUpdates


class StaticStep:
    """A step in two halves: the host writes what is new, the device computes the rest.

    New are the place of the batch in the epoch and the numbers of the optimisers. The rest,
    :meth:`compute`, is captured after some steps, once for each batch size, and replayed from then
    on. (There are three sizes at most: two in the first round, which differ by one picture, and
    whole batches in further ones.) Where it cannot be captured it goes on being computed, and an
    event says so once.

    A capture holds the memory of the network, the optimisers and the sums as they are: a step is
    made after a checkpoint is loaded, never before.

    Args:
        feed: where the batches come from.
        passes: forward and backward, of one part.
        optimizers: of its network.
        progress: where loss and accuracy are summed.
        capture: as from :func:`convolens.training.graph.cuda_capture`.
        on_event: is told if the capture is refused.
        warm_up: steps of each batch size that are computed before one is captured.
    """

    def __init__(
        self,
        feed: ResidentFeed,
        passes: Passes,
        optimizers: Sequence[StaticUpdates],
        progress: Progress,
        *,
        capture: Capture,
        on_event: Callback = lambda _: None,
        warm_up: int = WARM_UP,
    ) -> None:
        self.feed = feed
        self.passes = passes
        self.optimizers = optimizers
        self.progress = progress
        self.on_event = on_event
        self._capture: Capture | None = capture
        self._replays: dict[int, Compute] = {}
        self._computed = Counter[int]()
        self._warm_up = warm_up

    def __call__(self, step: int) -> int:
        """Take the step after ``step`` steps; returns how many pictures it saw."""
        for optimizer in self.optimizers:
            optimizer.plan()
        n = self.feed.seek(step)
        if n not in self._replays and self._capture is not None:
            self._warm(n, step)
        self._replays.get(n, partial(self.compute, n))()
        return n

    def compute(self, n: int) -> None:
        """The whole step on ``n`` pictures: nothing in it depends on a number that changes."""
        batch = self.feed.gather(n)
        loss, logits = self.passes.gradients(batch.images, batch.targets)
        for optimizer in self.optimizers:
            optimizer.apply()
            optimizer.zero_grad()  # to None: a captured backward pass makes them in its own memory
        self.progress.count(batch, loss, logits)

    def _warm(self, n: int, step: int) -> None:
        """Count a step of this size, or capture one if there were enough."""
        assert self._capture is not None
        if self._computed[n] < self._warm_up:
            self._computed[n] += 1
            return
        try:
            self._replays[n] = self._capture(partial(self.compute, n))
        except RuntimeError as error:  # what is captured is not done: the state is as it was
            for optimizer in self.optimizers:
                optimizer.zero_grad()
            self._capture = None
            reason = " ".join(str(error).split())[:300]
            self.on_event(GraphRefused(step=step, reason=reason))
