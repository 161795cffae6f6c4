"""Residual networks: those published for small pictures, and those for large ones."""

from collections import OrderedDict

from torch import nn

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.zoo.blocks import (
    GlobalAveragePool,
    batch_norm,
    conv,
    conv_norm,
    he_normal_,
    stem,
)
from convolens.zoo.branches import Residual, ZeroPadShortcut
from convolens.zoo.sizes import (
    LEAST_MAP_OF_LARGE,
    LEAST_MAP_OF_SMALL,
    check_picture,
    count_halvings,
    strides_of,
)

LARGE_STAGES = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}  # the paper's table 1


def resnet_small(
    input_shape: tuple[int, int, int], n_classes: int, *, depth: int = 20, width: int = 16
) -> nn.Module:
    """ResNet-20, -32, -44, -56 or -110: three stages of two-layer blocks.

    Shortcuts have no parameters (the paper's option A: every second pixel, zeros for the new
    channels). On 32 x 32 pixels the maps have 32, 16 and 8 pixels a side. Larger pictures are
    halved once by a 7 x 7 convolution or twice by it and a pooling before the first stage, smaller
    ones less often, so that the last maps keep 7 pixels where they can.

    Args:
        input_shape: (height, width, channels), at least 8 x 8.
        n_classes: number of logits.
        depth: 6 n + 2 layers with weights, for n blocks a stage.
        width: channels of the first stage; the others have two and four times as many.

    Returns:
        A network with 269,722 (ResNet-20), 464,154 (-32) or 853,018 (-56) parameters for
        32 x 32 x 3 and ten classes.

    Raises:
        ConfigError: an argument is out of range, or the picture is too small.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016, section 4.2; initial
    weights as there, after He et al., 2015.
    """
    check_picture(f"resnet{depth}", input_shape)
    check_whole("depth", depth, 8, 1202)
    check_whole("width", width, 1, 512)
    if (depth - 2) % 6:
        raise ConfigError(f"depth is {depth}; allowed: 6 n + 2, such as 20, 32, 44, 56 or 110")
    halvings = count_halvings(input_shape, most=4, least=LEAST_MAP_OF_SMALL)
    return _resnet(
        input_shape[2],
        n_classes,
        blocks=((depth - 2) // 6,) * 3,
        width=width,
        halvings=halvings,
        projected=False,
    )


def resnet_large(
    input_shape: tuple[int, int, int], n_classes: int, *, depth: int = 18, width: int = 64
) -> nn.Module:
    """ResNet-18 or -34: four stages of two-layer blocks, and shortcuts by 1 x 1 convolutions.

    On 224 x 224 pixels a 7 x 7 convolution and a pooling quarter the picture, and three stages
    halve it. On fewer than 97 pixels there is no pooling, on fewer than 49 a 3 x 3 convolution
    without a stride begins; below 25 the first stages stop halving.

    Args:
        input_shape: (height, width, channels), at least 8 x 8.
        n_classes: number of logits.
        depth: 18 or 34 layers with weights.
        width: channels of the first stage; the others have two, four and eight times as many.

    Returns:
        A network with 11,689,512 (ResNet-18) or 21,797,672 (-34) parameters for 224 x 224 x 3 and
        1000 classes.

    Raises:
        ConfigError: an argument is out of range, or the picture is too small.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016, table 1, with its
    option B: a projection wherever the channels change; initial weights after He et al., 2015.
    """
    check_picture(f"resnet{depth}", input_shape)
    check_whole("width", width, 1, 512)
    if depth not in LARGE_STAGES:
        allowed = ", ".join(map(str, LARGE_STAGES))
        raise ConfigError(f"depth is {depth!r}; allowed: {allowed}")
    halvings = count_halvings(input_shape, most=5, least=LEAST_MAP_OF_LARGE)
    return _resnet(
        input_shape[2],
        n_classes,
        blocks=LARGE_STAGES[depth],
        width=width,
        halvings=halvings,
        projected=True,
    )


def _resnet(
    channels: int,
    n_classes: int,
    *,
    blocks: tuple[int, ...],
    width: int,
    halvings: int,
    projected: bool,
) -> nn.Module:
    behind_stem = len(blocks) - 1
    strides = (1, *strides_of(halvings, behind_stem))
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["stem"] = stem(channels, width, max(0, halvings - behind_stem))
    inside = width
    for stage, (n_blocks, stride) in enumerate(zip(blocks, strides, strict=True)):
        outside = width * 2**stage
        layers[f"stage{stage + 1}"] = nn.Sequential(
            _block(inside, outside, stride, projected=projected),
            *(_block(outside, outside, 1, projected=projected) for _ in range(n_blocks - 1)),
        )
        inside = outside
    layers["mean"] = GlobalAveragePool()
    layers["logits"] = nn.Linear(inside, n_classes)
    network = nn.Sequential(layers)
    he_normal_(network)
    return network


def _block(inside: int, outside: int, stride: int, *, projected: bool) -> Residual:
    """The paper's figure 2: convolve and normalise twice, add, activate."""
    body = nn.Sequential(
        OrderedDict(
            conv1=conv(inside, outside, 3, stride),
            norm1=batch_norm(outside),
            act1=nn.ReLU(),
            conv2=conv(outside, outside, 3),
            norm2=batch_norm(outside),
        )
    )
    shortcut = None
    if stride != 1 or inside != outside:
        shortcut = (
            conv_norm(inside, outside, 1, stride)
            if projected
            else ZeroPadShortcut(inside, outside, stride)
        )
    return Residual(body, shortcut, nn.ReLU())
