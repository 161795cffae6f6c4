"""Which pictures a step sees, and in what shape they reach the network."""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from convolens.bundle import to_network_input
from convolens.data import Preprocessing, Split
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


class Feed:
    """The batches of a run: each a pure function of its step, so a run can begin at any.

    Args:
        train: the training pictures.
        preprocessing: applied to every batch.
        recipe: settled; its batch size, sampling and augmentation count.
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
        self.train = train
        self.labels = torch.from_numpy(train.labels)
        self.preprocessing = preprocessing
        self.recipe = recipe
        self.seed = seed
        self.device = device
        self.steps_per_epoch = math.ceil(len(train.labels) / recipe.batch_size)
        self._epoch = -1
        self._batches: list[NDArray[np.int64]] = []
        self._plan: AugmentationPlan

    def batch(self, step: int) -> Batch:
        """The batch of the step after ``step`` steps."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._begin(epoch)
        samples = self._batches[position]
        images = to_network_input(self.preprocessing(self.train.images[samples]), self.device)
        images = self._plan.apply(images, torch.from_numpy(samples))
        return Batch(images, self.labels[samples].to(self.device))

    def sample(self, n: int) -> Tensor:
        """Up to ``n`` pictures spread over the training part, preprocessed, not augmented."""
        chosen = np.unique(np.linspace(0, len(self.labels) - 1, n).astype(np.int64))
        return to_network_input(self.preprocessing(self.train.images[chosen]), self.device)

    def epoch_of(self, step: int) -> int:
        """The epoch that the last of ``step`` steps is in, from 1."""
        return math.ceil(step / self.steps_per_epoch)

    def ends_epoch(self, step: int) -> bool:
        """Whether an epoch is over after ``step`` steps."""
        return step % self.steps_per_epoch == 0

    def _begin(self, epoch: int) -> None:
        order = training_order(self.recipe.sampling, self.train.labels, self.seed, epoch)
        # Batches as equal as can be: a last one of a picture or two would upset the statistics of
        # a batch normalisation.
        self._batches = np.array_split(order, self.steps_per_epoch)
        self._plan = self.recipe.augmentation.plan(len(order), seed=self.seed, epoch=epoch)
        self._epoch = epoch
