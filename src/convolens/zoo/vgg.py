"""VGG: nothing but 3 x 3 convolutions and 2 x 2 poolings, stage by stage."""

from collections import OrderedDict

from torch import nn

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.zoo.blocks import GlobalAveragePool, batch_norm, conv, conv_same, he_normal_
from convolens.zoo.sizes import check_picture, check_share

# layers with weights -> convolutions of each stage: the paper's table 1, columns A, B, D and E
STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    depth: int = 11,
    width: int = 64,
    hidden: int | None = None,
    dropout: float = 0.5,
    normalised: bool = True,
) -> nn.Module:
    """Five stages of 3 x 3 convolutions; each but the last doubles the channels, up to eightfold.

    A stage ends in a pooling as long as that leaves two pixels a side; small pictures have fewer
    poolings, the last ones missing.

    Args:
        input_shape: (height, width, channels), at least 8 x 8.
        n_classes: number of logits.
        depth: 11, 13, 16 or 19 layers with weights, counted with two hidden dense layers.
        width: channels of the first stage.
        hidden: units of each of two dense layers before the logits; 0 for none, the mean of each
            last map going to the logits. If None, the paper's 4096 for pictures whose sides are
            from 128 to 255 pixels (their last maps have 4 to 7), and 0 for all others.
        dropout: share of each hidden layer's activations dropped while training.
        normalised: batch normalisation behind every convolution, which then has no bias. False
            gives the paper's network.

    Returns:
        A network; ``vgg11`` has 132,863,336 parameters for 224 x 224 x 3 and 1000 classes without
        normalisation and 132,866,088 with it. (The usual 132,868,840 counts 2,752 biases before
        the normalisations, which have no effect.)

    Raises:
        ConfigError: an argument is out of range, or the picture is too small.

    Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", 2015; initial weights after He et al., 2015, which train such a network from
    nothing, as the paper's do not.
    """
    check_picture(f"vgg{depth}", input_shape)
    _check(depth, width, hidden, dropout, normalised)
    side, inside = min(input_shape[:2]), input_shape[2]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    poolings = 0
    for stage, n_convolutions in enumerate(STAGES[depth], start=1):
        outside = min(width * 2 ** (stage - 1), width * 8)
        for letter in "abcd"[:n_convolutions]:
            layers |= _convolution(f"{stage}{letter}", inside, outside, normalised=normalised)
            inside = outside
        if side >= 4:
            layers[f"pool{stage}"] = nn.MaxPool2d(2)
            side, poolings = side // 2, poolings + 1
    height, columns = (size // 2**poolings for size in input_shape[:2])
    if hidden is None:
        published = min(input_shape[:2]) >= 128 and max(input_shape[:2]) <= 255
        hidden = 4096 if published else 0
    if hidden:
        layers |= _dense_layers(inside * height * columns, hidden, dropout)
        layers["logits"] = nn.Linear(hidden, n_classes)
    else:
        layers["mean"] = GlobalAveragePool()
        layers["logits"] = nn.Linear(inside, n_classes)
    network = nn.Sequential(layers)
    he_normal_(network)
    return network


def _convolution(
    place: str, inside: int, outside: int, *, normalised: bool
) -> OrderedDict[str, nn.Module]:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if normalised:
        layers[f"conv{place}"] = conv(inside, outside, 3)
        layers[f"norm{place}"] = batch_norm(outside)
    else:
        layers[f"conv{place}"] = conv_same(inside, outside, 3, bias=True)
    layers[f"act{place}"] = nn.ReLU()
    return layers


def _dense_layers(inputs: int, hidden: int, dropout: float) -> OrderedDict[str, nn.Module]:
    return OrderedDict(
        flatten=nn.Flatten(),
        dense1=nn.Linear(inputs, hidden),
        relu1=nn.ReLU(),
        dropout1=nn.Dropout(dropout),
        dense2=nn.Linear(hidden, hidden),
        relu2=nn.ReLU(),
        dropout2=nn.Dropout(dropout),
    )


def _check(depth: int, width: int, hidden: int | None, dropout: float, normalised: bool) -> None:
    if depth not in STAGES:
        raise ConfigError(f"depth of a VGG is {depth!r}; allowed: {', '.join(map(str, STAGES))}")
    check_whole("width", width, 1, 512)
    if hidden is not None:
        check_whole("hidden", hidden, 0, 8192)
    check_share("dropout", dropout)
    if not isinstance(normalised, bool):
        raise ConfigError(f"normalised must be true or false; got {normalised!r}")
