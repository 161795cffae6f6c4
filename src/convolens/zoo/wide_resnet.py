"""Wide residual networks, whose blocks normalise and activate before they convolve."""

from collections import OrderedDict

from torch import Tensor, nn

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.zoo.blocks import GlobalAveragePool, batch_norm, conv, he_normal_, stem, stem_conv
from convolens.zoo.branches import Add
from convolens.zoo.sizes import (
    LEAST_MAP_OF_SMALL,
    check_picture,
    check_share,
    count_halvings,
    strides_of,
)


def wide_resnet(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    depth: int = 16,
    width: int = 4,
    dropout: float = 0.0,
) -> nn.Module:
    """WRN-depth-width: three stages of 16, 32 and 64 channels times the width.

    On 32 x 32 pixels the maps have 32, 16 and 8 pixels a side. Larger pictures are halved once by
    a 7 x 7 convolution or twice by it and a pooling before the first stage, smaller ones less
    often, so that the last maps keep 7 pixels where they can.

    Args:
        input_shape: (height, width, channels), at least 8 x 8.
        n_classes: number of logits.
        depth: 6 n + 4 convolutions, for n blocks a stage; such as 10, 16, 22, 28 or 40.
        width: factor of the channels.
        dropout: share of the activations dropped between a block's convolutions while training.

    Returns:
        A network with 36,479,194 parameters for WRN-28-10, 32 x 32 x 3 and ten classes, and
        2,748,890 for WRN-16-4.

    Raises:
        ConfigError: an argument is out of range, or the picture is too small.

    Source: Zagoruyko and Komodakis, "Wide Residual Networks", 2016; initial weights after He et
    al., 2015.
    """
    check_picture("wide_resnet", input_shape)
    check_whole("depth", depth, 10, 1000)
    check_whole("width", width, 1, 32)
    check_share("dropout", dropout)
    if (depth - 4) % 6:
        raise ConfigError(f"depth is {depth}; allowed: 6 n + 4, such as 10, 16, 22, 28 or 40")
    halvings = count_halvings(input_shape, most=4, least=LEAST_MAP_OF_SMALL)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["stem"] = _stem(input_shape[2], max(0, halvings - 2))
    inside = 16
    for stage, stride in enumerate((1, *strides_of(halvings, 2))):
        outside = 16 * width * 2**stage
        layers[f"stage{stage + 1}"] = nn.Sequential(
            WideBlock(inside, outside, stride, dropout),
            *(WideBlock(outside, outside, 1, dropout) for _ in range((depth - 4) // 6 - 1)),
        )
        inside = outside
    layers["norm"] = batch_norm(inside)
    layers["act"] = nn.ReLU()
    layers["mean"] = GlobalAveragePool()
    layers["logits"] = nn.Linear(inside, n_classes)
    network = nn.Sequential(layers)
    he_normal_(network)
    return network


class WideBlock(nn.Module):
    """Normalise, activate and convolve, twice, and add the input.

    Where the channels or the size change, a 1 x 1 convolution of the activated input is added in
    the input's place.
    """

    def __init__(self, inside: int, outside: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = batch_norm(inside)
        self.act1 = nn.ReLU()
        self.conv1 = conv(inside, outside, 3, stride)
        self.norm2 = batch_norm(outside)
        self.act2 = nn.ReLU()
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.conv2 = conv(outside, outside, 3)
        changes = stride != 1 or inside != outside
        self.shortcut = conv(inside, outside, 1, stride) if changes else None
        self.add = Add()

    def forward(self, x: Tensor) -> Tensor:
        """From (n, inside, height, width) to (n, outside, height / stride, width / stride)."""
        activated = self.act1(self.norm1(x))
        y = self.act2(self.norm2(self.conv1(activated)))
        if self.dropout is not None:
            y = self.dropout(y)
        around = x if self.shortcut is None else self.shortcut(activated)
        return self.add(self.conv2(y), around)


def _stem(channels: int, halvings: int) -> nn.Module:
    # Without a pooling the first block's own normalisation follows.
    return stem(channels, 16, 2) if halvings == 2 else stem_conv(channels, 16, halvings)
