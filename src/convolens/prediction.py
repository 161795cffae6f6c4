"""Logits of a network for any number of pictures, on all threads and in bounded memory."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convolens.data import Images, Preprocessing
from convolens.threads import thread_pool

if TYPE_CHECKING:
    from concurrent.futures import Future

BATCH_SIZE = 250  # pictures a batch, and
MOST_AT_ONCE = 8  # batches at a time, if there are so many threads: together they bound the memory

T = TypeVar("T")


def predict_logits(
    network: nn.Module,
    batches: Iterable[NDArray[np.float32]],
    *,
    mirrored: bool = False,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Logits of a network for batches of preprocessed pictures, in float32.

    On a CPU every batch is computed by one thread, several at the same time: the numbers do not
    depend on how many there are, and threads that never wait for one another lose little where
    other programs use the processor too.

    Args:
        network: from (n, channels, height, width) to (n, classes). It is put into evaluation mode
            and left as it was found.
        batches: (n, height, width, channels) float32 each, as from :func:`prepared_batches`.
        mirrored: whether to average the logits of each picture and its mirror image.
        threads: how many on a CPU; by default as many as PyTorch would use.

    Returns:
        (n of all batches, classes) float32.
    """
    made = _predicted(lambda pictures: (network(pictures),), network, batches, mirrored, threads)
    return torch.cat([logits for (logits,) in made]).numpy()


@dataclass(frozen=True, eq=False, kw_only=True)
class Outputs:
    """What a network gives of each picture, and what its last layer made that of."""

    logits: NDArray[np.float32]
    """(n, classes)."""
    features: NDArray[np.float32] | None
    """(n, features), the input of the last linear layer; None where the logits are not made there.
    """


def predict_outputs(
    network: nn.Module,
    batches: Iterable[NDArray[np.float32]],
    *,
    mirrored: bool = False,
    threads: int | None = None,
) -> Outputs:
    """Logits as :func:`predict_logits` gives them, to the bit, and the features before them.

    Args:
        network: as there.
        batches: likewise.
        mirrored: whether to average both over each picture and its mirror image.
        threads: how many on a CPU; by default as many as PyTorch would use.
    """
    parts = list(outputs_in_parts(network, batches, mirrored=mirrored, threads=threads))
    return _joined(parts)


def outputs_in_parts(
    network: nn.Module,
    batches: Iterable[NDArray[np.float32]],
    *,
    mirrored: bool = False,
    threads: int | None = None,
    at_least: int = 1,
) -> Generator[Outputs]:
    """What :func:`predict_outputs` gives, part by part: no more is in memory than a few batches.

    Args:
        network: as for :func:`predict_logits`; it is in evaluation mode until the last part.
        batches: likewise.
        mirrored: whether to average both over each picture and its mirror image.
        threads: how many on a CPU; by default as many as PyTorch would use.
        at_least: pictures a part: it has as many whole batches as that takes, the last one fewer.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    seen = threading.local()  # several batches are computed at the same time

    def keep(_: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor) -> None:
        seen.features, seen.logits = given[0], made

    def both(pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        seen.logits = None
        logits = network(pictures)
        made_there = seen.logits is logits and logits.ndim == 2
        return (logits, seen.features) if made_there else (logits,)

    handle = layers[-1].register_forward_hook(keep) if layers else None
    waiting: list[Outputs] = []
    made = _predicted(both, network, batches, mirrored, threads)
    try:
        for values in made:
            logits, *features = (each.numpy() for each in values)
            waiting.append(Outputs(logits=logits, features=features[0] if features else None))
            if sum(len(each.logits) for each in waiting) >= at_least:
                part, waiting = _joined(waiting), []
                yield part
        if waiting:
            yield _joined(waiting)
    finally:
        made.close()
        if handle is not None:
            handle.remove()


def _joined(parts: list[Outputs]) -> Outputs:
    features = [each.features for each in parts if each.features is not None]
    return Outputs(
        logits=np.concatenate([each.logits for each in parts]),
        features=np.concatenate(features) if len(features) == len(parts) else None,
    )


def _predicted(
    compute: Callable[[torch.Tensor], tuple[torch.Tensor, ...]],
    network: nn.Module,
    batches: Iterable[NDArray[np.float32]],
    mirrored: bool,
    threads: int | None,
) -> Generator[tuple[torch.Tensor, ...]]:
    """What ``compute`` gives of each batch, with the network in evaluation mode meanwhile."""
    device, dtype = next(network.parameters()).device, input_dtype(network)

    def values(batch: NDArray[np.float32]) -> tuple[torch.Tensor, ...]:
        with torch.inference_mode():
            pictures = to_network_input(batch, device).to(dtype)
            seen = [each.float() for each in compute(pictures)]
            if mirrored:
                turned = [each.float() for each in compute(pictures.flip(3))]
                seen = [(one + other) / 2 for one, other in zip(seen, turned, strict=False)]
            # Contiguous: what is kept is no part of a larger tensor that would be kept with it.
            return tuple(each.contiguous().cpu() for each in seen)

    at_once = min(threads or torch.get_num_threads(), MOST_AT_ONCE)
    training = network.training
    network.eval()
    try:
        if device.type != "cpu":
            yield from map(values, batches)
        else:
            yield from _computed(values, batches, at_once)
    finally:
        network.train(training)


def _computed(
    compute: Callable[[NDArray[np.float32]], T],
    batches: Iterable[NDArray[np.float32]],
    at_once: int,
) -> Iterator[T]:
    """``compute`` of every batch, in order, with few batches in memory at a time.

    The calling thread computes nothing, so the number of threads that it uses is left alone.
    """
    waiting: deque[Future[T]] = deque()
    with thread_pool(at_once, each=1, name="predicting") as pool:
        try:
            for batch in batches:
                waiting.append(pool.submit(compute, batch))
                if len(waiting) > at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def to_probabilities(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """The softmax of logits that are divided by a temperature first.

    Args:
        logits: (n, classes) float32.
        temperature: above 0; 1 changes nothing.

    Returns:
        (n, classes) float32, each row summing to 1.

    >>> to_probabilities(np.array([[0.0, 2.0]], np.float32), 2.0).round(4)
    array([[0.2689, 0.7311]], dtype=float32)
    """
    return torch.softmax(torch.from_numpy(logits) / temperature, dim=1).numpy()


def prepared_batches(preprocessing: Preprocessing, images: Images) -> Iterator[NDArray[np.float32]]:
    """Preprocessed batches of pictures (n, height, width, channels) of the right shape."""
    return (
        preprocessing(images[start : start + BATCH_SIZE])
        for start in range(0, len(images), BATCH_SIZE)
    )


def to_network_input(images: NDArray[np.floating[Any]], device: torch.device) -> torch.Tensor:
    """Preprocessed pictures (n, height, width, channels) as (n, channels, height, width).

    No pixel is copied on the CPU: the permuted view is what PyTorch calls ``channels_last``.
    """
    return torch.from_numpy(images).to(device, non_blocking=True).permute(0, 3, 1, 2)


def input_dtype(network: nn.Module) -> torch.dtype:
    """What a network computes in: its parameters' kind of floating point.

    float32 where there are none; and where these are of several, for which the network, which has
    to cast anyway, is taken to cast its input, too.

    >>> input_dtype(nn.Linear(1, 2).to(torch.bfloat16))
    torch.bfloat16
    """
    found = {each.dtype for each in network.parameters() if each.is_floating_point()}
    return found.pop() if len(found) == 1 else torch.float32
