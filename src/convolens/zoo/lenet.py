"""LeNet-5, as it is usually read today."""

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

from convolens.zoo.blocks import glorot_uniform_
from convolens.zoo.sizes import check_picture

FIELD = 32  # pixels a side of the paper's pictures, in the middle of which the digits lay
MAP = 14  # pixels a side of the first pooling's maps of such a picture


class ScaledTanh(nn.Module):
    """1.7159 tanh(2 x / 3), which is 1 at 1 and -1 at -1: the paper's activation."""

    def forward(self, x: Tensor) -> Tensor:
        """Bend every value."""
        return 1.7159 * torch.tanh(x * (2 / 3))


def lenet5(input_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
    """Two convolutions, two average poolings and three dense layers.

    The usual reading: every filter of the second convolution sees all six maps, poolings have no
    weights of their own, and the last layer is a dense one. (The paper's has 60,000 trained
    parameters: 24 + 20 in the poolings less 900 in a second convolution that sees part of the maps,
    and fixed outputs.) Pictures smaller than 32 pixels get a border of zeros up to 32, as the
    paper's digits did; those of at most 18 get one up to 18, and no first pooling. In larger ones
    the first pooling's windows grow, so that its maps keep 14 to 27 pixels a side.

    Args:
        input_shape: (height, width, channels), at least 8 x 8.
        n_classes: number of logits.

    Returns:
        A network with 61,706 parameters for 8 x 8 x 1, 28 x 28 x 1 and 32 x 32 x 1 and ten
        classes.

    Raises:
        ConfigError: the picture is too small.

    Source: LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998. Initial
    weights after Glorot and Bengio, 2010: the paper's, uniform within 2.4 / inputs, leave logits of
    a few hundred-thousandths on pictures of ordinary contrast, and the first steps learn little.
    """
    check_picture("lenet5", input_shape)
    height, width, channels = input_shape
    border = (_border(height), _border(width))
    pool = (_pool(height), _pool(width))
    pixels = math.prod(
        ((side + 2 * extra - 4) // window - 4) // 2
        for side, extra, window in zip((height, width), border, pool, strict=True)
    )
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["conv1"] = nn.Conv2d(channels, 6, 5, padding=border)
    layers["act1"] = ScaledTanh()
    if pool != (1, 1):
        layers["pool1"] = nn.AvgPool2d(pool)
    layers["conv2"] = nn.Conv2d(6, 16, 5)
    layers["act2"] = ScaledTanh()
    layers["pool2"] = nn.AvgPool2d(2)
    layers["flatten"] = nn.Flatten()
    layers["dense1"] = nn.Linear(16 * pixels, 120)
    layers["act3"] = ScaledTanh()
    layers["dense2"] = nn.Linear(120, 84)
    layers["act4"] = ScaledTanh()
    layers["logits"] = nn.Linear(84, n_classes)
    network = nn.Sequential(layers)
    glorot_uniform_(network)
    return network


def _border(side: int) -> int:
    field = MAP + 4 if side <= MAP + 4 else FIELD
    return max(0, (field - side + 1) // 2)


def _pool(side: int) -> int:
    return 1 if side <= MAP + 4 else max(2, (side - 4) // MAP)
