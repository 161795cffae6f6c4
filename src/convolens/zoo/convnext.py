"""ConvNeXt: a convolutional network built as vision transformers are."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.zoo.blocks import ChannelNorm, ChannelScale, GlobalAveragePool, cut_normal_
from convolens.zoo.branches import Residual, StochasticDepth
from convolens.zoo.sizes import (
    LEAST_MAP_OF_LARGE,
    check_picture,
    check_share,
    count_halvings,
    strides_of,
)


def convnext(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    width: int = 96,
    depths: Sequence[int] = (3, 3, 9, 3),
    drop_path: float = 0.1,
) -> nn.Module:
    """Four stages of 7 x 7 depthwise convolutions and two dense layers on each pixel's channels.

    On 224 x 224 pixels patches of 4 x 4 become one pixel, and three transitions halve the maps. On
    fewer than 97 pixels the patches have 2 x 2; on fewer than 49 there are none, and a 3 x 3
    convolution begins; below 25 the first transitions stop halving.

    Args:
        input_shape: (height, width, channels), at least 8 x 8.
        n_classes: number of logits.
        width: channels of the first stage; the others have two, four and eight times as many.
        depths: blocks of each of the four stages.
        drop_path: share of the pictures for which the last block is dropped while training; it
            rises to this from 0 in the first.

    Returns:
        A network; the defaults are ConvNeXt-T, 28,589,128 parameters for 224 x 224 x 3 and 1000
        classes.

    Raises:
        ConfigError: an argument is out of range, or the picture is too small.

    Source: Liu et al., "A ConvNet for the 2020s", 2022; initial weights as there: normal, cut off
    at two standard deviations of 0.02, biases zero, blocks scaled by 1e-6.
    """
    check_picture("convnext", input_shape)
    check_whole("width", width, 1, 512)
    check_share("drop_path", drop_path)
    _check_depths(depths)
    halvings = count_halvings(input_shape, most=5, least=LEAST_MAP_OF_LARGE)
    strides = strides_of(halvings, 3)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["stem"] = _patches(input_shape[2], width, 2 ** max(0, halvings - 3))
    layers["stem_norm"] = ChannelNorm(width)
    drops = iter(_drops(sum(depths), drop_path))
    channels = width
    for stage, n_blocks in enumerate(depths):
        if stage > 0:
            layers[f"transition{stage}"] = _transition(channels, strides[stage - 1])
            channels *= 2
        layers[f"stage{stage + 1}"] = nn.Sequential(
            *(_block(channels, next(drops)) for _ in range(n_blocks))
        )
    layers["mean"] = GlobalAveragePool()
    layers["norm"] = nn.LayerNorm(channels, eps=1e-6)
    layers["logits"] = nn.Linear(channels, n_classes)
    network = nn.Sequential(layers)
    cut_normal_(network)
    return network


def _patches(channels: int, width: int, size: int) -> nn.Conv2d:
    if size == 1:  # a patch of one pixel would hold nothing to look for
        return nn.Conv2d(channels, width, 3, padding=1)
    return nn.Conv2d(channels, width, size, stride=size)


def _transition(channels: int, stride: int) -> nn.Sequential:
    # A picture whose side is odd loses its last row: the published network pads nothing.
    return nn.Sequential(
        OrderedDict(
            norm=ChannelNorm(channels),
            conv=nn.Conv2d(channels, 2 * channels, stride, stride=stride),
        )
    )


def _block(channels: int, drop: float) -> Residual:
    body: OrderedDict[str, nn.Module] = OrderedDict(
        depthwise=nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
        norm=ChannelNorm(channels),
        # 1 x 1 convolutions: the paper's dense layers on each pixel, in the maps' own layout
        expand=nn.Conv2d(channels, 4 * channels, 1),
        act=nn.GELU(),
        project=nn.Conv2d(4 * channels, channels, 1),
        scale=ChannelScale(channels, 1e-6),
    )
    if drop:
        body["drop"] = StochasticDepth(drop)
    return Residual(nn.Sequential(body))


def _drops(n_blocks: int, last: float) -> list[float]:
    """From 0 for the first block in even steps to ``last``."""
    return [last * block / max(1, n_blocks - 1) for block in range(n_blocks)]


def _check_depths(depths: Sequence[int]) -> None:
    if isinstance(depths, str) or not isinstance(depths, Sequence) or len(depths) != 4:
        raise ConfigError(f"depths is {depths!r}; allowed: four whole numbers, such as 3, 3, 9, 3")
    for stage, n_blocks in enumerate(depths, start=1):
        check_whole(f"depth of stage {stage}", n_blocks, 1, 200)
