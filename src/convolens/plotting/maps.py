"""Feature maps: what each filter answers to each picture."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.cells import full_scale
from convolens.plotting.figures import Figure
from convolens.plotting.inputs import as_names, as_numbers
from convolens.plotting.panels import MOST_PANELS, cut_note, frame, panel_grid, pleasing_columns
from convolens.plotting.pictures import (
    has_finite,
    not_finite_note,
    show_picture,
    value_limits,
)
from convolens.plotting.style import MUTED, SMALL, house_style
from convolens.plotting.values import range_text
from convolens.plotting.words import fit

_MOST_IMAGES = 25


def plot_feature_maps(
    maps: ArrayLike,
    filter_names: Sequence[str] | None = None,
    image_names: Sequence[str] | None = None,
    cmap: str = "gray",
) -> Figure:
    """Feature maps in a grid: the images below one another, the filters beside one another.

    Each map has its own scale, written below it as its smallest and largest value: a filter that
    answers weakly shows its pattern, and a dead one says "all 0".

    Args:
        maps: (height, width, filters) or (n, height, width, filters).
        filter_names: one a filter; "filter 0" and so on if None.
        image_names: one an image, or None.
        cmap: matplotlib's name of a colour map.

    Returns:
        A figure of at most 100 maps; the title says what is left out.

    Raises:
        ConfigError: another rank, or not one name each.

    >>> import numpy as np
    >>> figure = plot_feature_maps(np.zeros((4, 4, 2)), ["vertical", "horizontal"])
    >>> [text.get_text() for text in figure.texts if text.get_text()]
    ['vertical', 'horizontal', 'all 0', 'all 0']
    """
    array = as_numbers(maps, "maps")
    if array.ndim not in (3, 4):
        raise ConfigError(
            f"maps have shape {array.shape}; "
            "allowed: (height, width, filters) or (n, height, width, filters)"
        )
    array = array if array.ndim == 4 else array[None]
    n, *_, filters = array.shape
    over = as_names(filter_names, filters, "filter_names", "filters")
    beside = as_names(image_names, n, "image_names", "images")
    return _draw(array, over or [f"filter {index}" for index in range(filters)], beside, cmap)


@house_style()
def _draw(
    maps: NDArray[Any], filter_names: list[str], image_names: list[str] | None, cmap: str
) -> Figure:
    n, height, width, filters = maps.shape
    images = min(n, _MOST_IMAGES)
    shown = min(filters, MOST_PANELS // images)
    columns = pleasing_columns(shown, height / width)
    rows_each = -(-shown // columns)
    one_row = rows_each == 1
    cuts = [cut_note(shown, filters, "filters"), cut_note(images, n, "images")]
    names = image_names or ([f"image {index}" for index in range(n)] if n > 1 else [])
    grid = panel_grid(
        images * rows_each,
        columns,
        aspect=height / width,
        title=", ".join(cut for cut in cuts if cut).capitalize(),
        note=not_finite_note(maps[:images, :, :, :shown]),
        caption_lines=1 if one_row else 2,
        row_names=names[:images],
        rows_each=rows_each,
        column_names=filter_names[:columns] if one_row else None,
    )
    for image in range(images):
        for index in range(shown):
            row, column = image * rows_each + index // columns, index % columns
            axes = grid.axes(row, column)
            show_map(axes, maps[image, :, :, index], cmap)
            text = map_range(maps[image, :, :, index])
            if not one_row:
                grid.caption(row, column, fit(filter_names[index], grid.cell_width, SMALL))
            grid.caption(row, column, text, line=0 if one_row else 1, colour=MUTED)
    return grid.figure


def show_map(axes: Axes, values: NDArray[Any], cmap: str) -> None:
    """One map on a scale of its own; nothing but the mark for it where no value is finite."""
    show_picture(axes, values, full_scale(values), cmap)
    frame(axes)


def map_range(values: NDArray[Any]) -> str:
    """The smallest and the largest finite value of a map, as text."""
    return range_text(*value_limits(values)) if has_finite(values) else "none finite"
