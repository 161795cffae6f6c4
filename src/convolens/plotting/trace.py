"""The arithmetic of one output value, drawn number by number."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.plotting.cells import (
    DIVERGING,
    draw_cells,
    full_scale,
    is_signed,
    name_cells,
    outline_cell,
    texts_that_fit,
    value_scale,
)
from convolens.plotting.figures import Figure
from convolens.plotting.page import new_page
from convolens.plotting.panels import frame
from convolens.plotting.style import MUTED, TEXT, TITLE, VERMILLION, WIDTH, house_style
from convolens.plotting.trace_conv import draw_conv_trace, place_text
from convolens.plotting.values import compact

if TYPE_CHECKING:
    from convolens.ops import ConvTrace, PoolTrace

_EDGE = 0.1
_ROOM_FOR_ROWS = 0.45
_ROOM_FOR_RESULT = 1.7
_WIDEST_CELL = 0.6


def plot_trace(trace: "ConvTrace | PoolTrace") -> Figure:
    """How one value of a convolution or a pooling came about: each number and what is done to it.

    For a convolution the window, the weights and their products, one row of grids a channel, and
    the sum; for a pooling the window, the largest value in it marked, or the mean written out.
    Padded cells are hatched. In windows too large to write numbers in, shades take their place and
    the largest products are listed.

    Args:
        trace: what ``trace_conv2d`` or ``trace_pool2d`` returned.

    Returns:
        A figure. Of many channels the first are drawn and the sum of the others is written.

    Raises:
        ConfigError: something else than a trace.

    >>> from convolens.ops import trace_conv2d
    >>> figure = plot_trace(trace_conv2d(np.ones((3, 3, 1)), [[1, 2], [3, 4]], 0, 0))
    >>> figure.texts[-1].get_text()
    '10 + bias 0 = 10'
    """
    if hasattr(trace, "products"):
        return draw_conv_trace(trace)  # pyright: ignore[reportArgumentType]
    if hasattr(trace, "counted"):
        return _draw_pool(trace)  # pyright: ignore[reportArgumentType]
    raise ConfigError(
        f"cannot draw a {type(trace).__name__}; give what trace_conv2d or trace_pool2d returns"
    )


@house_style()
def _draw_pool(trace: "PoolTrace") -> Figure:
    padded = np.asarray(trace.padded)
    inside = np.where(padded, 0, trace.window).astype(np.float64)
    rows, columns = inside.shape
    room = WIDTH - 2 * _EDGE - _ROOM_FOR_ROWS - _ROOM_FOR_RESULT
    cell = min(room / columns, _WIDEST_CELL)
    signed, largest = is_signed(inside), trace.mode == "max"
    seen = np.where(padded, np.nan, inside)
    # The largest is the lightest; of a mean no value must seem to vanish.
    limits = full_scale(seen) if largest and not signed else value_scale(seen, signed=signed)
    style = {"limits": limits, "cmap": DIVERGING if signed else "gray"}
    fitting = texts_that_fit(inside, cell, cell)
    texts = None if fitting is None else np.where(padded, "–", fitting[0])

    top, side = 0.95, (columns * cell, rows * cell)
    notes = [_pool_sentence(trace, inside)]
    if fitting is not None and fitting[1]:
        notes.append(f"numbers in the window: {fitting[1]}")
    if padded.any():
        notes.append("hatched: padding, which never counts")
    page = new_page(top + max(side[1], 0.6) + 0.2 + len(notes) * 0.22 + _EDGE)
    name = "Largest value" if largest else "Mean"
    title = f"{name} at row {trace.row}, column {trace.column}, channel {trace.channel}"
    page.write(_EDGE, _EDGE, title, size=TITLE)
    page.write(_EDGE, 0.38, place_text(trace), colour=MUTED)

    left = _EDGE + _ROOM_FOR_ROWS
    axes = page.axes(left, top, *side)
    draw_cells(axes, inside, texts, padded=padded, **style)
    name_cells(axes, trace.rows, trace.columns, cell)
    if trace.winner is not None:
        row, column = (
            int(np.flatnonzero(np.asarray(seen) == won)[0])
            for seen, won in zip((trace.rows, trace.columns), trace.winner, strict=True)
        )
        outline_cell(axes, row, column, VERMILLION)

    middle = top + side[1] / 2
    page.write(
        left + side[0] + 0.15, middle, "max →" if largest else "mean →", size=TEXT, va="center"
    )
    result = page.axes(left + side[0] + 0.8, middle - 0.25, 0.8, 0.5)
    value = np.array([[float(trace.value)]])
    draw_cells(result, value, np.array([[compact(float(trace.value), 3)]]), **style)
    result.set_aspect("auto")
    frame(result)
    bottom = top + max(side[1], 0.6) + 0.2
    for index, note in enumerate(notes):
        colour = {} if index == 0 else {"colour": MUTED}
        page.write(_EDGE, bottom + 0.22 * index, note, size=TEXT, **colour)
    return page.figure


def _pool_sentence(trace: "PoolTrace", inside: NDArray[Any]) -> str:
    value = compact(float(trace.value), 4)
    if trace.winner is not None:
        row, column = trace.winner
        return f"largest: {value}, from row {row}, column {column} of the picture"
    total = compact(float(inside.sum()), 4)
    return f"sum {total} / {trace.counted} values = {value}"
