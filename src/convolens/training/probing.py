"""How long a step takes on this machine, measured before a run begins."""

import copy
import time

import numpy as np
import torch
from torch import nn

from convolens.training.hardware import choose_precision
from convolens.training.imbalance import classification_loss
from convolens.training.passes import Passes, parts_of_batch
from convolens.training.settings import Recipe

_WARM_UP = 2  # the first steps choose and build the kernels
_TIMED = 3


def seconds_per_step(
    network: nn.Module, recipe: Recipe, shape: tuple[int, int, int], n_classes: int, batch: int
) -> float:
    """Median time of a training step, on pictures of noise and on a copy of the network.

    Args:
        network: on its device; it is left as it is.
        recipe: settled.
        shape: (height, width, channels) of the pictures.
        n_classes: number of classes.
        batch: pictures a step.

    Returns:
        Seconds, without the reading of the pictures.
    """
    network = copy.deepcopy(network).train()
    device = next(network.parameters()).device
    height, width, channels = shape
    noise = np.random.default_rng(0).standard_normal((batch, height, width, channels))
    images = torch.from_numpy(noise.astype(np.float32)).permute(0, 3, 1, 2).to(device)
    targets = (torch.arange(batch) % n_classes).to(device)
    optimizers = recipe.optimizer.build(network)
    passes = Passes(
        network,
        parts=parts_of_batch(network, batch),
        loss=lambda logits, labels: classification_loss(
            logits, labels, None, label_smoothing=recipe.label_smoothing
        ),
        bfloat16=choose_precision(recipe.precision, device) == "bfloat16",
    )
    devices = [device] if device.type == "cuda" else []
    taken: list[float] = []
    with torch.random.fork_rng(devices), passes:
        for _ in range(_WARM_UP + _TIMED):
            begin = time.perf_counter()
            loss, _ = passes.gradients(images, targets)
            passes.update(optimizers)
            loss.item()  # waits for the device
            taken.append(time.perf_counter() - begin)
    return float(np.median(taken[_WARM_UP:]))
