"""Densely connected networks: each layer sees the maps of all layers before it."""

from collections import OrderedDict

from torch import Tensor, nn

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.zoo.blocks import GlobalAveragePool, batch_norm, conv, he_normal_, stem, stem_conv
from convolens.zoo.branches import Concatenate
from convolens.zoo.sizes import (
    LEAST_MAP_OF_SMALL,
    check_picture,
    check_share,
    count_halvings,
    strides_of,
)


def densenet(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    depth: int = 100,
    growth: int = 12,
    dropout: float = 0.0,
) -> nn.Module:
    """DenseNet-BC: three dense stages with bottlenecks, and transitions that halve the channels.

    On 32 x 32 pixels the maps have 32, 16 and 8 pixels a side. Larger pictures are halved once by
    a 7 x 7 convolution or twice by it and a pooling before the first stage, smaller ones less
    often, so that the last maps keep 7 pixels (or 6, since its poolings round down) where they can.

    Args:
        input_shape: (height, width, channels), at least 8 x 8.
        n_classes: number of logits.
        depth: 6 n + 4 layers with weights, for n layers of two convolutions a stage.
        growth: channels that each layer adds, the paper's k.
        dropout: share of a convolution's output dropped while training (the paper's 0.2 where the
            pictures are not augmented).

    Returns:
        A network with 769,162 parameters for a depth of 100, a growth of 12, 32 x 32 x 3 and ten
        classes.

    Raises:
        ConfigError: an argument is out of range, or the picture is too small.

    Source: Huang et al., "Densely Connected Convolutional Networks", 2017; initial weights as
    there, after He et al., 2015.
    """
    check_picture("densenet", input_shape)
    check_whole("depth", depth, 10, 1000)
    check_whole("growth", growth, 1, 128)
    check_share("dropout", dropout)
    if (depth - 4) % 6:
        raise ConfigError(f"depth is {depth}; allowed: 6 n + 4, such as 40, 100 or 190")
    halvings = count_halvings(input_shape, most=4, least=LEAST_MAP_OF_SMALL)
    inside = 2 * growth
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["stem"] = _stem(input_shape[2], inside, max(0, halvings - 2))
    strides = strides_of(halvings, 2)
    for stage in (1, 2, 3):
        n_layers = (depth - 4) // 6
        layers[f"stage{stage}"] = nn.Sequential(
            *(_dense_layer(inside + i * growth, growth, dropout) for i in range(n_layers))
        )
        inside += n_layers * growth
        if stage < 3:
            layers[f"transition{stage}"] = _transition(
                inside, inside // 2, strides[stage - 1], dropout
            )
            inside //= 2
    layers["norm"] = batch_norm(inside)
    layers["act"] = nn.ReLU()
    layers["mean"] = GlobalAveragePool()
    layers["logits"] = nn.Linear(inside, n_classes)
    network = nn.Sequential(layers)
    he_normal_(network)
    return network


class DenseLayer(nn.Module):
    """What comes in, and behind it the few maps that the body makes of it."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.concatenate = Concatenate()

    def forward(self, x: Tensor) -> Tensor:
        """From (n, channels, height, width) to (n, channels + growth, height, width)."""
        return self.concatenate(x, self.body(x))


def _dense_layer(inside: int, growth: int, dropout: float) -> DenseLayer:
    """A 1 x 1 bottleneck of four times the growth, and a 3 x 3 convolution."""
    body: OrderedDict[str, nn.Module] = OrderedDict()
    body["norm1"] = batch_norm(inside)
    body["act1"] = nn.ReLU()
    body["conv1"] = conv(inside, 4 * growth, 1)
    _drop(body, "dropout1", dropout)
    body["norm2"] = batch_norm(4 * growth)
    body["act2"] = nn.ReLU()
    body["conv2"] = conv(4 * growth, growth, 3)
    _drop(body, "dropout2", dropout)
    return DenseLayer(nn.Sequential(body))


def _transition(inside: int, outside: int, stride: int, dropout: float) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["norm"] = batch_norm(inside)
    layers["act"] = nn.ReLU()
    layers["conv"] = conv(inside, outside, 1)
    _drop(layers, "dropout", dropout)
    if stride == 2:
        layers["pool"] = nn.AvgPool2d(2)
    return nn.Sequential(layers)


def _drop(layers: OrderedDict[str, nn.Module], name: str, dropout: float) -> None:
    if dropout:
        layers[name] = nn.Dropout(dropout)


def _stem(channels: int, width: int, halvings: int) -> nn.Module:
    # Without a pooling the first layer's own normalisation follows.
    return stem(channels, width, 2) if halvings == 2 else stem_conv(channels, width, halvings)
