"""Filters as pictures, with their numbers where there is room."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.cells import DIVERGING, draw_cells, is_signed, texts_that_fit, value_scale
from convolens.plotting.figures import Figure
from convolens.plotting.inputs import as_names, as_numbers
from convolens.plotting.panels import (
    MOST_PANELS,
    cell_size,
    cut_note,
    frame,
    panel_grid,
    pleasing_columns,
)
from convolens.plotting.pictures import has_finite, not_finite_note
from convolens.plotting.style import MUTED, SMALL, house_style
from convolens.plotting.values import compact
from convolens.plotting.words import fit, text_width

_MOST_CHANNELS = 6
# One huge filter would fill a screen and say no more.
_WIDEST_ALONE = 3.2


@dataclass(frozen=True)
class _Panel:
    values: NDArray[Any]
    name: str
    texts: NDArray[Any] | None
    factor: str


def plot_filters(filters: ArrayLike, names: Sequence[str] | None = None) -> Figure:
    """Filters as pictures; where a cell has room for it, its weight is written there.

    Where any weight is negative, all are drawn from blue (negative) through white (zero) to red
    (positive), else from black (zero) to white. Each filter has its own scale. Where the channels
    of every filter are the same, one stands for all.

    Args:
        filters: (height, width) or (height, width, in_channels, out_channels).
        names: one a filter; "filter 0" and so on if None.

    Returns:
        A figure of at most 100 pictures, one a filter and input channel; the title says what is
        left out.

    Raises:
        ConfigError: another rank, or not one name a filter.

    >>> sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    >>> [text.get_text() for text in plot_filters(sobel, ["Sobel"]).axes[0].texts][:3]
    ['−1', '0', '1']
    """
    array = as_numbers(filters, "filters")
    if array.ndim not in (2, 4):
        raise ConfigError(
            f"filters have shape {array.shape}; allowed: (height, width) or "
            "(height, width, in_channels, out_channels)"
        )
    array = array if array.ndim == 4 else array[:, :, None, None]
    n = array.shape[3]
    given = as_names(names, n, "names", "filters")
    return _draw(array, given or [f"filter {index}" for index in range(n)], given is not None)


@house_style()
def _draw(filters: NDArray[Any], names: list[str], named: bool) -> Figure:
    height, width, channels, n = filters.shape
    alike = channels > 1 and bool(np.all(filters == filters[:, :, :1]))
    each = 1 if alike else min(channels, _MOST_CHANNELS)
    shown = filters[:, :, :each, : min(n, MOST_PANELS // each)]
    aspect = height / width
    columns = _columns(shown.shape[3], each, aspect)
    room = cell_size(columns, aspect, widest_cell=_WIDEST_ALONE)
    signed = is_signed(shown)
    panels = [
        _panel(shown[:, :, channel, index], f", ch {channel}" if each > 1 else "", name, room)
        for index, name in enumerate(names[: shown.shape[3]])
        for channel in range(each)
    ]
    captions = [_caption(panel, signed) for panel in panels]
    if len(panels) == 1 and not named:
        captions = [caption.partition("\n")[2] for caption in captions]

    grid = panel_grid(
        -(-len(panels) // columns),
        columns,
        aspect=aspect,
        widest_cell=_WIDEST_ALONE,
        title=_title(filters.shape, shown.shape, alike),
        note=_note(shown, signed),
        caption_lines=max(caption.count("\n") + bool(caption) for caption in captions),
    )
    for position, (panel, caption) in enumerate(zip(panels, captions, strict=True)):
        row, column = divmod(position, columns)
        _draw_panel(grid.axes(row, column), panel, signed)
        name, _, extent = caption.partition("\n")
        grid.caption(row, column, name)
        grid.caption(row, column, extent, line=1, colour=MUTED)
    return grid.figure


def _draw_panel(axes: Axes, panel: _Panel, signed: bool) -> None:
    limits = value_scale(panel.values, signed=signed)
    draw_cells(axes, panel.values, panel.texts, limits=limits, cmap=DIVERGING if signed else "gray")
    frame(axes)


def _panel(values: NDArray[Any], ending: str, name: str, room: tuple[float, float]) -> _Panel:
    cell = min(room[0] / values.shape[1], room[1] / values.shape[0])
    fitting = texts_that_fit(values, cell, cell)
    return _Panel(
        values=values,
        name=fit(name, room[0] - text_width(ending, SMALL), SMALL) + ending,
        texts=None if fitting is None else fitting[0],
        factor="" if fitting is None else fitting[1],
    )


def _caption(panel: _Panel, signed: bool) -> str:
    """The name and, on a second line, what the numbers or the colours must be multiplied with."""
    if panel.texts is not None:
        extent = panel.factor
    elif has_finite(panel.values):
        most = value_scale(panel.values, signed=signed)[1] if panel.values.any() else 0
        extent = f"{'±' if signed else '0…'}{compact(most)}" if most else "all 0"
    else:
        extent = "none finite"
    return f"{panel.name}\n{extent}" if extent else panel.name


def _columns(filters: int, channels: int, aspect: float) -> int:
    """The channels of a filter beside one another, and never torn apart."""
    if channels == 1:
        return pleasing_columns(filters, aspect)
    return channels * max(1, min(filters, _MOST_CHANNELS // channels))


def _title(all_shape: tuple[int, ...], shown_shape: tuple[int, ...], alike: bool) -> str:
    parts = [cut_note(shown_shape[3], all_shape[3], "filters")]
    if alike:
        parts.append(f"each is the same in all {all_shape[2]} channels")
    else:
        parts.append(cut_note(shown_shape[2], all_shape[2], "channels"))
    title = ", ".join(part for part in parts if part)
    return title[:1].upper() + title[1:]


def _note(filters: NDArray[Any], signed: bool) -> str:
    shades = "blue: negative, white: 0, red: positive" if signed else "black: 0, white: largest"
    return "; ".join(part for part in (shades, not_finite_note(filters)) if part)
