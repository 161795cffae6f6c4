"""Which pictures a step sees, and in what shape they reach the network."""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from convolens.data import Preprocessing, Split
from convolens.training.hardest import HardestPictures
from convolens.training.hardware import send
from convolens.training.imbalance import training_order
from convolens.training.settings import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convolens.training.augmentation import AugmentationPlan


class Batch(NamedTuple):
    """What one step learns from."""

    images: Tensor
    """(batch, channels, height, width), preprocessed and augmented, on the device."""
    targets: Tensor
    """(batch,) int64, on the device."""
    samples: Tensor
    """(batch,) int64, on the device: which training pictures these are."""


class Feed:
    """The batches of a run, which can be taken up at any step.

    The first round is over all training pictures, in an order of its own, further ones over those
    that were hardest when the round began: ``hardest``, which is part of a checkpoint. So steps are
    taken one after the other. Where the recipe's share is 1 a round is an epoch, and a batch is a
    function of its step alone.

    The pictures stay where they are and are prepared by the CPU, batch by batch; where a GPU has
    room for all of them there is :class:`convolens.training.resident.ResidentFeed`.

    Args:
        train: the training pictures.
        preprocessing: applied to every batch.
        recipe: settled; its batch size, sampling, share and augmentation count.
        seed: of order and augmentation.
        device: where the batches are wanted.
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
        assert recipe.batch_size is not None
        assert recipe.hardest_share != "auto"
        self.train = train
        self.labels = torch.from_numpy(train.labels)
        self.preprocessing = preprocessing
        self.recipe = recipe
        self.seed = seed
        self.device = device
        self.steps_per_epoch = math.ceil(len(train.labels) / recipe.batch_size)
        self.hardest = HardestPictures(
            len(train.labels), recipe.hardest_share, batch_size=recipe.batch_size, device=device
        )
        self._round = -1
        self._batches: list[NDArray[np.int64]] = []
        self._samples: NDArray[np.int64]
        self._plan: AugmentationPlan

    def batch(self, step: int) -> Batch:
        """The batch of the step after ``step`` steps."""
        return self.gather(self.seek(step))

    def seek(self, step: int) -> int:
        """Go to the batch of the step after ``step`` steps, and say how many pictures it has."""
        self._turn_to(step)
        return self._go_to(step - self.hardest.began)

    def gather(self, n: int) -> Batch:
        """The batch that was gone to; its ``n`` pictures prepared, changed and on the device."""
        assert n == len(self._samples)
        images = self._network_input(self._samples)
        samples = torch.from_numpy(self._samples)
        images = self._plan.apply(images, samples)
        targets = send(self.labels[self._samples], self.device)
        return Batch(images, targets, send(samples, self.device))

    def sample(self, n: int) -> Tensor:
        """Up to ``n`` pictures spread over the training part, preprocessed, not augmented."""
        chosen = np.unique(np.linspace(0, len(self.labels) - 1, n).astype(np.int64))
        return self._network_input(chosen)

    def epoch_of(self, step: int) -> int:
        """The epoch that the last of ``step`` steps is in, from 1."""
        return math.ceil(step / self.steps_per_epoch)

    def ends_epoch(self, step: int) -> bool:
        """Whether an epoch is over after ``step`` steps."""
        return step % self.steps_per_epoch == 0

    def _turn_to(self, step: int) -> None:
        """Let the round be the one that the step after ``step`` steps belongs to."""
        hardest = self.hardest
        if hardest.share == 1:  # every round has as many steps
            hardest.round = step // self.steps_per_epoch
            hardest.began = hardest.round * self.steps_per_epoch
        elif step >= hardest.began + self._steps_of_round():
            hardest.begin_next(step)
        if hardest.round != self._round:
            self._begin()
            self._round = hardest.round

    def _steps_of_round(self) -> int:
        assert self.recipe.batch_size is not None
        return math.ceil(self.hardest.count / self.recipe.batch_size)

    def _order(self) -> "NDArray[np.int64]":
        round_ = self.hardest.round
        order = training_order(self.recipe.sampling, self.train.labels, self.seed, round_)
        return order if self.hardest.share == 1 else self.hardest.of_round(order)

    def _changes(self) -> "AugmentationPlan":
        augmentation, n = self.recipe.augmentation, len(self.labels)
        return augmentation.plan(n, seed=self.seed, epoch=self.hardest.round)

    def _begin(self) -> None:
        # Batches as equal as can be: a last one of a picture or two would upset the statistics of
        # a batch normalisation.
        self._batches = np.array_split(self._order(), self._steps_of_round())
        self._plan = self._changes()

    def _go_to(self, position: int) -> int:
        self._samples = self._batches[position]
        return len(self._samples)

    def _network_input(self, samples: "NDArray[np.int64]") -> Tensor:
        """As ``bundle.to_network_input``, but that a GPU is not waited for."""
        prepared = torch.from_numpy(self.preprocessing(self.train.images[samples]))
        return send(prepared, self.device).permute(0, 3, 1, 2)
