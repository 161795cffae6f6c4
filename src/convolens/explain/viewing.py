"""One picture cropped, filtered and pooled: all that ``convolens see`` tells and draws."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.images import PixelStatistics, crop, inspect_image, to_float
from convolens.ops import (
    ConvTrace,
    LayerSpec,
    Pooling,
    PoolTrace,
    SweepFilter,
    SweptMap,
    receptive_field,
    sweep_conv2d,
    trace_conv2d,
    trace_pool2d,
)
from convolens.ops.padding import Padding, Size
from convolens.ops.sweep import value_range

Span = tuple[int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class PooledMap:
    """What a pooling made of the picture, of one feature map, or of several."""

    maps: tuple[SweptMap, ...]
    """The feature maps; none where the picture itself was pooled."""
    values: NDArray[Any]
    """(height, width), or (height, width, channels) of the picture."""
    receptive_field: tuple[int, int]
    """(height, width) of the picture that one value depends on."""

    def to_dict(self) -> dict[str, Any]:
        """Origin, shape and range as plain JSON types, without the values."""
        minimum, maximum = value_range(self.values)
        made = self.maps[0] if self.maps else None
        return {
            "of": [source.filter.name for source in self.maps] or ["picture"],
            "stride": made.stride if made else None,
            "padding": made.padding if made else None,
            "dilation": made.dilation if made else None,
            "output_shape": list(self.values.shape),
            "receptive_field": list(self.receptive_field),
            "minimum": minimum,
            "maximum": maximum,
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class ImageView:
    """A picture and what a crop, filters and a pooling, in this order, made of it."""

    name: str
    """What to call the picture."""
    image: NDArray[np.uint8]
    """(height, width, channels): the whole picture."""
    rows: Span
    """The first row that was looked at, and the one after the last."""
    columns: Span
    """Likewise."""
    input: NDArray[np.float32]
    """(height, width, channels): the part that was looked at, scaled to 0..1."""
    maps: tuple[SweptMap, ...]
    """Feature maps; none without filters."""
    pooling: Pooling | None
    """The pooling, if any."""
    pooled: tuple[PooledMap, ...]
    """What the pooling made; none without one."""

    @property
    def cropped(self) -> bool:
        """Whether only a part was looked at."""
        return self.input.shape != self.image.shape

    @property
    def statistics(self) -> PixelStatistics:
        """The figures of the whole picture."""
        return inspect_image(self.image)

    @property
    def crop_statistics(self) -> PixelStatistics:
        """The figures of the part, in the picture's own units."""
        return inspect_image(crop(self.image, self.rows, self.columns))

    def to_dict(self) -> dict[str, Any]:
        """Everything but pixels and values as plain JSON types."""
        part = {"rows": list(self.rows), "columns": list(self.columns)}
        pooling = self.pooling
        return {
            "image": {"path": self.name, "statistics": self.statistics.to_dict()},
            "crop": {**part, "statistics": self.crop_statistics.to_dict()}
            if self.cropped
            else None,
            "maps": [made.to_dict() for made in self.maps],
            "pool": {
                "mode": pooling.mode,
                "size": pooling.size,
                "outputs": [made.to_dict() for made in self.pooled],
            }
            if pooling
            else None,
        }

    def trace(self, row: int, column: int, channel: int = 0) -> ConvTrace | PoolTrace:
        """Take one value of the result apart: of the pooling if there is one, else of the filter.

        Args:
            row: row of the value.
            column: column of the value.
            channel: channel of the value, where the picture itself was pooled.

        Raises:
            ConfigError: there is not exactly one result, or no such value in it, or it is that of
                a depth-wise pooling, which has no window.
        """
        if len(self.maps) > 1:
            raise ConfigError(
                f"there are {len(self.maps)} feature maps; a value can be taken apart where there "
                "is exactly one: give one filter, stride, padding and dilation"
            )
        if self.pooling is not None:
            if self.pooling.mode == "depth":
                raise ConfigError(
                    "a depth-wise pooling has no window to take apart; allowed: max:N, avg:N"
                )
            source = self.maps[0].values[..., np.newaxis] if self.maps else self.input
            options: dict[str, Any] = {"mode": self.pooling.mode, "pool_size": self.pooling.size}
            return trace_pool2d(source, row, column, channel, **options)
        if not self.maps:
            raise ConfigError("there is no value to take apart: give one filter, or a pooling")
        made = self.maps[0]
        return trace_conv2d(
            self.input,
            made.filter.for_channels(self.input.shape[2]),
            row,
            column,
            channel,
            strides=made.stride,
            padding=made.padding,
            dilations=made.dilation,
        )


def view_image(
    image: NDArray[np.uint8],
    *,
    name: str = "picture",
    rows: Span | None = None,
    columns: Span | None = None,
    filters: Sequence[SweepFilter] = (),
    strides: Sequence[Size] = (1,),
    paddings: Sequence[Padding] = ("same",),
    dilations: Sequence[Size] = (1,),
    pooling: Pooling | None = None,
) -> ImageView:
    """Crop a picture, filter it in every combination of some settings, and pool what comes out.

    Args:
        image: (height, width, channels) uint8, as ``load_image`` gives it; scaled to 0..1 here.
        name: what to call it.
        rows: the first row to look at and the one after the last; all if None.
        columns: likewise.
        filters: none to leave the picture unfiltered.
        strides: as for ``sweep_conv2d``.
        paddings: likewise.
        dilations: likewise.
        pooling: of each feature map, or of the picture where there are no filters. A depth-wise
            one takes the largest of neighbouring filters, or of the picture's channels.

    Returns:
        The view; ``plot_view`` draws it.

    Raises:
        ConfigError: a box outside the picture, or a combination that cannot be.

    >>> from convolens.images import load_image
    >>> view = view_image(
    ...     load_image("china"), rows=(0, 60), columns=(0, 90), pooling=Pooling("max", 2)
    ... )
    >>> view.pooled[0].values.shape
    (30, 45, 3)
    """
    height, width = image.shape[:2]
    rows, columns = rows or (0, height), columns or (0, width)
    part = to_float(crop(image, rows, columns))
    maps = sweep_conv2d(part, filters, strides, paddings, dilations) if filters else ()
    return ImageView(
        name=name,
        image=image,
        rows=rows,
        columns=columns,
        input=part,
        maps=maps,
        pooling=pooling,
        pooled=tuple(_pooled(part, maps, pooling)) if pooling else (),
    )


def _pooled(
    part: NDArray[np.float32], maps: tuple[SweptMap, ...], pooling: Pooling
) -> Iterator[PooledMap]:
    if not maps:
        yield _made(part, (), pooling)
    elif pooling.mode != "depth":
        for made in maps:
            yield _made(made.values[..., np.newaxis], (made,), pooling)
    else:
        for alike in _runs(maps, pooling.size):
            yield _made(np.stack([made.values for made in alike], axis=2), alike, pooling)


def _runs(maps: tuple[SweptMap, ...], size: int) -> Iterator[tuple[SweptMap, ...]]:
    """Maps of neighbouring filters with the same settings, run by run and setting by setting."""
    rows = [list(row) for _, row in groupby(maps, key=lambda made: id(made.filter))]
    if len(rows) % size:
        raise ConfigError(
            f"depth-wise pooling of {size} takes runs of {size} filters, and there are {len(rows)}"
        )
    for first in range(0, len(rows), size):
        for alike in zip(*rows[first : first + size], strict=True):
            if len({made.values.shape for made in alike}) > 1:
                shapes = ", ".join(" x ".join(map(str, made.values.shape)) for made in alike)
                raise ConfigError(
                    f"depth-wise pooling takes maps of one size, and they are {shapes}; "
                    "use padding same"
                )
            yield alike


def _made(source: NDArray[Any], maps: tuple[SweptMap, ...], pooling: Pooling) -> PooledMap:
    try:
        values = pooling(source)
    except ConfigError as error:
        of = f" of {maps[0].filter.name}" if maps else ""
        raise ConfigError(f"{pooling}{of}: {error}") from None
    return PooledMap(
        maps=maps,
        values=values[:, :, 0] if maps else values,
        receptive_field=_field(maps, pooling),
    )


def _field(maps: tuple[SweptMap, ...], pooling: Pooling) -> Span:
    layers = [
        LayerSpec(
            name="filter",
            kind="conv",
            filters=1,
            kernel_size=made.filter.weights.shape[:2],
            strides=made.stride,
            dilations=made.dilation,
        )
        for made in maps
    ]
    if pooling.mode != "depth":
        pool = LayerSpec(name="pool", kind="max_pool", kernel_size=pooling.size)
        return receptive_field([*layers, pool])
    fields = [receptive_field([layer]) for layer in layers]
    return (
        max((height for height, _ in fields), default=1),
        max((width for _, width in fields), default=1),
    )
