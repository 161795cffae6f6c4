"""The arithmetic of receptive fields: from a layer back to the picture, along every path."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from convolens.explain.layer_kinds import kind_of
from convolens.explain.passes import PICTURE, LayerPass, PassedLayers
from convolens.explain.windows import ADAPTIVE, WINDOWED, seen_places
from convolens.zoo.blocks import ChannelNorm, ChannelScale, GlobalAveragePool
from convolens.zoo.branches import Add, Concatenate, StochasticDepth, ZeroPadShortcut
from convolens.zoo.layers import padding_before, pair

Extent = tuple[int, int]
"""First and last."""
Size = tuple[int, int]

# Each value of these depends on values of the same row and column alone.
_POINTWISE = (
    nn.modules.batchnorm._BatchNorm,  # noqa: SLF001 - the base of all of them has no other name
    ChannelNorm,
    ChannelScale,
    nn.LocalResponseNorm,
    nn.Identity,
    nn.Dropout,
    nn.Dropout2d,
    nn.AlphaDropout,
    nn.Softmax2d,
    StochasticDepth,
    Add,
    Concatenate,
)
# Each value of these depends on every row and column.
_WHOLE = (nn.Flatten, nn.Linear, nn.GroupNorm, nn.LayerNorm, nn.modules.instancenorm._InstanceNorm)  # noqa: SLF001


@dataclass(frozen=True, kw_only=True)
class SeenPixels:
    """What a value sees of the picture; ``ReceptiveField`` says it to people."""

    rows: Extent | None
    columns: Extent | None
    full_rows: Extent
    full_columns: Extent


@dataclass(eq=False)
class _Wanted:
    """Of one layer's output what a value behind it sees, along one axis."""

    places: NDArray[np.bool_]
    first: int
    last: int


Wanted = tuple[_Wanted, _Wanted]


def seen_pixels(
    passed: PassedLayers, place: int, row: int, column: int, picture: Size
) -> SeenPixels | None:
    """Which rows and columns of the picture a value sees, or None where it cannot be followed.

    Args:
        passed: the whole pass.
        place: of the value's layer among its passes.
        row: of the value in what the layer puts out.
        column: likewise.
        picture: (height, width) of the picture.
    """
    wanted: dict[int, Wanted] = {}
    _want(wanted, place, _size(passed.passes[place].output), ((row, row), (column, column)))
    for axis, index in enumerate((row, column)):
        wanted[place][axis].places[index] = True
    for later in range(place, -1, -1):
        if later not in wanted:
            continue
        at_work = passed.passes[later]
        for before in at_work.inputs:
            if before is None:
                return None
            size = picture if before == PICTURE else _size(passed.passes[before].output)
            seen = _through(at_work, wanted[later], size)
            if seen is None:
                return None
            _want(
                wanted, before, size, ((seen[0].first, seen[0].last), (seen[1].first, seen[1].last))
            )
            for mine, new in zip(wanted[before], seen, strict=True):
                mine.places |= new.places
    if PICTURE not in wanted:
        return None
    down, across = wanted[PICTURE]
    rows, columns = (_ends(axis.places) for axis in (down, across))
    blind = rows is None or columns is None
    return SeenPixels(
        rows=None if blind else rows,
        columns=None if blind else columns,
        full_rows=(down.first, down.last),
        full_columns=(across.first, across.last),
    )


def _want(wanted: dict[int, Wanted], place: int, size: Size, ends: tuple[Extent, Extent]) -> None:
    """Widen what is wanted of a layer's output, or begin to want something of it."""
    if place not in wanted:
        down, across = (
            _Wanted(np.zeros(length, bool), *end) for length, end in zip(size, ends, strict=True)
        )
        wanted[place] = (down, across)
    for axis, (first, last) in zip(wanted[place], ends, strict=True):
        axis.first, axis.last = min(axis.first, first), max(axis.last, last)


def _through(at_work: LayerPass, wanted: Wanted, size: Size) -> Wanted | None:
    """What of a layer's input is seen through it; None if the layer is not known."""
    down, across = (_along(at_work, axis, wanted[axis], size[axis]) for axis in (0, 1))
    return None if down is None or across is None else (down, across)


def _along(at_work: LayerPass, axis: int, wanted: _Wanted, size: int) -> _Wanted | None:
    module, out_size = at_work.module, len(wanted.places)
    seen = np.zeros(size, bool)
    if isinstance(module, WINDOWED):
        for place in np.flatnonzero(wanted.places):
            places = seen_places(module, axis, int(place), size, out_size)
            seen[places[(places >= 0) & (places < size)]] = True
        return _Wanted(seen, *_reach(module, axis, wanted, size, out_size))
    if isinstance(module, ZeroPadShortcut):
        seen[np.flatnonzero(wanted.places) * module.stride] = True
        return _Wanted(seen, wanted.first * module.stride, wanted.last * module.stride)
    if isinstance(module, _POINTWISE) or kind_of(module) == "activation":
        if size != out_size:  # one that is repeated over the places of the other
            return None
        return _Wanted(wanted.places.copy(), wanted.first, wanted.last)
    if isinstance(module, _WHOLE) and not (
        isinstance(module, nn.Linear) and at_work.output.ndim != 2
    ):
        seen[:] = wanted.places.any()
        return _Wanted(seen, 0, size - 1)
    return None


def _reach(module: nn.Module, axis: int, wanted: _Wanted, size: int, out_size: int) -> Extent:
    """First and last place that is seen, as if there were no edges."""
    if isinstance(module, GlobalAveragePool):
        return 0, size - 1
    if isinstance(module, ADAPTIVE):
        return wanted.first * size // out_size, -(-(wanted.last + 1) * size // out_size) - 1
    kernel, stride = pair(module.kernel_size)[axis], pair(module.stride)[axis]
    gap = pair(getattr(module, "dilation", 1))[axis]
    before = padding_before(module)[axis]
    first = wanted.first * stride - before
    return first, wanted.last * stride - before + gap * (kernel - 1)


def _size(output: Tensor) -> Size:
    """Height and width of maps; what has none counts as one pixel."""
    return (output.shape[2], output.shape[3]) if output.ndim == 4 else (1, 1)


def _ends(places: NDArray[np.bool_]) -> Extent | None:
    found = np.flatnonzero(places)
    return (int(found[0]), int(found[-1])) if len(found) else None
