"""Models and networks whose heat maps are known, or that are hard to look into."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convolens.bundle import Model
from convolens.data import fit_preprocessing
from convolens.zoo import ARCHITECTURES, build_network

SHAPE = (16, 16, 3)
CLASSES = ("ankle boot", "bag", "coat", "shirt")
PICTURES = np.random.default_rng(3).integers(0, 256, (5, *SHAPE), dtype=np.uint8)
VALUES = np.random.default_rng(4).normal(size=(5, *SHAPE)).astype(np.float32)

ARGUMENTS: dict[str, dict[str, Any]] = {
    "compact": {"width": 8},
    "vgg11": {"width": 4},
    "vgg16": {"width": 4},
    "resnet20": {"width": 4},
    "resnet32": {"width": 4},
    "resnet56": {"width": 2},
    "resnet18": {"width": 4},
    "resnet34": {"width": 4},
    "wide_resnet": {"depth": 10, "width": 1},
    "densenet": {"depth": 10, "growth": 4},
    "mobilenet_v2": {"width": 0.1},
    "convnext": {"width": 8, "depths": [1, 1, 2, 1]},
}


def make_model(architecture: str, *, mirrored: bool = False, side: int = 16) -> Model:
    assert architecture in ARCHITECTURES
    arguments = ARGUMENTS.get(architecture, {})
    return Model(
        network=build_network(
            architecture, (side, side, 3), len(CLASSES), seed=1, **arguments
        ).eval(),
        architecture=architecture,
        arguments=arguments,
        preprocessing=fit_preprocessing("per_channel", PICTURES[:, :side, :side]),
        classes=CLASSES,
        mirrored=mirrored,
    )


class Quadrant(nn.Module):
    """Class 1 if the upper left quarter is bright, class 0 if it is dark; it sees nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.spread = nn.Conv2d(1, 2, 1, bias=False)
        self.register_buffer("mask", torch.zeros(1, 1, 16, 16))
        self.mask[:, :, :8, :8] = 1
        nn.init.constant_(self.spread.weight, 1.0)
        self.bend = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.bend(self.spread(x * self.mask)).mean(dim=(1, 2, 3))
        return torch.stack([1 - seen, seen], dim=1)


class Awkward(nn.Module):
    """In place from the first layer on, a layer that is passed twice, parts in a dictionary, a gate
    of single values, a layer that is not passed, one whose output is ignored, and frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.ReLU(inplace=True)
        self.parts = nn.ModuleDict(
            {"in": nn.Conv2d(3, 6, 3), "again": nn.Conv2d(6, 6, 3, padding=1)}
        )
        self.gate = nn.Conv2d(6, 6, 1)
        self.unused = nn.Conv2d(6, 6, 1)
        self.ignored = nn.Conv2d(6, 6, 1)
        self.pair = Pair()
        self.logits = nn.Sequential(nn.Flatten(), nn.Linear(6 * 14 * 14, 4))
        self.requires_grad_(requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.parts["in"](self.first(x))
        x = self.first(self.parts["again"](self.first(self.parts["again"](x))))
        self.ignored(x)
        x, _ = self.pair(x)
        return self.logits(x * torch.sigmoid(self.gate(x.mean(dim=(2, 3), keepdim=True))))


class Pair(nn.Module):
    """A layer that puts out two things."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x
