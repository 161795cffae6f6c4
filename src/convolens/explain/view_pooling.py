"""Pooling of a picture and of feature maps, with what each result was made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.ops import LayerSpec, Pooling, SweptMap, receptive_field
from convolens.ops.sweep import value_range


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


def pool_maps(
    part: NDArray[np.float32], maps: tuple[SweptMap, ...], pooling: Pooling
) -> Iterator[PooledMap]:
    """Pool each map; by depth, runs of neighbouring filters; without maps, the picture itself.

    Args:
        part: (height, width, channels) of the picture, in 0..1.
        maps: as from ``sweep_conv2d``, or none.
        pooling: what to do.

    Raises:
        ConfigError: a window larger than a map, or filters that make no whole runs.
    """
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


def _field(maps: tuple[SweptMap, ...], pooling: Pooling) -> tuple[int, int]:
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
