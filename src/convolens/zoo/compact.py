"""A small batch-normalised network that does little work early: the default recipe's."""

from collections import OrderedDict

import torch
from torch import nn

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.zoo.blocks import GlobalAveragePool, batch_norm
from convolens.zoo.convolution import Conv2d
from convolens.zoo.whitening import WhiteningConv2d

MINIMUM_SIZE = 4
MAXIMUM_WIDTH = 512


def compact(
    input_shape: tuple[int, int, int], n_classes: int, *, width: int = 32, depth: int = 2
) -> nn.Module:
    """3x3 convolutions in stages that halve the picture and double the channels.

    The stem is a whitening convolution, computed from the training pictures and frozen, that halves
    a picture of 16 pixels and more (and quarters one of 96 and more): the full resolution costs
    almost nothing, and nothing is learnt there. Then each stage is convolution, pooling,
    normalisation, activation, and further convolutions with normalisation and activation, until
    fewer than six pixels are left. The first convolution pads its input, but where a size without
    padding can be halved more often: 14 pixels become 12, 6 and 3, for a quarter less work than 14,
    7 and 3, and no pooling drops a row. The order inside a stage, with the pooling before the
    normalisation, is that of K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024
    (arXiv:2404.00498).

    Args:
        input_shape: (height, width, channels), at least 4 x 4.
        n_classes: number of logits.
        width: channels of the stem; each stage doubles them, up to eight times that and 512.
        depth: convolutions in each stage, at least 1.

    Raises:
        ConfigError: the picture is too small.
    """
    check_whole("width", width, 1, 4096)
    check_whole("depth", depth, 1, 100)
    height, columns, channels = input_shape
    size = min(height, columns)
    if size < MINIMUM_SIZE:
        raise ConfigError(
            f"architecture 'compact' needs pictures of at least {MINIMUM_SIZE} x {MINIMUM_SIZE} "
            f"pixels; got {height} x {columns}"
        )
    stride = _stem_stride(size)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        stem=WhiteningConv2d(channels, width, 2 * stride if stride > 1 else 3, stride),
        stem_act=nn.ReLU(),
    )
    size //= stride
    padding = (_padding(height // stride), _padding(columns // stride))
    widest = max(width, min(8 * width, MAXIMUM_WIDTH))
    stage, inside = 1, width
    while stage == 1 or size >= 6:
        outside = min(2 * inside, widest)
        layers |= _stage(stage, inside, outside, depth, padding if stage == 1 else (1, 1))
        stage, inside, size = stage + 1, outside, size // 2
    layers["mean"] = GlobalAveragePool()
    layers["logits"] = nn.Linear(inside, n_classes)
    network = nn.Sequential(layers)
    _initialise(network)
    return network


def _stem_stride(size: int) -> int:
    if size < 16:
        return 1
    return 2 if size < 96 else 4


def _padding(size: int) -> int:
    """Of the first convolution: 0 where ``size`` - 2 pixels can be halved twice, and 1 elsewhere.

    Of two neighbouring even numbers only one is a multiple of four. Fewer than ten pixels are too
    few to lose any.
    """
    return 0 if size >= 10 and size % 4 == 2 else 1


def _stage(
    number: int, inside: int, outside: int, depth: int, padding: tuple[int, int]
) -> dict[str, nn.Module]:
    layers: dict[str, nn.Module] = {}
    for letter in (_letter(index) for index in range(depth)):
        layers[f"conv{number}{letter}"] = Conv2d(inside, outside, 3, padding=padding, bias=False)
        if letter == "a":
            layers[f"pool{number}"] = nn.MaxPool2d(2)
            padding = (1, 1)
        layers[f"norm{number}{letter}"] = batch_norm(outside)
        layers[f"act{number}{letter}"] = nn.ReLU()
        inside = outside
    return layers


def _letter(index: int) -> str:
    """A to z, then numbers: what a layer of a stage is called."""
    return chr(ord("a") + index) if index < 26 else str(index)


def _initialise(network: nn.Module) -> None:
    if next(network.parameters()).is_meta:  # for its sizes alone
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and not isinstance(module, WhiteningConv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.in_channels >= 16:
                # As many filters as there are channels begin by handing one on, so that the signal
                # reaches the last layer from the first step (Zagoruyko and Komodakis, "DiracNets",
                # 2017). Fewer channels are better mixed from the start.
                _pass_through(module.weight)


def _pass_through(weight: torch.Tensor) -> None:
    with torch.no_grad():
        centre_y, centre_x = weight.shape[2] // 2, weight.shape[3] // 2
        for channel in range(min(weight.shape[0], weight.shape[1])):
            weight[channel].zero_()
            weight[channel, channel, centre_y, centre_x] = 1.0
