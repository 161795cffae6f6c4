"""Which pixels a value of any layer can depend on."""

import copy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convolens.bundle import Model
from convolens.config import check_whole, to_dict
from convolens.errors import ConfigError
from convolens.explain.activations import check_maps
from convolens.explain.networks import Explainable, find_layer, network_of, pass_through
from convolens.explain.passes import follow_pass
from convolens.explain.seen_pixels import Extent, seen_pixels
from convolens.prediction import input_dtype

_AT_ONCE = 16  # pictures that are passed to measure


@dataclass(frozen=True, kw_only=True)
class ReceptiveField:
    """The pixels that one value of a layer can depend on; ``str()`` says them."""

    layer: str
    """Name of the layer."""
    row: int
    """Row of the value in what the layer puts out."""
    column: int
    """Its column."""
    picture_size: tuple[int, int]
    """(height, width) of the network's input."""
    rows: Extent | None
    """First and last row of the picture that it sees; None if it sees nothing but padding."""
    columns: Extent | None
    """First and last column, likewise."""
    full_rows: Extent | None
    """As if the picture went on beyond its edges, first and last row; None where that cannot be
    worked out because the field was measured."""
    full_columns: Extent | None
    """Likewise."""
    how: Literal["arithmetic", "measured"]
    """Whether it was worked out from windows and strides, layer by layer, or measured."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels, as if the picture went on; within it where measured."""
        return _length(self.full_rows or self.rows), _length(self.full_columns or self.columns)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, with ``size``."""
        return {**to_dict(self), "size": list(self.size)}

    def __str__(self) -> str:
        head = f"Row {self.row}, column {self.column} of layer {self.layer!r}"
        if self.rows is None or self.columns is None:
            return f"{head} sees nothing but padding."
        height, width = self.picture_size
        seen = (
            f"{head} sees rows {self.rows[0]} to {self.rows[1]} and columns {self.columns[0]} to "
            f"{self.columns[1]} of the picture's {height} x {width}"
        )
        inside = _length(self.rows), _length(self.columns)
        if self.size == inside:
            return f"{seen}: {inside[0]} x {inside[1]} pixels."
        return f"{seen}, of a field of {self.size[0]} x {self.size[1]}."


def receptive_field(
    model: Explainable,
    layer: str,
    row: int,
    column: int,
    *,
    input_shape: tuple[int, int, int] | None = None,
) -> ReceptiveField:
    """The rows and columns of the picture that a value of a layer can depend on.

    They are worked out from the layer back to the picture: what each row saw in the layer before,
    and what those saw. Where a network computes outside of its layers, or has one that is not
    known here, the field is measured instead: one row after the other, and one column, is filled
    with NaN, which spoils exactly the values that depend on it, whatever the weights are. For that
    a copy of the network computes in float64, where no fast algorithm mixes values that are later
    multiplied by 0.

    Args:
        model: as from ``load_model``, or any ``nn.Module``.
        layer: any layer, or block of layers, that puts out maps.
        row: row of the value in what the layer puts out, from 0.
        column: its column, from 0.
        input_shape: (height, width, channels) of a bare network's input; a model knows its own.

    Returns:
        The field.

    Raises:
        ConfigError: there is no such layer or value, no input shape, or it cannot be measured.

    >>> network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2))
    >>> print(receptive_field(network, "1", 0, 3, input_shape=(9, 9, 1)))
    Row 0, column 3 of layer '1' sees rows 0 to 2 and columns 5 to 8 of the picture's 9 x 9, of a \
field of 4 x 4.
    """
    module = find_layer(model, layer)
    x = _empty_picture(model, input_shape)
    size = (x.shape[2], x.shape[3])
    has_parts = any(True for _ in module.children())
    passed = follow_pass(model, x, [layer] if has_parts else [])
    place = passed.blocks.get(layer) if has_parts else passed.place(layer)
    if place is None:  # the block's last operation is none of its layers
        with torch.no_grad():
            output = pass_through(model, x, [layer]).outputs[layer]
    else:
        output = passed.passes[place].output
    check_maps(layer, module, output)
    for name, index, most in zip(("row", "column"), (row, column), output.shape[2:], strict=True):
        check_whole(f"{name} of layer {layer!r}", index, 0, most - 1)
    row, column = int(row), int(column)
    seen = None if place is None else seen_pixels(passed, place, row, column, size)
    if seen is None:
        rows, columns = _measured(model, x, layer, row, column)
    else:
        rows, columns = seen.rows, seen.columns
    return ReceptiveField(
        layer=layer,
        row=row,
        column=column,
        picture_size=size,
        rows=rows,
        columns=columns,
        full_rows=seen and seen.full_rows,
        full_columns=seen and seen.full_columns,
        how="measured" if seen is None else "arithmetic",
    )


def _empty_picture(model: Explainable, input_shape: tuple[int, int, int] | None) -> Tensor:
    if isinstance(model, Model):
        input_shape = model.input_shape
    if input_shape is None:
        raise ConfigError(
            "a bare network does not know the size of its pictures: give input_shape=(height, "
            "width, channels)"
        )
    height, width, channels = input_shape
    network = network_of(model)
    x = torch.zeros(1, channels, height, width, dtype=input_dtype(network))
    parameter = next(network.parameters(), None)
    return x if parameter is None else x.to(parameter.device)


def _measured(
    model: Explainable, x: Tensor, layer: str, row: int, column: int
) -> tuple[Extent | None, Extent | None]:
    try:
        network = copy.deepcopy(network_of(model)).double().cpu()
    except RuntimeError as error:
        raise ConfigError(f"the network cannot be copied to measure with ({error})") from None
    generator = torch.Generator().manual_seed(0)
    shape = x.shape[1:]
    clean = torch.randn(shape, generator=generator, dtype=torch.float64)
    spoilt: list[NDArray[np.bool_]] = []
    for axis in (1, 2):
        pictures = clean.repeat(shape[axis], 1, 1, 1)
        for place in range(shape[axis]):
            pictures[place].select(axis, place).fill_(torch.nan)
        spoilt.append(_spoilt(network, pictures, layer, row, column))
    rows, columns = (_ends(np.flatnonzero(places)) for places in spoilt)
    return (rows, columns) if rows and columns else (None, None)


def _spoilt(
    network: nn.Module, pictures: Tensor, layer: str, row: int, column: int
) -> NDArray[np.bool_]:
    """For which pictures a place of a layer is NaN in any channel."""
    found: list[Tensor] = []
    try:
        with torch.no_grad():
            for batch in pictures.split(_AT_ONCE):
                output = pass_through(network, batch, [layer]).outputs[layer]
                found.append(output[:, :, row, column].isnan().any(dim=1))
    except (RuntimeError, ValueError) as error:
        raise ConfigError(
            f"the field of layer {layer!r} cannot be worked out layer by layer, nor measured: the "
            f"network refuses pictures in float64 with NaN ({error})"
        ) from None
    return torch.cat(found).numpy()


def _ends(places: NDArray[Any]) -> Extent | None:
    return (int(places[0]), int(places[-1])) if len(places) else None


def _length(extent: Extent | None) -> int:
    return 0 if extent is None else extent[1] - extent[0] + 1
