"""A model of each architecture, as small as it goes, and networks that nobody registered."""

from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convolens.bundle import Model
from convolens.data import fit_preprocessing
from convolens.zoo import build_network

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 16, 18, 3), dtype=np.uint8)
IMAGES.flags.writeable = False

SMALL: dict[str, dict[str, Any]] = {
    "compact": {},
    "notes": {},
    "lenet5": {},
    "vgg11": {"width": 4},
    "resnet20": {"width": 4},
    "resnet18": {"width": 4},
    "wide_resnet": {"depth": 10, "width": 1},
    "densenet": {"depth": 10, "growth": 4},
    "mobilenet_v2": {"width": 0.1},
    "convnext": {"width": 8, "depths": [1, 1, 2, 1]},
}


@cache
def make_model(architecture: str) -> Model:
    """A model with random weights and, as after training, with statistics of its own."""
    arguments = SMALL[architecture]
    network = build_network(architecture, (16, 18, 3), 4, seed=1, **arguments).eval()
    generator = torch.Generator().manual_seed(2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(std=0.5, generator=generator)
            module.running_var.uniform_(0.2, 2.0, generator=generator)
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.normal_(std=0.3, generator=generator)
    return Model(
        network=network,
        architecture=architecture,
        arguments=arguments,
        preprocessing=fit_preprocessing("per_channel", IMAGES),
        classes=("a", "b", "c", "d"),
    )


class Residual(nn.Module):
    """Adds in place, and uses one rectifier, which works in place, for all: as many networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.norm2, self.norm1 = nn.BatchNorm2d(4), nn.BatchNorm2d(4)  # not in the order of use
        self.late = nn.Conv2d(4, 4, 3, padding=1)
        self.early = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm1(self.early(x)))
        out = self.norm2(self.late(x))
        out += x
        return self.head(self.relu(out).mean(dim=(2, 3)))


class Functional(nn.Module):
    """Computes most outside of its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        return self.second(x).amax(dim=(2, 3))


class Twice(nn.Module):
    """Passes one convolution two times."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act, self.flat = nn.Conv2d(3, 3, 3, padding=1), nn.Tanh(), nn.Flatten()

    def forward(self, x: Tensor) -> Tensor:
        return self.flat(self.conv(self.act(self.conv(x))))
