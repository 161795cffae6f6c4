"""Numbers as a picture whose cells are large enough to write each number in."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from numpy.typing import ArrayLike, NDArray

from convolens.plotting.pictures import (
    Limits,
    apart,
    has_finite,
    ink_on,
    show_picture,
    value_limits,
)
from convolens.plotting.style import RULE, SMALL
from convolens.plotting.values import grid_texts
from convolens.plotting.words import LINE, text_width

DIVERGING = "RdBu_r"
"""Blue for negative, white for zero, red for positive: told apart by colour-blind eyes."""

_MARGIN = 0.06
_RULED_UP_TO = 16


def draw_cells(
    axes: Axes,
    values: NDArray[Any],
    texts: NDArray[Any] | None,
    *,
    limits: Limits,
    cmap: str,
    padded: NDArray[Any] | None = None,
) -> None:
    """Draw a grid of numbers, each a shade and, where ``texts`` are given, written in its cell.

    Args:
        axes: where to draw; cell (row, column) is centred on the point (column, row).
        values: (rows, columns).
        texts: (rows, columns) of str, or None.
        limits: values of the darkest and the lightest shade.
        cmap: matplotlib's name of a colour map.
        padded: (rows, columns) of bool: hatched instead of shaded, for they are not of the picture.
    """
    drawn = show_picture(axes, values, limits, cmap)
    if padded is not None and padded.any():
        _hatch(axes, padded)
    rows, columns = values.shape
    shades = drawn.to_rgba(np.ma.masked_invalid(np.asarray(values, dtype=np.float64)))
    for row, column in np.ndindex(rows, columns):
        hatched = padded is not None and bool(padded[row, column])
        if texts is not None:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1} if hatched else None
            axes.text(
                column,
                row,
                str(texts[row, column]),
                size=SMALL,
                color="black" if hatched else ink_on(tuple(shades[row, column])),
                ha="center",
                va="center",
                bbox=box,
            )
    if max(rows, columns) <= _RULED_UP_TO:
        _rule(axes, rows, columns)


def outline_cell(axes: Axes, row: int, column: int, colour: str) -> None:
    """A thick line around one cell, with a white one under it so that it shows on any shade."""
    for line, width in (("white", 5.0), (colour, 2.5)):
        axes.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5),
                1,
                1,
                fill=False,
                edgecolor=line,
                linewidth=width,
                zorder=5,
            )
        )


def name_cells(axes: Axes, rows: ArrayLike, columns: ArrayLike, cell_width: float) -> None:
    """Write the rows' and columns' own numbers beside and above a grid, as many as there is room.

    Args:
        axes: the grid.
        rows: number of each row.
        columns: number of each column.
        cell_width: in inches.
    """
    row_names, column_names = (
        [str(place).replace("-", "−") for place in np.asarray(places)] for places in (rows, columns)
    )
    widest = max(text_width(name, SMALL) for name in column_names)
    across = np.arange(0, len(column_names), max(1, math.ceil((widest + _MARGIN) / cell_width)))
    down = np.arange(0, len(row_names), max(1, math.ceil(SMALL * LINE / 72 / cell_width)))
    axes.set_xticks(across, [column_names[place] for place in across])
    axes.set_yticks(down, [row_names[place] for place in down])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=2)


def texts_that_fit(
    values: NDArray[Any], cell_width: float, cell_height: float
) -> tuple[NDArray[Any], str] | None:
    """The numbers with three significant digits, else two, and their common factor; or None.

    Args:
        values: (rows, columns).
        cell_width: room for each, in inches.
        cell_height: room for each, in inches.

    >>> texts_that_fit(np.array([[0.123, -1.0]]), 0.5, 0.5)
    (array([['0.12', '−1.00']], dtype='<U5'), '')
    >>> texts_that_fit(np.array([[0.123, -1.0]]), 0.1, 0.1) is None
    True
    """
    if cell_height < SMALL * LINE / 72 or values.size > 1024:
        return None
    for digits in (3, 2):
        texts, factor = grid_texts(values, digits)
        if max(text_width(text, SMALL) for text in texts.flat) + _MARGIN <= cell_width:
            return texts, factor
    return None


def is_signed(values: NDArray[Any]) -> bool:
    """Whether any value is below zero."""
    return bool((values[np.isfinite(values)] < 0).any())


def value_scale(values: NDArray[Any], *, signed: bool) -> Limits:
    """Limits with zero in their middle, or at their lower end.

    >>> value_scale(np.array([[-1.0, 3.0]]), signed=True)
    (-3.0, 3.0)
    >>> value_scale(np.array([[0.0, 3.0]]), signed=False)
    (0.0, 3.0)
    """
    low, high = value_limits(values) if has_finite(values) else (0.0, 1.0)
    most = apart(0.0, max(abs(low), abs(high)))[1]
    return (-most if signed else 0.0), most


def full_scale(values: NDArray[Any]) -> Limits:
    """Limits at the smallest and the largest finite value."""
    return apart(*value_limits(values)) if has_finite(values) else (0.0, 1.0)


def _hatch(axes: Axes, padded: NDArray[Any]) -> None:
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5)])
    squares = [corners + place[::-1] for place in np.argwhere(padded)]
    outline = Path.make_compound_path(*[Path(square, closed=True) for square in squares])
    axes.add_patch(PathPatch(outline, facecolor="white", edgecolor=RULE, hatch="////", lw=0))


def _rule(axes: Axes, rows: int, columns: int) -> None:
    axes.hlines(np.arange(1, rows) - 0.5, -0.5, columns - 0.5, color=RULE, linewidth=0.6)
    axes.vlines(np.arange(1, columns) - 0.5, -0.5, rows - 0.5, color=RULE, linewidth=0.6)
