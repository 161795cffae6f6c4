"""Building blocks that several architectures share; where paths part and meet: ``branches``."""

import math
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convolens.zoo.convolution import Conv2d


def conv_same(in_channels: int, out_channels: int, kernel_size: int, *, bias: bool) -> nn.Conv2d:
    """Convolution of stride 1 whose output is as large as its input; ``kernel_size`` is odd."""
    assert kernel_size % 2 == 1, "an even kernel cannot pad evenly on both sides"
    return Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)


def conv(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, *, groups: int = 1
) -> nn.Conv2d:
    """Convolution without bias, whose output has ceil(size / stride) pixels a side.

    It has no bias because a normalisation follows it, directly or behind a sum or a concatenation,
    which would take any constant away again. ``kernel_size`` is odd.
    """
    assert kernel_size % 2 == 1, "an even kernel cannot pad evenly on both sides"
    return Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding=kernel_size // 2,
        groups=groups,
        bias=False,
    )


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation whose running statistics follow within tens of steps.

    Short schedules need it: PyTorch's default momentum of 0.1 is for long ones, and a run of one
    epoch would be judged by statistics of weights that it no longer has.
    """
    return nn.BatchNorm2d(channels, momentum=0.3)


def conv_norm(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, *, groups: int = 1
) -> nn.Sequential:
    """Convolution and batch normalisation, called ``conv`` and ``norm``."""
    return nn.Sequential(
        OrderedDict(
            conv=conv(in_channels, out_channels, kernel_size, stride, groups=groups),
            norm=batch_norm(out_channels),
        )
    )


def conv_norm_act(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    *,
    groups: int = 1,
    activation: type[nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """Convolution, batch normalisation and activation: ``conv``, ``norm`` and ``act``."""
    block = conv_norm(in_channels, out_channels, kernel_size, stride, groups=groups)
    block.add_module("act", activation())
    return block


def stem_conv(in_channels: int, channels: int, halvings: int) -> nn.Conv2d:
    """First convolution of a residual or dense network: 3 x 3, or 7 x 7 of stride 2.

    The small one is that of the networks published for 32 x 32 pixels, the large one, with which
    ``halvings`` is 1 or more, of those for 224 x 224.
    """
    return conv(in_channels, channels, 3) if halvings == 0 else conv(in_channels, channels, 7, 2)


def stem(in_channels: int, channels: int, halvings: int) -> nn.Sequential:
    """Convolution, normalisation, activation and, for two halvings, a 3 x 3 pooling of stride 2.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016: section 4.2 for no
    halving, table 1 for two.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=stem_conv(in_channels, channels, halvings), norm=batch_norm(channels), act=nn.ReLU()
    )
    if halvings == 2:
        layers["pool"] = nn.MaxPool2d(3, 2, padding=1)
    return nn.Sequential(layers)


class GlobalAveragePool(nn.Module):
    """Mean over height and width: (n, channels, height, width) to (n, channels)."""

    def forward(self, x: Tensor) -> Tensor:
        """Average each channel's map."""
        return x.mean(dim=(2, 3))


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel of (n, channels, height, width).

    In ``channels_last`` memory a pixel's channels lie side by side, and nothing is copied.

    Source: Liu et al., "A ConvNet for the 2020s", 2022.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name in torch.nn
        """Normalise, scale and shift."""
        x = input.permute(0, 2, 3, 1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class ChannelScale(nn.Module):
    """A trained factor for each channel of (n, channels, height, width), small at first.

    Source: Touvron et al., "Going deeper with Image Transformers", 2021 ("LayerScale").
    """

    def __init__(self, channels: int, initial: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), initial))

    def forward(self, x: Tensor) -> Tensor:
        """Multiply each channel by its factor."""
        return x * self.weight[:, None, None]


def glorot_uniform_(network: nn.Module) -> None:
    """Initialise every convolution and dense layer as Keras does: Glorot uniform, zero biases.

    Source: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward
    neural networks", 2010.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            _zero_bias(module)


def he_normal_(network: nn.Module) -> None:
    """Initialise every convolution and dense layer for rectifiers; a layer ``logits`` for none.

    Weights are normal with a variance of 2 / inputs, of 1 / inputs in the last layer, which no
    rectifier follows; biases are zero.

    Source: He et al., "Delving Deep into Rectifiers", 2015, equation 10.
    """
    for name, module in network.named_modules():
        # Without memory there is nothing to draw, and PyTorch would load half of itself for it.
        if isinstance(module, nn.Conv2d | nn.Linear) and not module.weight.is_meta:
            gain = 1.0 if name == "logits" else math.sqrt(2.0)
            nn.init.normal_(module.weight, std=gain / math.sqrt(module.weight[0].numel()))
            _zero_bias(module)


def cut_normal_(network: nn.Module, std: float = 0.02) -> None:
    """Initialise every convolution and dense layer as vision transformers are; zero biases.

    Weights are normal with standard deviation ``std``, cut off at twice that.

    Source: Liu et al., "A ConvNet for the 2020s", 2022.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and not module.weight.is_meta:
            nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
            _zero_bias(module)


def _zero_bias(module: nn.Conv2d | nn.Linear) -> None:
    if module.bias is not None:
        nn.init.zeros_(module.bias)
