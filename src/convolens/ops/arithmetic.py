"""Arithmetic of a stack of layers: shapes, parameters, multiply-adds, receptive fields."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

from convolens.config import to_dict
from convolens.errors import ConfigError
from convolens.ops.convolution import conv_output_size
from convolens.ops.layer_specs import POOLS, LayerSpec
from convolens.ops.padding import as_sequence, pad_amounts, pair, whole_number

Shape = tuple[int, int, int]
CONVOLUTIONS = ("conv", "depthwise_conv")


@dataclass(frozen=True, kw_only=True)
class LayerArithmetic:
    """What a layer makes of its input, and what that costs."""

    name: str
    """The layer's name."""
    kind: str
    """The layer's kind."""
    output_shape: Shape
    """(height, width, channels) of the output for one picture."""
    parameters: int
    """Trained parameters (of a batch normalisation its scale and shift, not its statistics)."""
    multiply_adds: int
    """Multiply-adds for one picture, of convolutions and dense layers as papers count them."""
    receptive_field: tuple[int, int]
    """(height, width) of the input that one output value depends on, where no border cuts it."""
    jump: tuple[int, int]
    """(vertical, horizontal) pixels of the input from one output value to the next."""

    def to_dict(self) -> dict[str, Any]:
        """Every field as plain JSON types."""
        return to_dict(self)


def describe_stack(input_shape: Shape, layers: Iterable[LayerSpec]) -> tuple[LayerArithmetic, ...]:
    """Follow a picture's shape through a stack of layers.

    Args:
        input_shape: (height, width, channels) of a picture.
        layers: the layers in their order.

    Returns:
        One entry a layer.

    Raises:
        ConfigError: a layer does not fit what comes in; the message names it.

    Source: receptive fields after Araujo, Norris and Sim (2019), "Computing Receptive Fields of
    Convolutional Neural Networks", Distill, https://doi.org/10.23915/distill.00021.

    >>> first = LayerSpec(name="first", kind="conv", kernel_size=7, filters=64, padding="same")
    >>> layer = describe_stack((28, 28, 1), [first])[0]
    >>> layer.output_shape, layer.parameters, layer.multiply_adds, layer.receptive_field
    ((28, 28, 64), 3200, 2458624, (7, 7))
    """
    shape, described = _shape(input_shape), list[LayerArithmetic]()
    field, jump = (1, 1), (1, 1)
    for layer in layers:
        try:
            after = _output_shape(shape, layer)
        except ConfigError as error:
            raise ConfigError(f"layer {layer.name!r}: {error}") from None
        # Flattening and global pooling look at all of what comes in.
        whole = layer.kind in ("flatten", "global_pool")
        field, jump = _grown(field, jump, layer, shape[:2] if whole else None)
        described.append(
            LayerArithmetic(
                name=layer.name,
                kind=layer.kind,
                output_shape=after,
                parameters=_parameters(shape, after, layer),
                multiply_adds=_multiply_adds(shape, after, layer),
                receptive_field=field,
                jump=jump,
            )
        )
        shape = after
    return tuple(described)


def receptive_field(layers: Iterable[LayerSpec]) -> tuple[int, int]:
    """(height, width) of the input seen by one value behind the windowed layers of a stack.

    Layers from the first flatten or global_pool on are left out: behind it, a value sees all.

    Source: as ``describe_stack``.

    >>> conv = LayerSpec(name="conv", kind="conv", kernel_size=3, filters=8)
    >>> pool = LayerSpec(name="pool", kind="max_pool", kernel_size=2)
    >>> receptive_field([conv, conv]), receptive_field([conv, pool, conv])
    ((5, 5), (8, 8))
    """
    field, jump = (1, 1), (1, 1)
    for layer in layers:
        if layer.kind in ("flatten", "global_pool"):
            break
        field, jump = _grown(field, jump, layer, None)
    return field


def count_parameters(input_shape: Shape, layers: Iterable[LayerSpec]) -> int:
    """Trained parameters of a stack for pictures of ``input_shape`` (height, width, channels).

    >>> count_parameters((1, 1, 10), [LayerSpec(name="logits", kind="dense", units=3)])
    33
    """
    return sum(layer.parameters for layer in describe_stack(input_shape, layers))


def count_multiply_adds(input_shape: Shape, layers: Iterable[LayerSpec]) -> int:
    """Multiply-adds of a stack for one picture of ``input_shape`` (height, width, channels).

    >>> count_multiply_adds((1, 1, 10), [LayerSpec(name="logits", kind="dense", units=3)])
    30
    """
    return sum(layer.multiply_adds for layer in describe_stack(input_shape, layers))


def _shape(input_shape: Any) -> Shape:
    values = as_sequence(input_shape) or []
    if len(values) != 3:
        raise ConfigError(f"input_shape is {input_shape!r}; it must be (height, width, channels)")
    height, width, channels = (whole_number("input_shape", value) for value in values)
    return height, width, channels


def _output_shape(shape: Shape, layer: LayerSpec) -> Shape:
    height, width, channels = shape
    match layer.kind:
        case "conv" | "depthwise_conv" | "max_pool" | "avg_pool":
            return (*_windows(shape, layer), _out_channels(channels, layer))
        case "flatten":
            return 1, 1, prod(shape)
        case "global_pool":
            return 1, 1, channels
        case "dense":
            return height, width, layer.units or 0
        case "space_to_depth":
            down, across = layer.window
            if height % down or width % across:
                raise ConfigError(f"blocks of {layer.window} do not divide {height} x {width}")
            return height // down, width // across, channels * down * across
        case _:
            return shape


def _windows(shape: Shape, layer: LayerSpec) -> tuple[int, int]:
    size, gaps = shape[:2], pair("dilations", layer.dilations)
    sides = pad_amounts(size, layer.window, layer.steps, layer.padding, gaps)
    return conv_output_size(size, layer.window, layer.steps, sides, gaps)


def _out_channels(channels: int, layer: LayerSpec) -> int:
    if layer.kind in POOLS:
        return channels
    if layer.kind == "depthwise_conv":
        return channels * (layer.filters or 1)
    assert layer.filters is not None
    if channels % layer.groups or layer.filters % layer.groups:
        raise ConfigError(
            f"groups is {layer.groups}; it must divide the {channels} channels that come in "
            f"and the {layer.filters} filters"
        )
    return layer.filters


def _parameters(before: Shape, after: Shape, layer: LayerSpec) -> int:
    if layer.kind == "batch_norm":
        return 2 * after[2]
    return _weights(before, after, layer) + after[2] * (
        layer.bias and layer.kind in (*CONVOLUTIONS, "dense")
    )


def _multiply_adds(before: Shape, after: Shape, layer: LayerSpec) -> int:
    return _weights(before, after, layer) * after[0] * after[1]


def _weights(before: Shape, after: Shape, layer: LayerSpec) -> int:
    """Weights that every position of the output is computed with."""
    match layer.kind:
        case "conv":
            return prod(layer.window) * before[2] // layer.groups * after[2]
        case "depthwise_conv":
            return prod(layer.window) * after[2]
        case "dense":
            return before[2] * after[2]
        case _:
            return 0


def _grown(
    field: tuple[int, int],
    jump: tuple[int, int],
    layer: LayerSpec,
    whole: tuple[int, int] | None,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Receptive field and jump behind one more layer; ``whole`` if it looks at everything."""
    windowed = layer.kind in (*CONVOLUTIONS, *POOLS, "space_to_depth")
    if whole is None and not windowed:
        return field, jump
    window, steps = (whole, (1, 1)) if whole is not None else (layer.window, layer.steps)
    gaps = (1, 1) if whole is not None else pair("dilations", layer.dilations)
    grown = [field[i] + gaps[i] * (window[i] - 1) * jump[i] for i in (0, 1)]
    return (grown[0], grown[1]), (jump[0] * steps[0], jump[1] * steps[1])
