"""Training pictures that lie on the GPU: uploaded once, prepared there batch by batch.

A step then needs nothing of the host but where in the epoch it is. The order of an epoch and what
its augmentation does are computed on the host, by the same functions as ever, and sent once an
epoch. Tested on the CPU against :class:`convolens.training.feeding.Feed`, bit for bit; how fast it
is on a GPU has not been measured yet.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from convolens.data import Images, Preprocessing, Split
from convolens.data.stored import image_chunks
from convolens.training.feeding import Batch, Feed
from convolens.training.hardware import free_memory, send
from convolens.training.settings import Recipe

SHARE = 0.5
"""Of a GPU's free memory that the pictures may take. The other half is for the network: activations
and gradients of one batch, which are not known before the first step."""


def choose_feed(
    train: Split, preprocessing: Preprocessing, recipe: Recipe, *, seed: int, device: torch.device
) -> Feed:
    """A resident feed where the device is a GPU with room for the pictures, else that of the host.

    Args:
        train: as for :class:`Feed`.
        preprocessing: likewise.
        recipe: likewise.
        seed: likewise.
        device: likewise.
    """
    resident = resident_bytes(train, preprocessing) <= SHARE * free_memory(device)
    feed = ResidentFeed if resident else Feed
    return feed(train, preprocessing, recipe, seed=seed, device=device)


def resident_bytes(train: Split, preprocessing: Preprocessing) -> int:
    """What a resident feed keeps on the device: pictures, labels, order, changes, losses, table."""
    of_each = 8 + 8 + 16 + 1 + 4 + 1
    columns = _columns(preprocessing)
    return int(np.prod(train.images.shape)) + of_each * len(train.labels) + 256 * 4 * columns


class ResidentFeed(Feed):
    """The batches of a run from pictures on the device; the very numbers of :class:`Feed`.

    All that changes from step to step lies in tensors that are written in place: what
    :meth:`gather` does can be captured once, and replayed after every :meth:`seek`.

    Args:
        train: the training pictures, in memory or on disk; all are copied to the device.
        preprocessing: as for :class:`Feed`.
        recipe: likewise.
        seed: likewise.
        device: where the pictures are kept.
    """

    def __init__(
        self,
        train: Split,
        preprocessing: Preprocessing,
        recipe: Recipe,
        *,
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(train, preprocessing, recipe, seed=seed, device=device)
        n = len(train.labels)
        self._pictures = _uploaded(train.images, device)
        self._targets = send(self.labels, device)
        self._table = PreparationTable(preprocessing, device)
        self._bounds: list[int] = []
        self._start = torch.zeros((), dtype=torch.int64, device=device)
        assert recipe.batch_size is not None
        self._places = torch.arange(min(n, recipe.batch_size), device=device)
        self._samples_in_order = torch.zeros(n, dtype=torch.int64, device=device)
        self._plan = recipe.augmentation.plan(n, seed=seed, epoch=0).to(device)

    def gather(self, n: int) -> Batch:
        """The batch that was gone to: a function of ``n`` and of tensors on the device."""
        samples = self._samples_in_order.index_select(0, self._places[:n] + self._start)
        images = self._table.prepare(self._pictures.index_select(0, samples))
        images = self._plan.apply(images, samples)
        return Batch(images, self._targets.index_select(0, samples), samples)

    def _begin(self) -> None:
        order = self._order()
        self._bounds = _bounds(len(order), self._steps_of_round())
        self._samples_in_order[: len(order)].copy_(send(torch.from_numpy(order), self.device))
        self._plan.become(self._changes())

    def _go_to(self, position: int) -> int:
        start, end = self._bounds[position : position + 2]
        self._start.fill_(start)
        return end - start


class PreparationTable:
    """What a preprocessing makes of each of the 256 values, at each place that it treats apart.

    The host fills it by calling the preprocessing, so looking it up gives its numbers to the bit,
    whatever a device's arithmetic is like. It has 1 KB for a channel, or for each value of a
    picture where every pixel has statistics of its own.

    Args:
        preprocessing: of any kind.
        device: where the pictures are.

    >>> table = PreparationTable(Preprocessing("scale", (1, 2, 1)), torch.device("cpu"))
    >>> table.prepare(torch.tensor([51, 255], dtype=torch.uint8).view(1, 1, 2, 1)).tolist()
    [[[[0.20000000298023224, 1.0]]]]
    """

    def __init__(self, preprocessing: Preprocessing, device: torch.device) -> None:
        pixel = preprocessing
        if preprocessing.kind != "per_pixel":  # a picture of one pixel stands for all
            pixel = replace(preprocessing, shape=(1, 1, preprocessing.shape[2]))
        values = np.arange(256, dtype=np.uint8)[:, None, None, None]
        table = pixel(np.broadcast_to(values, (256, *pixel.shape)))
        columns = np.arange(_columns(preprocessing)).reshape(pixel.shape)
        self._columns = int(columns.size)
        self._table = send(torch.from_numpy(table), device)
        self._column = send(torch.from_numpy(columns), device)

    def prepare(self, pictures: Tensor) -> Tensor:
        """Prepare a batch.

        Args:
            pictures: (n, height, width, channels) uint8, on the device.

        Returns:
            (n, channels, height, width) float32 in ``channels_last`` memory.
        """
        places = pictures.long().mul_(self._columns).add_(self._column)
        return self._table.take(places).permute(0, 3, 1, 2)


def _columns(preprocessing: Preprocessing) -> int:
    """How many values of a picture are treated each in its own way."""
    per_pixel = preprocessing.kind == "per_pixel"
    return int(np.prod(preprocessing.shape)) if per_pixel else preprocessing.shape[2]


def _uploaded(images: Images, device: torch.device) -> Tensor:
    """(n, height, width, channels) uint8 on the device, copied a part at a time."""
    pictures = torch.empty(images.shape, dtype=torch.uint8, device=device)
    start = 0
    for chunk in image_chunks(images):
        # What lies on disk comes read-only, which PyTorch has no word for.
        part = torch.from_numpy(np.require(chunk, requirements=["C", "W"]))
        pictures[start : start + len(chunk)].copy_(part)
        start += len(chunk)
    return pictures


def _bounds(n: int, parts: int) -> list[int]:
    """Where each of ``parts`` begins, and the last ends, as ``np.array_split`` divides ``n``.

    >>> _bounds(10, 4)
    [0, 3, 6, 8, 10]
    """
    size, larger = divmod(n, parts)
    return [part * size + min(part, larger) for part in range(parts + 1)]
