"""The layers that one picture passes: what there is to look at, and its way through them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convolens.config import to_dict
from convolens.errors import ConfigError
from convolens.explain.heat_maps import Side
from convolens.explain.layer_kinds import LayerKind, kind_of
from convolens.explain.networks import (
    AnyPictures,
    Explainable,
    last_convolution,
    layers_of,
    network_input,
    network_of,
    pass_through,
)
from convolens.explain.passes import LayerPass, PassedLayers, follow_pass
from convolens.explain.seen_pixels import seen_pixels
from convolens.explain.windows import WINDOWED
from convolens.zoo import summarise
from convolens.zoo.blocks import GlobalAveragePool

MOST_STATIONS = 12
"""Layers on the way that are shown one by one; of more, the important ones."""
MOST_CHANNELS = 16
"""Maps of a layer that are shown."""

_ON_THE_WAY = ("convolution", "pooling", "activation")


@dataclass(frozen=True, kw_only=True)
class ExplainedLayer:
    """A layer that puts out maps."""

    name: str
    """Its name in the network."""
    kind: LayerKind
    """What it does."""
    operation: str
    """Its class, such as "Conv2d"."""
    shape: tuple[int, int, int]
    """(height, width, channels) of what it puts out for the picture."""
    receptive_field: Side | None
    """(height, width) in pixels of what one of its values depends on, as if the picture went on;
    None where it is not known."""
    traceable: bool
    """Whether the arithmetic of its values can be written out."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerMaps:
    """What a layer made of the picture: its strongest maps."""

    layer: ExplainedLayer
    """The layer."""
    channels: tuple[int, ...]
    """Those shown, by their largest value, the largest first."""
    maps: NDArray[np.float32]
    """(height, width, shown channels)."""


def explained_layers(
    model: Explainable, passed: PassedLayers, shape: tuple[int, int, int]
) -> tuple[ExplainedLayer, ...]:
    """The layers with maps, in the order in which a picture passes them (last).

    Args:
        model: as everywhere here.
        passed: a pass of one picture.
        shape: (height, width, channels) of that picture.
    """
    known = _summarised_fields(model, shape)
    return tuple(
        ExplainedLayer(
            name=name,
            kind=kind_of(passed.passes[place].module),
            operation=type(passed.passes[place].module).__name__.removeprefix("Parametrized"),
            shape=map_shape(passed.passes[place]),
            receptive_field=_field(passed, place, known, shape),
            traceable=is_traceable(passed.passes[place].module),
        )
        for name, place in _last_places(passed).items()
    )


def way_through(
    passed: PassedLayers, layers: tuple[ExplainedLayer, ...], traced: str
) -> tuple[tuple[LayerMaps, ...], int]:
    """Feature maps of the layers on the picture's way, from the first to the last.

    Those are the convolutions, poolings and activations that change anything and put out more than
    one value a map. Of more than ``MOST_STATIONS`` the first, the last of each size of maps, and
    the one whose arithmetic is shown, are taken.

    Args:
        passed: a pass of one picture.
        layers: all of them, as from :func:`explained_layers`.
        traced: name of the layer whose arithmetic is shown.

    Returns:
        The maps, and how many such layers there are.
    """
    places = _last_places(passed)
    stations = [
        layer
        for layer in layers
        if layer.kind in _ON_THE_WAY
        and layer.shape[:2] != (1, 1)
        and _changes(passed.passes[places[layer.name]])
    ]
    chosen = stations
    if len(stations) > MOST_STATIONS:
        last = {layer.shape[:2]: layer.name for layer in stations}
        kept = {stations[0].name, traced, *last.values()}
        chosen = [layer for layer in stations if layer.name in kept]
    made = tuple(_strongest(layer, passed.passes[places[layer.name]]) for layer in chosen)
    return made, len(stations)


def default_layer(passed: PassedLayers, reaching: Collection[str]) -> str:
    """The layer to look at where none is named: the last convolution that has places.

    Where no convolution's arithmetic can be written out, the last pooling that has places is taken.

    Args:
        passed: the pass of one picture.
        reaching: names of the layers that the logits depend on; others are the last choice.

    Raises:
        ConfigError: there is neither.
    """
    traceable = [each for each in passed.passes if is_traceable(each.module)]
    reached = [each for each in traceable if each.name in reaching] or traceable
    found = [each for each in reached if map_shape(each)[:2] != (1, 1)] or reached
    if not found:
        raise ConfigError(
            "no layer that the picture passes is one whose arithmetic can be written out; those "
            f"are {', '.join(kind.__name__ for kind in WINDOWED)}, padded with zeros"
        )
    convolutions = [each for each in found if isinstance(each.module, nn.Conv2d)]
    return (convolutions or found)[-1].name


def heat_layer(model: Explainable, pictures: AnyPictures) -> str | None:
    """The layer to look at for a heat map: the last whose maps are larger than one value.

    It lies behind the last convolution's normalisation and activation, see :func:`heat_layers`.

    Args:
        model: as everywhere here.
        pictures: of which the first is passed.

    Returns:
        Its name, for :func:`convolens.explain.grad_cam`; None where there is no convolution.

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    >>> heat_layer(network, np.zeros((1, 8, 8, 1)))
    '1'
    """
    x = network_input(model, pictures[:1])
    if not layers_of(model, "convolution"):
        return None
    return usual_heat_layers(model, x)[-1]


def usual_heat_layers(model: Explainable, x: Tensor) -> tuple[str, ...]:
    """The layers for heat maps, of every size of maps one, from fine to coarse as they are passed.

    Args:
        model: as everywhere here.
        x: (n, channels, height, width), of which the first picture is passed.

    Raises:
        ConfigError: the network has no convolution that the logits depend on.
    """
    first = x[:1]
    convolution = last_convolution(model, first)
    passed = follow_pass(model, first)
    return heat_layers(passed, reaching_layers(model, first, passed)) or (convolution,)


def heat_layers(passed: PassedLayers, reaching: Collection[str]) -> tuple[str, ...]:
    """The layers to look at for heat maps: of every size of maps the last, but for poolings.

    That is where the network is done with a size: behind normalisation, activation and the sums of
    residual blocks. What a convolution itself puts out is not yet normalised, and its map was found
    to be 0 everywhere for 123 of 206 photographs of hands; behind the normalisation for none.

    Args:
        passed: the pass of one picture.
        reaching: names of the layers that the logits depend on.

    Returns:
        Names in the order of the pass; the last is the one for Grad-CAM. Empty where there is none.
    """
    last: dict[Side, str] = {}
    for name, place in _last_places(passed).items():
        at_work = passed.passes[place]
        size = map_shape(at_work)[:2]
        if name in reaching and size != (1, 1) and kind_of(at_work.module) != "pooling":
            last.pop(size, None)
            last[size] = name
    return tuple(last.values())


def reaching_layers(model: Explainable, x: Tensor, passed: PassedLayers) -> set[str]:
    """Names of the layers with maps that the logits depend on, as far as gradients tell.

    Args:
        model: as everywhere here.
        x: (1, channels, height, width): one picture, as from ``network_input``.
        passed: the pass of that picture.
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        # A layer may work in place on the second copy; on the first, a leaf, none may.
        done = pass_through(model, x.clone().requires_grad_().clone(), [*_last_places(passed)])
        asked = {name: out for name, out in done.outputs.items() if out.requires_grad}
        if not (done.logits.requires_grad and asked):
            return set()
        found = torch.autograd.grad(done.logits.sum(), [*asked.values()], allow_unused=True)
    return {name for name, gradient in zip(asked, found, strict=True) if gradient is not None}


def is_traceable(module: nn.Module) -> bool:
    """Whether the arithmetic of a layer's values can be written out."""
    padded = getattr(module, "padding_mode", "zeros")
    return isinstance(module, WINDOWED) and padded == "zeros"


def map_shape(at_work: LayerPass) -> tuple[int, int, int]:
    """(height, width, channels) of what a layer with maps put out."""
    if at_work.output.ndim == 2:  # the mean of whole maps
        return 1, 1, at_work.output.shape[1]
    channels, height, width = at_work.output.shape[1:]
    return height, width, channels


def _last_places(passed: PassedLayers) -> dict[str, int]:
    """Each layer with maps, and its last pass among all; in the order of these."""
    places: dict[str, int] = {}
    for place, each in enumerate(passed.passes):
        if each.output.ndim == 4 or isinstance(each.module, GlobalAveragePool):
            places.pop(each.name, None)
            places[each.name] = place
    return places


def _summarised_fields(model: Explainable, shape: tuple[int, int, int]) -> dict[str, Side]:
    """Receptive fields by layer, where the whole network can be followed without a picture."""
    try:
        layers = summarise(network_of(model), shape).layers
    except (ConfigError, AssertionError):
        return {}
    return {layer.name: layer.receptive_field for layer in layers}


def _field(
    passed: PassedLayers, place: int, known: dict[str, Side], shape: tuple[int, int, int]
) -> Side | None:
    at_work = passed.passes[place]
    if known or at_work.output.ndim != 4:
        return known.get(at_work.name)
    height, width, _ = map_shape(at_work)
    seen = seen_pixels(passed, place, height // 2, width // 2, shape[:2])
    if seen is None:
        return None
    (top, bottom), (left, right) = seen.full_rows, seen.full_columns
    return bottom - top + 1, right - left + 1


def _changes(at_work: LayerPass) -> bool:
    return at_work.given.shape != at_work.output.shape or not torch.equal(
        at_work.given, at_work.output
    )


def _strongest(layer: ExplainedLayer, at_work: LayerPass) -> LayerMaps:
    maps = at_work.output[0].float().cpu()
    largest = torch.nan_to_num(maps, nan=-torch.inf).flatten(1).amax(dim=1).numpy()
    order = np.argsort(-largest, kind="stable")[:MOST_CHANNELS]
    chosen = maps[torch.from_numpy(order.copy())]
    return LayerMaps(
        layer=layer,
        channels=tuple(int(channel) for channel in order),
        maps=chosen.permute(1, 2, 0).contiguous().numpy(),
    )
