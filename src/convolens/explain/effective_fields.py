"""Which pixels really move a value: most of a receptive field hardly counts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convolens.config import check_whole, to_dict
from convolens.errors import ConfigError
from convolens.explain.activations import check_maps
from convolens.explain.batches import LEARNING, batch_size, first_input
from convolens.explain.networks import (
    AnyPictures,
    Explainable,
    find_layer,
    network_input,
    pass_through,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class EffectiveField:
    """How strongly each pixel moves one value of a layer, on average over pictures."""

    layer: str
    """Name of the layer."""
    row: int
    """Row of the value in what the layer puts out."""
    column: int
    """Its column."""
    channel: int | None
    """Its channel; None for all of them together."""
    n: int
    """How many pictures."""
    heat: NDArray[np.float64]
    """(height, width) of the network's input: mean absolute gradient of the value by each pixel,
    summed over the pixel's channels. All 0 where the value never changed."""

    @property
    def size(self) -> float:
        """Side in pixels of a square of as many pixels as hold 95 % of the gradient."""
        return float(np.sqrt(self.holding(0.95).sum()))

    def holding(self, share: float) -> NDArray[np.bool_]:
        """The fewest pixels that together hold a share of the gradient.

        Args:
            share: 0 to 1.

        Returns:
            (height, width), True for these.
        """
        order = np.argsort(-self.heat, axis=None, kind="stable")
        held = np.cumsum(self.heat.flat[order])
        chosen = np.zeros(self.heat.size, bool)
        if held[-1] > 0:
            n = int(np.searchsorted(held, share * held[-1] * (1 - 1e-12))) + 1
            chosen[order[:n]] = True
        return chosen.reshape(self.heat.shape)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, with ``size``."""
        return {**to_dict(self), "size": self.size}

    def __str__(self) -> str:
        channel = "all channels" if self.channel is None else f"channel {self.channel}"
        where = f"Row {self.row}, column {self.column}, {channel} of layer {self.layer!r}"
        pictures = "1 picture" if self.n == 1 else f"{self.n:,} pictures"
        if not self.heat.any():
            return f"{where}: no pixel moves it, in {pictures}."
        return f"{where}: a square of {self.size:.1f} pixels a side holds 95 % ({pictures})."


def effective_receptive_field(
    model: Explainable,
    pictures: AnyPictures,
    layer: str,
    channel: int | None = None,
    row: int | None = None,
    column: int | None = None,
) -> EffectiveField:
    """Mean absolute gradient of a layer's value by every pixel, over pictures.

    Args:
        model: as from ``load_model``, or any ``nn.Module``.
        pictures: for a model a list of any pictures, or an array (n, height, width, channels) of
            uint8; for a bare network an array (n, height, width, channels) of floating point. Some
            tens are enough for a smooth picture.
        layer: any layer, or block of layers, that puts out maps.
        channel: of the value. None for all: their sum with random signs, other ones for each
            picture, so that channels that are each other's negatives do not cancel out; over many
            pictures it grows as the length of the gradient of all channels does.
        row: of the value in what the layer puts out; the middle one if None.
        column: likewise.

    Returns:
        The field, of the size of the network's input.

    Raises:
        ConfigError: there is no such layer or value, or nothing leads back from it to the pixels.
        ImageError: a picture cannot be read.

    Source: W. Luo, Y. Li, R. Urtasun and R. Zemel, "Understanding the Effective Receptive Field in
    Deep Convolutional Neural Networks", 2016.

    >>> from torch import nn
    >>> network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten())
    >>> network[0].weight.data[:] = 1.0
    >>> field = effective_receptive_field(network, np.ones((2, 7, 7, 1)), "0")
    >>> field.heat[2].tolist(), field.size
    ([0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0], 3.0)
    """
    module = find_layer(model, layer)
    first = first_input(model, pictures)
    with torch.no_grad():
        output = pass_through(model, first, [layer]).outputs[layer]
    check_maps(layer, module, output)
    channels, height, width = output.shape[1:]
    row, column = height // 2 if row is None else row, width // 2 if column is None else column
    check_whole(f"row of layer {layer!r}", row, 0, height - 1)
    check_whole(f"column of layer {layer!r}", column, 0, width - 1)
    if channel is not None:
        check_whole(f"channel of layer {layer!r}", channel, 0, channels - 1)
    n, size = len(pictures), batch_size(first, LEARNING)
    generator = torch.Generator().manual_seed(0)
    total = np.zeros(tuple(first.shape[2:]))
    for start in range(0, n, size):
        span = min(size, n - start)
        # Gradients are tensors of ordinary use, wherever the caller is.
        with torch.inference_mode(mode=False), torch.enable_grad():
            if channel is None:
                signs = 2.0 * torch.randint(0, 2, (span, channels), generator=generator) - 1
            else:
                signs = torch.zeros(span, channels)
                signs[:, channel] = 1.0
            x = network_input(model, pictures[start : start + size])
            total += _sum_of_gradients(model, x, layer, signs, int(row), int(column))
    return EffectiveField(
        layer=layer,
        row=int(row),
        column=int(column),
        channel=None if channel is None else int(channel),
        n=n,
        heat=total / n,
    )


def _sum_of_gradients(
    model: Explainable, x: Tensor, layer: str, signs: Tensor, row: int, column: int
) -> NDArray[np.float64]:
    x = x.detach().requires_grad_()
    # A copy passes: a first layer that works in place must not change what is derived by.
    output = pass_through(model, x.clone(), [layer]).outputs[layer]
    value = (output[:, :, row, column] * signs.to(output)).sum()
    gradient = None
    if value.requires_grad:
        (gradient,) = torch.autograd.grad(value, x, allow_unused=True)
    if gradient is None:
        raise ConfigError(f"no gradient leads from layer {layer!r} back to the pixels")
    return gradient.abs().sum(dim=(0, 1)).double().cpu().numpy()
