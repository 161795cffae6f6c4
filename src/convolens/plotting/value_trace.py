"""How one value inside a trained network came about, drawn number by number."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

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
from convolens.plotting.chart import quiet
from convolens.plotting.figures import Figure
from convolens.plotting.number_blocks import NumberBlocks, largest_products
from convolens.plotting.page import Page, new_page
from convolens.plotting.panels import frame
from convolens.plotting.pictures import not_finite_note
from convolens.plotting.style import (
    BLUE,
    INK,
    MUTED,
    RULE,
    SMALL,
    TEXT,
    TITLE,
    VERMILLION,
    WIDTH,
    house_style,
)
from convolens.plotting.value_chain import chain_lines
from convolens.plotting.values import compact
from convolens.plotting.words import LINE, fit

if TYPE_CHECKING:
    from convolens.explain import ValueTrace

MOST_CHANNELS = 3

_EDGE = 0.1
_HEAD = 0.6
_TALLEST = 8.0  # of all grids together
_LINE = TEXT * LINE / 72
_SINGLE_BARS = 64
_ROOM_FOR_ROWS = 0.55
_WIDEST_CELL = 0.6
_CHART, _BELOW_CHART, _LEFT_OF_CHART = 1.1, 0.45, 0.65


def plot_value_trace(trace: "ValueTrace") -> Figure:
    """How one value of a trained network came about: each number and what is done to it.

    For a convolution the window, the weights and their products, one row of grids a channel; of
    many channels those three that change the sum most, and a bar for what every channel adds. For
    a pooling the window, the largest value marked. Padded cells are hatched. Below stands what is
    done with the sum, up to the activation.

    Args:
        trace: what ``trace_value`` returned.

    Returns:
        A figure. In windows too large to write numbers in, shades take their place.

    Raises:
        ConfigError: something else than such a trace.

    >>> from torch import nn
    >>> from convolens.explain import trace_value
    >>> network = nn.Sequential(nn.MaxPool2d(2), nn.ReLU())
    >>> figure = plot_value_trace(trace_value(network, np.eye(4)[:, :, None], "0", 1, 1, 0))
    >>> [text.get_text() for text in figure.texts[-3:]]
    ['largest value: 1, from row 2, column 2', "'1' (ReLU): max(0, 1) = 1", \
'No layer follows: the network puts it out.']
    """
    if not hasattr(trace, "channel_sums"):
        raise ConfigError(
            f"cannot draw a {type(trace).__name__}; give what trace_value returns (what "
            "trace_conv2d and trace_pool2d return is for plot_trace)"
        )
    return _draw_convolution(trace) if trace.kind == "convolution" else _draw_pooling(trace)


@house_style()
def _draw_convolution(trace: "ValueTrace") -> Figure:
    assert trace.weights is not None
    assert trace.products is not None
    places, blocks = _blocks(trace)
    chart = len(trace.channels) > len(places)
    notes = ["hatched: padding, which counts as 0"] if trace.padded.any() else []
    if finite := not_finite_note(trace.window[:, :, places]):
        notes.append(finite)
    if not blocks.numbers:
        largest = ", ".join(compact(product, 3) for product in largest_products(trace.products))
        notes.append(f"the largest products: {largest}")
    lines = chain_lines(trace)
    below = _HEAD + blocks.height + 0.05
    bottom = below + (_CHART + _BELOW_CHART + 0.35 if chart else 0)
    page = new_page(bottom + (len(notes) + len(lines)) * _LINE + 0.05 + _EDGE)
    _write_head(page, trace)
    blocks.draw(page, _HEAD)
    if chart:
        above = "those above" if len(places) > 1 else "the one above"
        title = f"what each of {len(trace.channels)} channels adds, {above} in red"
        page.write(_EDGE, below + 0.05, title, size=TEXT)
        width = WIDTH - _LEFT_OF_CHART - _EDGE
        _draw_bars(page.axes(_LEFT_OF_CHART, below + 0.35, width, _CHART), trace, places)
    _write_below(page, bottom, notes, lines)
    return page.figure


def _blocks(trace: "ValueTrace") -> tuple[list[int], NumberBlocks]:
    """Three channels, or fewer where their grids would make a long scroll."""
    assert trace.weights is not None
    assert trace.products is not None
    most = MOST_CHANNELS
    while True:
        places = trace.largest_channels(most)
        blocks = NumberBlocks(
            [stack[:, :, places] for stack in (trace.window, trace.weights, trace.products)],
            padded=trace.padded,
            rows=trace.rows,
            columns=trace.columns,
            names=[
                f"channel {trace.channels[place]}" if trace.source_shape[2] > 1 else ""
                for place in places
            ],
            tallest=_TALLEST,
        )
        if blocks.height <= _TALLEST or most == 1:
            return places, blocks
        most -= 1


@house_style()
def _draw_pooling(trace: "ValueTrace") -> Figure:
    window = trace.window[:, :, 0]
    rows, columns = window.shape
    cell = min((WIDTH - 2 * _EDGE - _ROOM_FOR_ROWS) / columns, _WIDEST_CELL, 4.5 / rows)
    signed, largest = is_signed(window), trace.winner is not None
    seen = np.where(trace.padded, np.nan, window)
    # The largest is the lightest; of a mean no value must seem to vanish.
    limits = full_scale(seen) if largest and not signed else value_scale(seen, signed=signed)
    fitting = texts_that_fit(window, cell, cell)
    counted = trace.divisor == trace.padded.size
    outside = "0" if counted else "–"
    texts = None if fitting is None else np.where(trace.padded, outside, fitting[0])
    notes = [f"numbers in the window: {fitting[1]}"] if fitting is not None and fitting[1] else []
    if trace.padded.any():
        notes.append(f"hatched: padding, which {'counts as 0' if counted else 'does not count'}")
    if finite := not_finite_note(window):
        notes.append(finite)
    lines = chain_lines(trace)
    top = _HEAD + 0.35
    bottom = top + rows * cell + 0.15
    page = new_page(bottom + (len(notes) + len(lines)) * _LINE + 0.05 + _EDGE)
    _write_head(page, trace)
    axes = page.axes(_EDGE + _ROOM_FOR_ROWS, top, columns * cell, rows * cell)
    style = {"limits": limits, "cmap": DIVERGING if signed else "gray", "padded": trace.padded}
    draw_cells(axes, window, texts, **style)
    axes.set_aspect("auto")
    frame(axes)
    name_cells(axes, trace.rows, trace.columns, cell)
    if trace.winner is not None:
        i, j = (
            int(np.flatnonzero(places == won)[0])
            for places, won in zip((trace.rows, trace.columns), trace.winner, strict=True)
        )
        outline_cell(axes, i, j, VERMILLION)
    _write_below(page, bottom, notes, lines)
    return page.figure


def _write_head(page: Page, trace: "ValueTrace") -> None:
    place = f": row {trace.row}, column {trace.column}, channel {trace.channel}"
    room = WIDTH - 2 * _EDGE
    name = fit(f"{trace.layer} ({trace.operation})", room - 3.3, TITLE)
    page.write(_EDGE, _EDGE, f"{name}{place}", size=TITLE)
    rows, columns = (
        f"{word} {places[0]} to {places[-1]}" if len(places) > 1 else f"{word[:-1]} {places[0]}"
        for word, places in (("rows", trace.rows), ("columns", trace.columns))
    )
    seen = f"It saw {rows} and {columns} of {trace.source_words}".replace("-", "−")
    page.write(_EDGE, 0.38, fit(seen, room, SMALL), colour=MUTED)


def _write_below(page: Page, top: float, notes: list[str], lines: list[str]) -> None:
    for index, line in enumerate([*notes, *lines]):
        muted = index < len(notes) or index == len(notes) + len(lines) - 1
        text = fit(line, WIDTH - 2 * _EDGE, TEXT)
        y = top + 0.05 + index * _LINE
        page.write(_EDGE, y, text, size=TEXT, colour=MUTED if muted else INK)


def _draw_bars(axes: Axes, trace: "ValueTrace", places: list[int]) -> None:
    """A bar a channel, those that are drawn above in another colour."""
    sums = np.nan_to_num(trace.channel_sums, posinf=0.0, neginf=0.0)
    n = len(sums)
    if n > _SINGLE_BARS:  # a bar each would be a hair's breadth, and take its time
        axes.stairs(sums, np.arange(n + 1) - 0.5, fill=True, color=BLUE)
    else:
        axes.bar(np.arange(n), sums, width=0.8, color=BLUE)
    # The red ones lie over them, wide enough to be seen.
    axes.bar(places, sums[places], width=max(0.8, n / 160), color=VERMILLION)
    axes.axhline(0, color=RULE, linewidth=0.8)
    quiet(axes, "y")
    axes.set(xlim=(-0.5 - n / 200, n - 0.5 + n / 200))
    step = max(1, round(n / 4))
    marks = list(range(0, n - step // 2, step))
    marks = [*marks, n - 1] if n - 1 - marks[-1] >= step / 3 else [*marks[:-1], n - 1]
    axes.set_xticks(marks, [str(trace.channels[mark]) for mark in marks])
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.set_xlabel("channel", labelpad=2)
