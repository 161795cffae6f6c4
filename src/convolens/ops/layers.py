"""A freshly initialised convolution layer, as Keras makes it, and without hidden state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from convolens.config import choose
from convolens.errors import ConfigError
from convolens.ops.arrays import Array, as_picture_batch
from convolens.ops.convolution import convolve
from convolens.ops.padding import Padding, Size, padding_of, pair, whole_number


@dataclass(frozen=True)
class Conv2D:
    """A convolution layer with fresh random weights and zero bias; call it on pictures.

    Args:
        filters: number of feature maps that come out.
        kernel_size: size of each filter, an int or (height, width).
        strides: pixels from one window to the next, an int or (vertical, horizontal).
        padding: as for ``conv2d``.
        activation: "relu", "sigmoid", "tanh" or "linear"; None means "linear".
        seed: the weights are a pure function of it.
        dtype: "float32" or "float64": pictures are converted to it and the result has it. With None
            the result has the dtype that ``conv2d`` gives for the pictures.

    Raises:
        ConfigError: an argument is out of range.

    Source: Keras' ``Conv2D`` with its defaults, save for padding and activation, which are those of
    the notes. Weights: Glorot and Bengio (2010), "Understanding the difficulty of training deep
    feedforward neural networks", https://proceedings.mlr.press/v9/glorot10a.html.

    >>> layer = Conv2D(filters=32, kernel_size=3, seed=7)
    >>> maps = layer(np.ones((5, 6, 3)))
    >>> maps.shape, bool((maps >= 0).all())
    ((5, 6, 32), True)
    """

    filters: int = 32
    kernel_size: Size = 3
    strides: Size = 1
    padding: Padding = "same"
    activation: str | None = "relu"
    seed: int = 0
    dtype: str | None = None

    def __post_init__(self) -> None:
        whole_number("filters", self.filters)
        pair("kernel_size", self.kernel_size)
        pair("strides", self.strides)
        padding_of(self.padding)
        choose("activation", self.activation or "linear", _ACTIVATIONS)
        whole_number("seed", self.seed, minimum=0)
        if self.dtype not in (None, "float32", "float64"):
            raise ConfigError(f'dtype is {self.dtype!r}; it must be "float32", "float64" or None')

    def __call__(self, images: ArrayLike) -> Array:
        """Feature maps of (n, height, width, channels) or (height, width, channels) pictures.

        Returns:
            (n, out_height, out_width, filters), or without n if ``images`` has none.

        Raises:
            ConfigError: as ``conv2d``.
        """
        batch, single = as_picture_batch(images)
        if self.dtype is not None:
            batch = batch.astype(self.dtype, copy=False)
        activation = choose("activation", self.activation or "linear", _ACTIVATIONS)
        weights = self.weights(batch.shape[3])
        maps = convolve(batch, weights, self.strides, self.padding, activation=activation)
        return maps[0] if single else maps

    def weights(self, in_channels: int) -> Array:
        """The layer's filters for pictures of ``in_channels`` channels.

        Returns:
            (height, width, in_channels, filters), uniform within plus or minus
            sqrt(6 / (fan_in + fan_out)); float64 if that is the layer's dtype, otherwise float32.

        >>> Conv2D(filters=4, kernel_size=(1, 3), seed=1).weights(2).shape
        (1, 3, 2, 4)
        """
        channels = whole_number("in_channels", in_channels)
        height, width = pair("kernel_size", self.kernel_size)
        limit = np.sqrt(6 / (height * width * (channels + self.filters)))
        shape = (height, width, channels, self.filters)
        values = np.random.default_rng(self.seed).uniform(-limit, limit, shape)
        return values.astype(self.dtype or np.float32)


# name -> what it does to feature maps, in place
_ACTIVATIONS: dict[str, Callable[[torch.Tensor], Any] | None] = {
    "relu": torch.relu_,
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
    "linear": None,
}
