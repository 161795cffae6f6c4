"""A part of a picture, and where it is in the whole."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.figures import Figure, new_figure
from convolens.plotting.image import size_within
from convolens.plotting.inputs import as_picture
from convolens.plotting.pictures import (
    Limits,
    apart,
    not_finite_note,
    show_picture,
    unit_limits,
    value_limits,
)
from convolens.plotting.style import TITLE, VERMILLION, WIDTH, house_style
from convolens.plotting.words import fit

Span = tuple[int, int]

_ROOM_FOR_TICKS = (0.7, 0.3)


def plot_crop(
    image: ArrayLike, rows: Span | slice, columns: Span | slice, title: str | None = None
) -> Figure:
    """The whole picture with a box around one part, and that part beside it.

    Args:
        image: (height, width), (height, width, 1) or (height, width, 3).
        rows: the first row and the one after the last, as in ``image[first:last]``.
        columns: likewise.
        title: above both.

    Returns:
        A figure. Both pictures have the same colours for the same values.

    Raises:
        ConfigError: rows or columns outside the picture, or none at all.

    >>> import numpy as np
    >>> figure = plot_crop(np.zeros((40, 60)), rows=(10, 20), columns=(30, 50))
    >>> figure.axes[0].patches[-1].get_bbox().extents
    array([29.5,  9.5, 49.5, 19.5])
    """
    picture = as_picture(image)
    span = _span(rows, picture.shape[0], "rows"), _span(columns, picture.shape[1], "columns")
    return _draw(picture, *span, title)


@house_style()
def _draw(picture: NDArray[Any], rows: Span, columns: Span, title: str | None) -> Figure:
    limits = _limits(picture)
    part = picture[slice(*rows), slice(*columns)]
    room = (WIDTH - 1.4) / 2
    whole_size, part_size = (size_within(seen, room, 4.5) for seen in (picture, part))
    figure = new_figure(max(whole_size[1], part_size[1]) + 1.0 + (0.3 if title else 0))
    if title:
        figure.suptitle(fit(title, WIDTH - 0.2, TITLE, lines=2), size=TITLE, x=0.01, ha="left")
    whole, beside = figure.subplots(1, 2)

    show_picture(whole, picture, limits)
    corner = columns[0] - 0.5, rows[0] - 0.5
    extent = columns[1] - columns[0], rows[1] - rows[0]
    for colour, width in (("white", 4.0), (VERMILLION, 2.0)):
        whole.add_patch(Rectangle(corner, *extent, fill=False, edgecolor=colour, linewidth=width))
    _label(whole, whole_size, (0, picture.shape[0]), (0, picture.shape[1]))
    if note := not_finite_note(picture):
        whole.set_xlabel(f"column\n{note}")
    whole.set_title(f"whole picture\n{picture.shape[0]} × {picture.shape[1]}", loc="left")

    show_picture(beside, part, limits)
    left, right, bottom, top = beside.images[0].get_extent()
    beside.images[0].set_extent(
        (left + columns[0], right + columns[0], bottom + rows[0], top + rows[0])
    )
    _label(beside, part_size, rows, columns)
    beside.set_title(f"rows {rows[0]}:{rows[1]}\ncolumns {columns[0]}:{columns[1]}", loc="left")
    for spine in beside.spines.values():
        spine.set(color=VERMILLION, linewidth=2)
    return figure


def _span(span: Span | slice, size: int, name: str) -> Span:
    try:
        pair = (span.start, span.stop) if isinstance(span, slice) else tuple(span)
        stepped = isinstance(span, slice) and span.step not in (None, 1)
        first, last = (0 if pair[0] is None else pair[0]), (size if pair[1] is None else pair[1])
        fine = len(pair) == 2 and not stepped and 0 <= first < last <= size
        if fine and int(first) == first and int(last) == last:
            return int(first), int(last)
    except (TypeError, IndexError, ValueError):
        pass
    raise ConfigError(
        f"{name} is {span!r}; allowed: (first, last) with 0 <= first < last <= {size}, "
        "the last not included"
    )


def _limits(picture: NDArray[Any]) -> Limits:
    """The picture's unit; a map's own range, for in most maps the unit would show nothing."""
    return unit_limits(picture) if picture.ndim == 3 else apart(*value_limits(picture))


def _label(axes: Axes, size: tuple[float, float], rows: Span, columns: Span) -> None:
    """Ticks at the first pixel and, where there is room, at the last one."""
    width, height = size
    axes.set_xticks([columns[0], columns[1] - 1] if width > _ROOM_FOR_TICKS[0] else columns[:1])
    axes.set_yticks([rows[0], rows[1] - 1] if height > _ROOM_FOR_TICKS[1] else rows[:1])
    axes.tick_params(length=3)
    axes.set(xlabel="column", ylabel="row", anchor="N")
