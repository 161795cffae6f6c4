"""One picture cropped, filtered and pooled: all that ``convolens see`` tells and draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.explain.view_pooling import PooledMap, pool_maps
from convolens.explain.view_text import view_text
from convolens.images import PixelStatistics, crop, inspect_image, to_float
from convolens.ops import (
    ConvTrace,
    Pooling,
    PoolTrace,
    SweepFilter,
    SweptMap,
    sweep_conv2d,
    trace_conv2d,
    trace_pool2d,
)
from convolens.ops.padding import Padding, Size

Span = tuple[int, int]


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

    def __str__(self) -> str:
        return view_text(self)

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
        pooled=tuple(pool_maps(part, maps, pooling)) if pooling else (),
    )
