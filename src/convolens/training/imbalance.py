"""Classes of very different sizes: how much each picture counts, and how often it is seen."""

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from convolens.data import epoch_order
from convolens.data.ordering import balanced_order

ClassWeights = Literal["none", "balanced"]
CLASS_WEIGHTS = ("none", "balanced")
Sampling = Literal["shuffled", "balanced"]
SAMPLINGS = ("shuffled", "balanced")


def balanced_weights(labels: NDArray[np.int64]) -> Tensor:
    """How much a picture of each class counts if every class is to count the same.

    n / (k x n_c) for a class with n_c of the n pictures of k classes: 1 on average over the
    pictures, so a learning rate means what it meant.

    Args:
        labels: (n,) int64, of 0 or more.

    Returns:
        (largest label + 1,) float32; 0 for a class without a picture, which does not count as one.

    Source: G. King and L. Zeng, "Logistic regression in rare events data", 2001; scikit-learn's
    ``class_weight="balanced"``.

    >>> balanced_weights(np.array([0, 0, 0, 2]))
    tensor([0.6667, 0.0000, 2.0000])
    """
    counts = np.bincount(labels)
    weights = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return torch.from_numpy(np.where(counts > 0, weights, 0).astype(np.float32))


def classification_loss(
    logits: Tensor, targets: Tensor, weights: Tensor | None, *, label_smoothing: float
) -> Tensor:
    """Mean cross-entropy of a batch, each picture counted by the weight of its class.

    The mean is over the number of pictures. ``F.cross_entropy`` with ``weight`` divides by the sum
    of the weights in the batch instead: a picture then counts more or less by the company it is
    in, and a batch without the rare class moves the network as far as one with it. Here a picture
    counts the same in every batch, and the expected gradient is that of the weighted loss of the
    whole training part.

    Args:
        logits: (batch, classes) float.
        targets: (batch,) int64.
        weights: one for each class that occurs; None counts every picture once.
        label_smoothing: share of each label spread over all classes.

    Returns:
        The loss, a single value.

    >>> logits, targets = torch.zeros(2, 2), torch.tensor([0, 1])
    >>> classification_loss(logits, targets, torch.tensor([0.5, 1.5]), label_smoothing=0.0)
    tensor(0.6931)
    """
    if weights is None:
        return F.cross_entropy(logits, targets, label_smoothing=label_smoothing)
    losses = F.cross_entropy(logits, targets, label_smoothing=label_smoothing, reduction="none")
    return (losses * weights[targets]).mean()


def accuracy_by_class(correct: Tensor, labels: Tensor) -> float:
    """The mean of the accuracies of the classes that occur (also called balanced accuracy).

    Args:
        correct: (n,) bool, on the CPU.
        labels: (n,) int64, on the CPU.

    >>> accuracy_by_class(torch.tensor([True, True, True, False]), torch.tensor([0, 0, 2, 2]))
    0.75
    """
    hits = torch.bincount(labels, weights=correct.double())
    counts = torch.bincount(labels)
    return (hits[counts > 0] / counts[counts > 0]).mean().item()


def training_order(
    sampling: Sampling, labels: NDArray[np.int64], seed: int, epoch: int
) -> NDArray[np.int64]:
    """The pictures of one epoch, as many as there are, in the order in which they are seen.

    What augmentation does to a picture goes by its number, so one that comes twice in a balanced
    epoch is moved and flipped the same way both times, and another way in the next epoch.

    Args:
        sampling: "shuffled", each picture once; "balanced", each class equally often.
        labels: (n,) int64.
        seed: 0 to 2**64 - 1.
        epoch: from 0.

    Returns:
        (n,) int64.

    >>> training_order("balanced", np.array([0, 0, 0, 1]), seed=0, epoch=0).tolist().count(3)
    2
    """
    if sampling == "balanced":
        return balanced_order(labels, seed, epoch)
    return epoch_order(len(labels), seed, epoch)
