"""MobileNetV2: convolutions channel by channel between narrow layers."""

from collections import OrderedDict

from torch import nn

from convolens.errors import ConfigError
from convolens.zoo.blocks import GlobalAveragePool, conv_norm, conv_norm_act, he_normal_
from convolens.zoo.branches import Residual
from convolens.zoo.sizes import (
    LEAST_MAP_OF_LARGE,
    check_picture,
    check_share,
    count_halvings,
    strides_of,
)

# expansion, channels, blocks, whether it halves: the paper's table 2
STAGES = (
    (1, 16, 1, False),
    (6, 24, 2, True),
    (6, 32, 3, True),
    (6, 64, 4, True),
    (6, 96, 3, False),
    (6, 160, 3, True),
    (6, 320, 1, False),
)


def mobilenet_v2(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    width: float = 1.0,
    dropout: float = 0.2,
) -> nn.Module:
    """Inverted residuals: widen by a 1 x 1 convolution, convolve each channel, narrow again.

    On 224 x 224 pixels the picture is halved five times, first by the stem. Smaller pictures are
    halved less often, so that the last maps keep 4 pixels: the stem gives up its stride below 97
    pixels, and the following stages theirs one after the other.

    Args:
        input_shape: (height, width, channels), at least 8 x 8.
        n_classes: number of logits.
        width: factor of the channels, which are rounded to multiples of eight; 0.1 to 4.
        dropout: share of the last activations dropped while training.

    Returns:
        A network with 3,504,872 parameters for a width of 1, 224 x 224 x 3 and 1000 classes.

    Raises:
        ConfigError: an argument is out of range, or the picture is too small.

    Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018; initial
    weights, of which it says nothing, after He et al., 2015.
    """
    check_picture("mobilenet_v2", input_shape)
    check_share("dropout", dropout)
    if isinstance(width, bool) or not isinstance(width, int | float) or not 0.1 <= width <= 4:
        raise ConfigError(f"width is {width!r}; allowed: a number from 0.1 to 4")
    halvings = count_halvings(input_shape, most=5, least=LEAST_MAP_OF_LARGE)
    strides = iter(strides_of(halvings, 5))
    inside = _eights(32 * width)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["stem"] = conv_norm_act(input_shape[2], inside, 3, next(strides), activation=nn.ReLU6)
    for stage, (expansion, channels, n_blocks, halves) in enumerate(STAGES, start=1):
        outside, blocks = _eights(channels * width), list[nn.Module]()
        for block in range(n_blocks):
            stride = next(strides) if halves and block == 0 else 1
            blocks.append(_inverted_residual(inside, outside, stride, expansion))
            inside = outside
        layers[f"stage{stage}"] = nn.Sequential(*blocks)
    last = _eights(1280 * max(1.0, width))
    layers["head"] = conv_norm_act(inside, last, 1, activation=nn.ReLU6)
    layers["mean"] = GlobalAveragePool()
    layers["dropout"] = nn.Dropout(dropout)
    layers["logits"] = nn.Linear(last, n_classes)
    network = nn.Sequential(layers)
    he_normal_(network)
    return network


def _inverted_residual(inside: int, outside: int, stride: int, expansion: int) -> nn.Module:
    wide = inside * expansion
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if expansion != 1:
        layers["expand"] = conv_norm_act(inside, wide, 1, activation=nn.ReLU6)
    layers["depthwise"] = conv_norm_act(wide, wide, 3, stride, groups=wide, activation=nn.ReLU6)
    layers["project"] = conv_norm(wide, outside, 1)
    body = nn.Sequential(layers)
    # As published: a stage's first block has no shortcut, even where only its channels change.
    return Residual(body) if stride == 1 and inside == outside else body


def _eights(channels: float) -> int:
    """The nearest multiple of eight, at least 8, and not below nine tenths of ``channels``."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest
