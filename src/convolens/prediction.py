"""Logits of a network for any number of pictures, on all threads and in bounded memory."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    return _predicted(network, network, batches, mirrored, threads)


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
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not layers:
        return Outputs(
            logits=_predicted(network, network, batches, mirrored, threads), features=None
        )
    last = layers[-1]
    seen = threading.local()  # several batches are computed at the same time
    elsewhere = threading.Event()

    def keep(_: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor) -> None:
        seen.features, seen.logits = given[0], made

    def both(pictures: torch.Tensor) -> torch.Tensor:
        seen.logits = None
        logits = network(pictures)
        if seen.logits is not logits or logits.ndim != 2:
            elsewhere.set()
            return logits
        return torch.cat([logits.float(), seen.features.float()], dim=1)

    handle = last.register_forward_hook(keep)
    try:
        values = _predicted(both, network, batches, mirrored, threads)
    finally:
        handle.remove()
    if elsewhere.is_set():
        return Outputs(logits=values, features=None)
    logits, features = np.split(values, [last.out_features], axis=1)
    return Outputs(logits=np.ascontiguousarray(logits), features=np.ascontiguousarray(features))


def _predicted(
    compute: Callable[[torch.Tensor], torch.Tensor],
    network: nn.Module,
    batches: Iterable[NDArray[np.float32]],
    mirrored: bool,
    threads: int | None,
) -> NDArray[np.float32]:
    """What ``compute`` gives of all batches, with the network in evaluation mode meanwhile."""
    device, dtype = next(network.parameters()).device, input_dtype(network)

    def values(batch: NDArray[np.float32]) -> torch.Tensor:
        with torch.inference_mode():
            pictures = to_network_input(batch, device).to(dtype)
            seen = compute(pictures).float()
            if mirrored:
                seen = (seen + compute(pictures.flip(3)).float()) / 2
            return seen.cpu()

    at_once = min(threads or torch.get_num_threads(), MOST_AT_ONCE)
    training = network.training
    network.eval()
    try:
        if device.type != "cpu":
            return torch.cat(list(map(values, batches))).numpy()
        return torch.cat(list(_computed(values, batches, at_once))).numpy()
    finally:
        network.train(training)


def _computed(
    compute: Callable[[NDArray[np.float32]], torch.Tensor],
    batches: Iterable[NDArray[np.float32]],
    at_once: int,
) -> Iterator[torch.Tensor]:
    """``compute`` of every batch, in order, with few batches in memory at a time.

    The calling thread computes nothing, so the number of threads that it uses is left alone.
    """
    waiting: deque[Future[torch.Tensor]] = deque()
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
