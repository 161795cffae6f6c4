"""LayerCAM: heat maps of several layers at once, from fine to coarse."""

from collections.abc import Sequence

import torch
from torch import Tensor

from convolens.errors import ConfigError
from convolens.explain.batches import first_input, in_batches, mirrored_back, on_one_thread
from convolens.explain.explained_layers import usual_heat_layers
from convolens.explain.heat_maps import HeatMaps, Side, read_size, resized
from convolens.explain.layer_gradients import Keeper
from convolens.explain.networks import AnyPictures, Explainable, find_layer
from convolens.explain.targets import Target, read_target


def layer_cam(
    model: Explainable,
    pictures: AnyPictures,
    target: Target = None,
    *,
    layers: Sequence[str] | None = None,
    size: int | Side | None = None,
) -> HeatMaps:
    """Where the features that speak for a class are, in layers of several resolutions together.

    Each value of a layer is weighed by its own gradient, where that is above 0, instead of by its
    map's mean, so that fine layers can be used, too. Each layer's map is scaled to its own highest
    value, brought to the picture's size, and of all layers the highest value is taken at each
    pixel. (The paper squeezes the maps of its two finest layers by a tanh before; nothing says
    which layers those are in another network.) Of a mirrored model, a layer's map is the mean of
    the picture's and the mirror image's, turned back.

    Args:
        model: as for :func:`~convolens.explain.grad_cam`.
        pictures: likewise.
        target: likewise.
        layers: names of layers that put out maps, at least one; if None, of every resolution the
            last one that is no pooling, as for :func:`~convolens.explain.grad_cam`.
        size: as for :func:`~convolens.explain.grad_cam`.

    Returns:
        Maps in 0..1; one of zeros where nothing speaks for the class.

    Raises:
        ConfigError: as :func:`~convolens.explain.grad_cam`; or no layer.
        ImageError: a picture cannot be read.

    Source: P.-T. Jiang et al., "LayerCAM: Exploring hierarchical class activation maps for
    localization", 2021.

    >>> import numpy as np
    >>> from torch import nn
    >>> network = nn.Sequential(
    ...     nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(16, 2)
    ... )
    >>> maps = layer_cam(network, np.random.default_rng(0).random((3, 10, 10, 1)), target=1)
    >>> maps.layers, maps.resolutions
    (('0', '2'), ((8, 8), (2, 2)))
    """
    x = first_input(model, pictures)
    out = read_size(size, (x.shape[2], x.shape[3]))
    wanted = read_target(model, target, len(pictures))
    names = on_one_thread(lambda: usual_heat_layers(model, x)) if layers is None else _named(layers)

    def compute(x: Tensor, span: slice) -> tuple[Tensor, Tensor, Tensor, tuple[Side, ...]]:
        found = keeper.gradients(model, x, None if wanted is None else wanted[span])
        pairs = zip(found.outputs, found.gradients, strict=True)
        maps = [
            mirrored_back(model, torch.relu((torch.relu(gradient) * output).sum(dim=1)).float())
            for output, gradient in pairs
        ]
        fused = torch.stack([resized(_scaled(each), out) for each in maps]).amax(dim=0)
        sides = tuple((each.shape[1], each.shape[2]) for each in maps)
        return fused.cpu(), found.targets.cpu(), found.logits.cpu(), sides

    with Keeper({name: find_layer(model, name) for name in names}) as keeper:
        done = in_batches(model, pictures, compute)
    values, targets, logits, sides = zip(*done, strict=True)
    return HeatMaps(
        method="layer_cam",
        values=torch.cat(values).numpy(),
        signed=False,
        targets=torch.cat(targets).numpy(),
        logits=torch.cat(logits).numpy(),
        layers=tuple(names),
        resolutions=sides[0],
    )


def _named(layers: Sequence[str]) -> Sequence[str]:
    names = [layers] if isinstance(layers, str) else list(dict.fromkeys(layers))
    if not names:
        raise ConfigError("layers is empty; name at least one, or give None for the usual ones")
    return names


def _scaled(maps: Tensor) -> Tensor:
    """Each map divided by its highest value, so that layers can be compared."""
    highest = maps.amax(dim=(1, 2), keepdim=True)
    return maps / torch.where(highest > 0, highest, 1.0)
