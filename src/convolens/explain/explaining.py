"""Explaining one picture: every question asked once, the answers gathered."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from convolens.bundle import Model
from convolens.config import check_whole, choose
from convolens.errors import ConfigError
from convolens.explain.activations import one_input
from convolens.explain.batches import mean_logits
from convolens.explain.class_activation import grad_cam
from convolens.explain.class_activation_layers import layer_cam
from convolens.explain.deleting import deletion_insertion
from convolens.explain.deletion_curves import DeletionInsertion
from convolens.explain.explained_layers import (
    ExplainedLayer,
    default_layer,
    explained_layers,
    heat_layers,
    map_shape,
    reaching_layers,
    way_through,
)
from convolens.explain.explanation import Explanation
from convolens.explain.heat_maps import HeatMaps
from convolens.explain.integrating import integrated_gradients
from convolens.explain.neighbours import as_seen
from convolens.explain.networks import Explainable, find_layer, judging
from convolens.explain.occluding import occlusion
from convolens.explain.passes import PassedLayers, follow_pass
from convolens.explain.receptive_fields import ReceptiveField, receptive_field
from convolens.explain.targets import read_target
from convolens.explain.tracing_values import trace_value
from convolens.explain.value_trace import ValueTrace
from convolens.prediction import to_probabilities

METHODS = ("layer_cam", "occlusion", "integrated_gradients", "rival")
"""Heat maps that are made beside Grad-CAM of the target where they are asked for; "rival" is
Grad-CAM of the likeliest other class."""

Place = tuple[int, int] | tuple[int, int, int]
"""(row, column) or (row, column, channel)."""

# A field that cannot be worked out is measured, row by row and column by column.
_MEASURED_UP_TO = 128

# Parts in which a picture is covered, and moved maps to compare with: of 19 a map by chance beats
# 18 or all in one of ten times, of 9 all.
_STEPS = 10
_MOVED, _MOVED_OF_LARGE = 19, 9
_LARGE = 2**14  # pixels


def explain_picture(
    model: Explainable,
    picture: Any,
    layer: str | None = None,
    at: Place | None = None,
    target: int | str | None = None,
    *,
    risk: float | None = None,
    methods: Sequence[str] = (),
) -> Explanation:
    """Why a network says of a picture what it says.

    What it predicts and how sure that is; where in the picture that is which speaks for a class;
    the picture's way through the layers; and the arithmetic of one value on it, with the pixels
    that it depends on.

    Args:
        model: as from ``load_model``, or any ``nn.Module``.
        picture: for a model a file, an array (height, width, channels) or a Pillow image, of any
            size; for a bare network an array (height, width, channels) of floating point.
        layer: a convolution or a pooling whose value is taken apart; the last convolution if None.
            Grad-CAM looks at what its normalisation and activation make of it; if None, at the
            last maps that the network makes.
        at: (row, column) or (row, column, channel) of that value in what the layer puts out; the
            layer's largest value if None, the largest channel's where no channel is named.
        target: number or, of a model, name of the class to explain; the likeliest if None.
        risk: say whether the model is unsure at this risk, in (0, 1).
        methods: further heat maps, of ``METHODS``; on a large picture they take long.

    Returns:
        The explanation; ``print`` it.

    Raises:
        ConfigError: there is no such layer, value, class or method, or the layer is of another
            kind.
        ImageError: the picture cannot be read.
        ModelError: a risk is named and the model has no thresholds.

    >>> from torch import nn
    >>> network = nn.Sequential(
    ...     nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 2)
    ... )
    >>> picture = np.random.default_rng(0).random((8, 8, 1))
    >>> explanation = explain_picture(network, picture, layer="2", at=(1, 1))
    >>> explanation.trace.kind, [layer.name for layer in explanation.layers]
    ('max_pool', ['0', '1', '2'])
    """
    for method in methods:
        choose("method", method, dict.fromkeys(METHODS))
    wanted = read_target(model, target, 1)
    if layer is not None:
        find_layer(model, layer, "convolution", "pooling")
    seen = as_seen(model, picture)
    x = one_input(model, seen)
    passed = follow_pass(model, x)
    layers = explained_layers(model, passed, (seen.shape[0], seen.shape[1], seen.shape[2]))
    reaching = reaching_layers(model, x, passed)
    name = default_layer(passed, reaching) if layer is None else layer
    place = _value_place(passed, name, at)
    trace = trace_value(model, seen, name, *place)
    said = _said(model, seen, risk)
    likeliest = np.argsort(-said["probabilities"], kind="stable").tolist()
    chosen = likeliest[0] if wanted is None else int(wanted[0])
    if chosen >= len(likeliest):
        raise ConfigError(f"target is {chosen}; allowed: 0 to {len(likeliest) - 1}")
    rival = next((other for other in likeliest if other != chosen), None)
    usual = heat_layers(passed, reaching)
    looked_at = usual[-1:] if layer is None else _behind(passed, trace, usual)
    heat_maps = _heat_maps(model, seen, (chosen, rival), looked_at, usual, methods)
    way, way_length = way_through(passed, layers, name)
    return Explanation(
        picture=seen,
        network=model.architecture if isinstance(model, Model) else type(model).__name__,
        classes=_classes(model, len(likeliest)),
        target=chosen,
        rival=rival,
        heat_maps=heat_maps,
        faithfulness=_faithfulness(model, seen, heat_maps["grad_cam"]),
        layers=layers,
        way=way,
        way_length=way_length,
        trace=trace,
        field=_field(model, next(each for each in layers if each.name == name), place, seen),
        **said,
    )


def _behind(passed: PassedLayers, trace: ValueTrace, usual: tuple[str, ...]) -> tuple[str, ...]:
    """The last layer behind the traced one that looks at each value alone, or that one itself.

    Where its maps are single values, the last of the usual layers.
    """
    if map_shape(passed.passes[passed.place(trace.layer)])[:2] == (1, 1):
        return usual[-1:]
    return (trace.following[-1].layer if trace.following else trace.layer,)


def _heat_maps(
    model: Explainable,
    seen: NDArray[Any],
    classes: tuple[int, int | None],
    looked_at: tuple[str, ...],
    sizes: tuple[str, ...],
    methods: Sequence[str],
) -> dict[str, HeatMaps]:
    """Grad-CAM of the first class in the last layer looked at, and what else was asked for."""
    pictures, (target, rival) = seen[None], classes
    last = looked_at[-1] if looked_at else None
    made = {"grad_cam": grad_cam(model, pictures, target, layer=last)}
    if "layer_cam" in methods:
        made["layer_cam"] = layer_cam(model, pictures, target, layers=sizes or None)
    if "occlusion" in methods:
        made["occlusion"] = occlusion(model, pictures, target)
    if "integrated_gradients" in methods:
        made["integrated_gradients"] = integrated_gradients(model, pictures, target)
    if "rival" in methods and rival is not None:
        made["rival"] = grad_cam(model, pictures, rival, layer=last)
    return made


def _faithfulness(
    model: Explainable, seen: NDArray[Any], heat: HeatMaps
) -> DeletionInsertion | None:
    if not heat.values.any():
        return None
    pixels = seen.shape[0] * seen.shape[1]
    orders = _MOVED if pixels <= _LARGE else _MOVED_OF_LARGE
    return deletion_insertion(model, seen[None], heat, steps=min(_STEPS, pixels), orders=orders)


def _said(model: Explainable, seen: NDArray[Any], risk: float | None) -> dict[str, Any]:
    """What the network says, and what makes that doubtful."""
    if not isinstance(model, Model):
        if risk is not None:
            raise ConfigError("a bare network has no thresholds to say unsure by; leave out risk")
        with torch.no_grad(), judging(model):
            logits = mean_logits(model, one_input(model, seen)).cpu().numpy()
        probabilities = to_probabilities(logits, 1.0)
        return {
            "probabilities": probabilities[0],
            "unsure": None,
            "unknown": None,
            "familiarity": None,
        }
    outputs = model.outputs(seen[None])
    probabilities = to_probabilities(outputs.logits, model.temperature)
    known = model.thresholds is not None
    unknown = bool(model.unknown(outputs)[0]) if known else None
    return {
        "probabilities": probabilities[0],
        # A risk is promised for what is like the validation pictures, and nothing else.
        "unsure": None if risk is None else bool(model.unsure(probabilities, risk)[0] or unknown),
        "unknown": unknown,
        "familiarity": float(model.familiarity(outputs)[0]) if known else None,
    }


def _value_place(passed: PassedLayers, layer: str, at: Place | None) -> tuple[int, int, int]:
    """Row, column and channel of the value to take apart."""
    output = passed.passes[passed.place(layer)].output
    maps = output[0] if output.ndim == 4 else output[0][:, None, None]
    values = torch.nan_to_num(maps.double(), nan=-torch.inf).permute(1, 2, 0).cpu().numpy()
    if at is None:
        row, column, channel = np.unravel_index(values.argmax(), values.shape)
        return int(row), int(column), int(channel)
    if len(at) not in (2, 3):
        raise ConfigError(f"at is {at!r}; allowed: (row, column) or (row, column, channel)")
    for name, index, size in zip(("row", "column", "channel"), at, values.shape, strict=False):
        check_whole(f"{name} of layer {layer!r}", index, 0, size - 1)
    channel = at[2] if len(at) == 3 else values[at[0], at[1]].argmax()
    return int(at[0]), int(at[1]), int(channel)


def _field(
    model: Explainable, layer: ExplainedLayer, place: tuple[int, int, int], seen: NDArray[Any]
) -> ReceptiveField | None:
    height, width, channels = seen.shape
    known = layer.receptive_field is not None
    if layer.operation == "GlobalAveragePool" or not (known or height + width <= _MEASURED_UP_TO):
        return None
    return receptive_field(model, layer.name, *place[:2], input_shape=(height, width, channels))


def _classes(model: Explainable, n: int) -> tuple[str, ...]:
    if isinstance(model, Model):
        return model.classes
    return tuple(f"class {number}" for number in range(n))
