"""The network of the student's notes, layer by layer."""

from collections import OrderedDict

from torch import nn

from convolens.errors import ConfigError
from convolens.zoo.blocks import conv_same, glorot_uniform_

MINIMUM_SIZE = 8  # three poolings of 2 must leave at least one pixel


def notes(input_shape: tuple[int, int, int], n_classes: int, *, dropout: float = 0.5) -> nn.Module:
    """Five convolutions, three poolings and three dense layers, initialised as Keras does.

    Args:
        input_shape: (height, width, channels), at least 8 x 8.
        n_classes: number of logits.
        dropout: share of each dense layer's activations dropped while training.

    Returns:
        A network with 1,413,834 parameters for 28 x 28 x 1 and ten classes. The softmax of the
        notes is part of the loss and of prediction, not of the network.

    Raises:
        ConfigError: the picture is too small for three poolings.
    """
    if not (isinstance(dropout, int | float) and 0 <= dropout < 1):
        raise ConfigError(f"dropout must be in [0, 1); got {dropout!r}")
    height, width, channels = input_shape
    if min(height, width) < MINIMUM_SIZE:
        raise ConfigError(
            f"architecture 'notes' needs pictures of at least {MINIMUM_SIZE} x {MINIMUM_SIZE} "
            f"pixels, since it halves them three times; got {height} x {width}"
        )
    pixels = (height // 8) * (width // 8)
    network = nn.Sequential(
        OrderedDict(
            conv1=conv_same(channels, 64, 7, bias=True),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=conv_same(64, 128, 3, bias=True),
            relu2=nn.ReLU(),
            conv3=conv_same(128, 128, 3, bias=True),
            relu3=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            conv4=conv_same(128, 256, 3, bias=True),
            relu4=nn.ReLU(),
            conv5=conv_same(256, 256, 3, bias=True),
            relu5=nn.ReLU(),
            pool3=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            dense1=nn.Linear(256 * pixels, 128),
            relu6=nn.ReLU(),
            dropout1=nn.Dropout(dropout),
            dense2=nn.Linear(128, 64),
            relu7=nn.ReLU(),
            dropout2=nn.Dropout(dropout),
            logits=nn.Linear(64, n_classes),
        )
    )
    glorot_uniform_(network)
    return network
