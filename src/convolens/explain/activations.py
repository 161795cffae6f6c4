"""Filters and feature maps of a trained network's convolutions, found by kind, not by name."""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from convolens.bundle import Model
from convolens.config import choose
from convolens.errors import ModelError
from convolens.prediction import to_network_input

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def convolution_layers(model: Model) -> dict[str, nn.Conv2d]:
    """The model's convolutions by name, in the order in which they are registered.

    Those inside blocks have the names of the blocks before their own, joined by dots, such as
    ``stage1.0.body.conv1``; the names are those of :func:`convolens.zoo.summarise`.

    Raises:
        ModelError: it has none.
    """
    layers = {
        name: module
        for name, module in model.network.named_modules()
        if isinstance(module, nn.Conv2d)
    }
    if not layers:
        raise ModelError(f"architecture {model.architecture!r} has no convolution to look at")
    return layers


def layer_filters(model: Model, layer: str | None = None) -> "NDArray[np.float32]":
    """The learned filters of a convolution.

    Args:
        model: as from ``load_model``.
        layer: one of ``convolution_layers(model)``; the first if None.

    Returns:
        (height, width, in_channels, filters) float32, as ``conv2d`` takes them. Where channels are
        convolved in groups, in_channels are those of one group: 1 of a depthwise convolution.

    Raises:
        ConfigError: there is no such layer.
    """
    return _layer(model, layer).weight.detach().permute(2, 3, 1, 0).cpu().numpy().copy()


def feature_maps(model: Model, picture: Any, layer: str | None = None) -> "NDArray[np.float32]":
    """What a convolution of the model puts out for one picture.

    Args:
        model: as from ``load_model``.
        picture: a file, an array (height, width, channels) or a Pillow image, of any size.
        layer: one of ``convolution_layers(model)``; the first if None.

    Returns:
        (height, width, filters) float32: sums of products and bias, before any activation.

    Raises:
        ConfigError: there is no such layer.
        ImageError: the picture cannot be read.
    """
    kept: list[torch.Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        kept.append(output)

    handle = _layer(model, layer).register_forward_hook(keep)
    try:
        device = next(model.network.parameters()).device
        images = model.preprocessing.prepare([picture])
        with torch.inference_mode():
            model.network(to_network_input(images, device))
    finally:
        handle.remove()
    return kept[0][0].permute(1, 2, 0).float().cpu().numpy().copy()


def _layer(model: Model, name: str | None) -> nn.Conv2d:
    layers = convolution_layers(model)
    return choose("layer", name, layers) if name else next(iter(layers.values()))
