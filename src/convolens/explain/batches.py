"""Pictures through a network, batch by batch: memory is bounded, and every thread has a batch."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from convolens.errors import ConfigError, ModelError
from convolens.explain.networks import (
    AnyPictures,
    Explainable,
    check_logits,
    judging,
    mirrored,
    network_input,
    network_of,
)
from convolens.prediction import MOST_AT_ONCE
from convolens.threads import thread_pool

PASSING = 50
"""Pictures a batch that only pass (more gain nothing on a CPU), and"""
LEARNING = 32
"""those whose gradients go all the way back, for which every layer's output is kept."""
_PIXELS = 2**18  # a batch of large pictures has fewer: some 5 of 224 x 224

T = TypeVar("T")


def in_batches(
    model: Explainable,
    pictures: AnyPictures,
    compute: Callable[[Tensor, slice], T],
    *,
    most: int = PASSING,
) -> list[T]:
    """What is computed for each batch of pictures, in order.

    The network is in evaluation mode meanwhile. On a CPU every batch is computed by one thread,
    several at the same time: as in ``prediction``, the numbers do not depend on how many there are,
    and threads do not wait for one another.

    Args:
        model: a trained model or any network.
        pictures: as for :func:`~convolens.explain.networks.network_input`; each batch is prepared
            when its turn comes.
        compute: from the network's input (n, channels, height, width) and the place of its pictures
            among all to anything. It is called in several threads.
        most: pictures a batch.

    Raises:
        ConfigError: no pictures, or values that are not finite.
        ImageError: a picture cannot be read.
    """
    first = first_input(model, pictures)
    n, size = len(pictures), batch_size(first, most)
    spans = [slice(start, min(start + size, n)) for start in range(0, n, size)]

    def computed(span: slice) -> T:
        # Gradients and what they need are tensors of ordinary use, wherever the caller is.
        with torch.inference_mode(mode=False), torch.enable_grad():
            x = network_input(model, pictures[span])
            _check_finite(x, span)
            return compute(x, span)

    with judging(network_of(model)):
        if first.device.type != "cpu":
            return [computed(span) for span in spans]
        at_once = min(torch.get_num_threads(), MOST_AT_ONCE, len(spans))
        with thread_pool(at_once, each=1, name="explaining") as pool:
            return list(pool.map(computed, spans))


def on_one_thread(compute: Callable[[], T]) -> T:
    """What is computed, on one of PyTorch's threads alone.

    A pass of a single picture is so short that where other programs use the processor, too,
    threads that wait for one another can take a hundred times as long.
    """
    with thread_pool(1, each=1, name="explaining") as pool:
        return pool.submit(compute).result()


def first_input(model: Explainable, pictures: AnyPictures) -> Tensor:
    """(1, channels, height, width): the first picture, by which all the others are measured.

    Raises:
        ConfigError: there is none, or pictures of a wrong kind.
    """
    many = hasattr(pictures, "__len__") and hasattr(pictures, "__getitem__")
    return network_input(model, pictures[:1] if many else pictures)


def batch_size(x: Tensor, most: int) -> int:
    """Pictures a batch: fewer of large ones."""
    return max(1, min(most, _PIXELS // (x.shape[2] * x.shape[3])))


def mean_logits(model: Explainable, x: Tensor) -> Tensor:
    """Logits as the model predicts by them: of a mirrored one the mean of both views'.

    Args:
        model: a trained model or any network, in evaluation mode.
        x: (n, channels, height, width); it is left as it is.

    Returns:
        (n, classes) float32.

    Raises:
        ConfigError: the network does not give logits.
        ModelError: they are not finite.
    """
    logits = check_logits(network_of(model)(both_views(model, x)), len(x) * views(model)).float()
    if not bool(torch.isfinite(logits).all()):
        raise ModelError(
            "the network gives logits that are not finite: there is nothing to explain"
        )
    return (logits[: len(x)] + logits[len(x) :]) / 2 if mirrored(model) else logits


def views(model: Explainable) -> int:
    """How many views of each picture the model looks at."""
    return 2 if mirrored(model) else 1


def both_views(model: Explainable, x: Tensor) -> Tensor:
    """The pictures and, for a mirrored model, their mirror images behind them; always a copy."""
    return torch.cat([x, x.flip(3)]) if mirrored(model) else x.clone()


def mirrored_back(model: Explainable, maps: Tensor) -> Tensor:
    """Of maps of both views the mean of each picture's, its mirror image's turned back.

    Args:
        model: the one that looked.
        maps: (views * n, height, width).

    Returns:
        (n, height, width).
    """
    if not mirrored(model):
        return maps
    straight, turned = maps.chunk(2)
    return (straight + turned.flip(2)) / 2


def at_least_single(values: Tensor) -> Tensor:
    """Values in float32, or float64 if they are: sums in half the bits lose most of these."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _check_finite(x: Tensor, span: slice) -> None:
    finite: Any = torch.isfinite(x).flatten(1).all(dim=1)
    if not bool(finite.all()):
        number = span.start + int((~finite).nonzero()[0, 0]) + 1
        raise ConfigError(
            f"picture {number} has values that are not finite; pictures hold ordinary numbers"
        )
