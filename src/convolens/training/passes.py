"""Forward and backward passes of a batch, in parts that are computed at the same time.

PyTorch spreads every single operation over all threads and waits for the slowest of them hundreds
of times a step. Where another program uses one of two cores, that wait made a step eight times as
long as on a single thread (``docs/experiments.md``). Here each part of a batch goes through the
whole network on a thread of its own, and the threads wait for one another once a step.

The parts depend on the size of a batch alone: with one thread the same parts are computed one after
the other, to the same bits. Four threads and more are shared out evenly among the parts.
"""

import copy
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from convolens.threads import thread_pool
from convolens.zoo import draws_random_numbers

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

PARTS = 2
SMALLEST_PART = 32  # pictures: a batch normalisation needs some for its statistics

LossFunction = Callable[[Tensor, Tensor], Tensor]
"""From float32 logits (n, classes) and targets (n,) to the mean loss."""


def parts_of_batch(network: nn.Module, batch_size: int) -> int:
    """In how many parts a batch is computed.

    One on a GPU, which needs no second thread, for a batch too small to divide, and for a network
    that draws random numbers, since threads would draw them in an order of their own.
    """
    on_cpu = next(network.parameters()).device.type == "cpu"
    divided = on_cpu and batch_size >= PARTS * SMALLEST_PART and not draws_random_numbers(network)
    return PARTS if divided else 1


class Passes:
    """Computes the gradients of batches; a context that gives the threads back.

    The parts share the weights. Each has its own statistics in batch normalisations, from the
    pictures of its part; the running ones are made equal, to their mean, after every batch.

    Args:
        network: that is trained. Its parameters get the gradients.
        parts: as from :func:`parts_of_batch`.
        loss: of some pictures, their mean.
        bfloat16: whether the network's passes are computed in bfloat16.
    """

    def __init__(
        self, network: nn.Module, *, parts: int, loss: LossFunction, bfloat16: bool
    ) -> None:
        self.loss = loss
        self.bfloat16 = bfloat16
        self.networks = [network, *(_sharing_weights(network).train() for _ in range(parts - 1))]
        self.threads = torch.get_num_threads()
        self.opened = ExitStack()
        self.executor: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        parts = len(self.networks)
        if parts > 1 and self.threads > 1:
            each = max(1, self.threads // parts)
            pool = thread_pool(parts - 1, each=each, name="passes")
            self.executor = self.opened.enter_context(pool)
            torch.set_num_threads(each)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.opened.close()

    def gradients(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Forward and backward: ``grad`` of every parameter is that of the batch's mean loss.

        Args:
            images: (batch, channels, height, width).
            targets: (batch,) int64.

        Returns:
            The mean loss, and the logits (batch, classes) in float32, both detached.
        """
        n, parts = len(targets), len(self.networks)
        pieces = zip(images.tensor_split(parts), targets.tensor_split(parts), strict=True)
        jobs = [
            (network, some, labels, len(labels) / n)
            for network, (some, labels) in zip(self.networks, pieces, strict=True)
        ]
        if self.executor is None:
            results = [self._pass(*job) for job in jobs]
        else:
            waiting: list[Future[tuple[Tensor, Tensor]]] = [
                self.executor.submit(self._pass, *job) for job in jobs[1:]
            ]
            results = [self._pass(*jobs[0]), *(future.result() for future in waiting)]
        self._gather()
        losses, logits = zip(*results, strict=True)
        return torch.stack(losses).sum(), torch.cat(logits)

    def update(self, optimizers: Sequence[Optimizer]) -> None:
        """One step of every optimiser, as many at a time as there are parts.

        Each changes parameters of its own, so the order is of no consequence.
        """
        waiting: list[Future[None]] = []
        for index, optimizer in enumerate(optimizers):
            if self.executor is not None and index % len(self.networks):
                waiting.append(self.executor.submit(_step, optimizer))
            else:
                _step(optimizer)
        for future in waiting:
            future.result()

    def _pass(
        self, network: nn.Module, images: Tensor, targets: Tensor, share: float
    ) -> tuple[Tensor, Tensor]:
        kind = images.device.type
        with torch.autocast(kind, torch.bfloat16) if self.bfloat16 else nullcontext():
            logits = network(images)
        logits = logits.float()
        loss = self.loss(logits, targets) * share
        loss.backward()
        return loss.detach(), logits.detach()

    @torch.no_grad()
    def _gather(self) -> None:
        """Sum the gradients, in the order of the parts, and let the running statistics agree."""
        if len(self.networks) == 1:
            return
        for parameter, *copies in zip(*(each.parameters() for each in self.networks), strict=True):
            for other in copies:
                if other.grad is not None:
                    assert parameter.grad is not None
                    parameter.grad.add_(other.grad)
                    other.grad = None
        for buffer, *copies in zip(*map(_statistics, self.networks), strict=True):
            for other in copies:
                buffer.add_(other)
            buffer.div_(len(self.networks))
            for other in copies:
                other.copy_(buffer)


def _step(optimizer: Optimizer) -> None:
    optimizer.step()
    optimizer.zero_grad()


def _sharing_weights(network: nn.Module) -> nn.Module:
    """A copy with statistics of its own and the very same weights."""
    other = copy.deepcopy(network)
    for mine, original in zip(other.parameters(), network.parameters(), strict=True):
        mine.data = original.data
    return other


def _statistics(network: nn.Module) -> Sequence[Tensor]:
    return [buffer for buffer in network.buffers() if buffer.is_floating_point()]
