"""Filters and feature maps of a trained network, its layers found by kind, not by name."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from convolens.bundle import Model
from convolens.errors import ConfigError, ModelError
from convolens.explain.networks import (
    Explainable,
    choose_layer,
    layers_of,
    network_input,
    network_of,
    pass_through,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def convolution_layers(model: Explainable) -> dict[str, nn.Conv2d]:
    """The model's convolutions by name, in the order in which they are registered.

    Those inside blocks have the names of the blocks before their own, joined by dots, such as
    ``stage1.0.body.conv1``; the names are those of :func:`convolens.zoo.summarise`.

    Raises:
        ModelError: it has none.
    """
    layers = {
        name: module
        for name, module in layers_of(model, "convolution").items()
        if isinstance(module, nn.Conv2d)
    }
    if not layers:
        raise ModelError(f"{_called(model)} has no convolution to look at")
    return layers


def layer_filters(model: Explainable, layer: str | None = None) -> "NDArray[np.float32]":
    """The learned filters of a convolution.

    Args:
        model: as from ``load_model``, or any ``nn.Module``.
        layer: one of ``convolution_layers(model)``; the first if None.

    Returns:
        (height, width, in_channels, filters) float32, as ``conv2d`` takes them. Where channels are
        convolved in groups, in_channels are those of one group: 1 of a depthwise convolution.

    Raises:
        ConfigError: there is no such layer.
    """
    layers = convolution_layers(model)
    module = next(iter(layers.values())) if layer is None else choose_layer("layer", layer, layers)
    return module.weight.detach().permute(2, 3, 1, 0).float().cpu().numpy().copy()


def feature_maps(
    model: Explainable, picture: Any, layer: str | None = None
) -> "NDArray[np.float32]":
    """What a layer of a network puts out for one picture.

    Args:
        model: as from ``load_model``, or any ``nn.Module``.
        picture: for a model a file, an array (height, width, channels) or a Pillow image, of any
            size; for a bare network an array (height, width, channels) of floating point.
        layer: any layer that puts out maps (a convolution, a pooling, a normalisation, an
            activation, a block of several), by its name in the network; the first convolution
            if None.

    Returns:
        (height, width, channels) float32, as the layer puts it out: of a convolution sums of
        products and bias, before any activation. Of a layer that is passed several times, the last.

    Raises:
        ConfigError: there is no such layer, or what it puts out are no maps.
        ImageError: the picture cannot be read.

    >>> network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten())
    >>> feature_maps(network, np.ones((8, 8, 1)), "1").shape
    (6, 6, 2)
    """
    name = next(iter(convolution_layers(model))) if layer is None else layer
    with torch.no_grad():
        output = pass_through(model, one_input(model, picture), [name]).outputs[name]
    check_maps(name, network_of(model).get_submodule(name), output)
    return output[0].permute(1, 2, 0).float().cpu().numpy().copy()


def one_input(model: Explainable, picture: Any) -> Tensor:
    """One picture as a network takes it: (1, channels, height, width).

    Raises:
        ConfigError: a bare network was given something else than an array.
        ImageError: the picture cannot be read.
    """
    if isinstance(model, Model):
        return network_input(model, [picture])
    array = np.asarray(picture)
    if array.ndim != 3 or not np.issubdtype(array.dtype, np.floating):
        raise ConfigError(
            "a bare network takes one picture as an array of floating point, (height, width, "
            f"channels); got shape {array.shape} of {array.dtype}"
        )
    return network_input(model, array[None])


def check_maps(name: str, module: nn.Module, output: Tensor) -> None:
    """Refuse a layer whose output has no rows and columns.

    Raises:
        ConfigError: it has another shape than (n, channels, height, width).
    """
    if output.ndim != 4:
        raise ConfigError(
            f"layer {name!r} ({type(module).__name__}) puts out {_shape(output)} for a picture; "
            "feature maps are of layers before the pixels are laid in a row, such as convolutions"
        )


def _shape(output: Tensor) -> str:
    sizes = tuple(output.shape[1:])
    return f"{sizes[0]} values" if len(sizes) == 1 else f"shape {sizes}"


def _called(model: Explainable) -> str:
    if isinstance(model, Model):
        return f"architecture {model.architecture!r}"
    return f"the network ({type(model).__name__})"
