"""One value of a convolution: window, weights, products, channel by channel, and the sum."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from convolens.plotting.cells import (
    DIVERGING,
    draw_cells,
    is_signed,
    name_cells,
    texts_that_fit,
    value_scale,
)
from convolens.plotting.figures import Figure
from convolens.plotting.page import new_page
from convolens.plotting.panels import frame
from convolens.plotting.pictures import not_finite_note
from convolens.plotting.style import MUTED, TEXT, TITLE, WIDTH, house_style
from convolens.plotting.values import compact
from convolens.plotting.words import LINE, fit

if TYPE_CHECKING:
    from convolens.ops import ConvTrace, PoolTrace

_WORDS = ("window", "× weights", "= products")

_EDGE = 0.1
_ROOM_FOR_ROWS = 0.55
_ROOM_FOR_COLUMNS = 0.45
_ROOM_FOR_HEADING = 1.3
_BETWEEN = 0.15
_WIDEST_CELL = 0.6
_TALLEST_CELL = 0.42
_MOST_CHANNELS = 4
_LISTED = 5
_LINE = TEXT * LINE / 72


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How large the cells are in inches, whether the grids stand in a row, and what is written."""

    cell_width: float
    cell_height: float
    in_a_row: bool
    numbers: bool


@house_style()
def draw_conv_trace(trace: "ConvTrace") -> Figure:
    """The figure of ``plot_trace`` for a convolution."""
    stacks = [
        np.asarray(stack, np.float64) for stack in (trace.window, trace.weights, trace.products)
    ]
    shown = min(len(trace.channels), _MOST_CHANNELS)
    plan = _plan([stack[:, :, :shown] for stack in stacks])
    lines = _sum_lines(trace, shown)
    notes = _notes(trace, plan, stacks[0])

    rows, columns = np.asarray(trace.padded).shape
    width, height = columns * plan.cell_width, rows * plan.cell_height
    step = height + _ROOM_FOR_COLUMNS
    block = (step if plan.in_a_row else 3 * step) + 0.1
    top = 0.6
    bottom = top + shown * block + 0.1
    page = new_page(bottom + (len(lines) + len(notes)) * _LINE + _EDGE)
    title = f"Feature map {trace.filter}, row {trace.row}, column {trace.column}"
    page.write(_EDGE, _EDGE, title, size=TITLE)
    page.write(_EDGE, 0.38, place_text(trace), colour=MUTED)

    signed = is_signed(stacks[0]), *[is_signed(stacks[1]) or is_signed(stacks[2])] * 2
    for index in range(shown):
        corner = top + index * block + _ROOM_FOR_COLUMNS
        if len(trace.channels) > 1:
            name = f"channel {trace.channels[index]}"
            middle = corner + (block - _ROOM_FOR_COLUMNS - 0.1) / 2
            page.write(_EDGE, middle, name, size=TEXT, rotation="vertical", va="center")
        for position, stack in enumerate(stacks):
            across, down = (position, 0) if plan.in_a_row else (0, position)
            left = _EDGE + _ROOM_FOR_ROWS + across * (max(width, _ROOM_FOR_HEADING) + _BETWEEN)
            axes = page.axes(left, corner + down * step, width, height)
            padded = None if position == 1 else np.asarray(trace.padded)
            factor = _draw_grid(axes, stack[:, :, index], plan, padded, signed=signed[position])
            above = corner + down * step - (0.24 if position == 0 else 0.06)
            page.write(left, above, f"{_WORDS[position]} {factor}", size=TEXT, va="bottom")
            if position == 0:
                name_cells(axes, trace.rows, trace.columns, plan.cell_width)
    for index, line in enumerate([*notes, *lines]):
        style = {"colour": MUTED} if index < len(notes) else {}
        text = fit(line, WIDTH - 2 * _EDGE, TEXT)
        page.write(_EDGE, bottom + index * _LINE, text, size=TEXT, **style)
    return page.figure


def place_text(trace: "ConvTrace | PoolTrace") -> str:
    """Where in which picture the window lies."""
    rows, columns = (
        f"{name} {places[0]} to {places[-1]}" if len(places) > 1 else f"{name[:-1]} {places[0]}"
        for name, places in (("rows", trace.rows), ("columns", trace.columns))
    )
    return f"picture {trace.image}, {rows}, {columns}".replace("-", "−")


def _draw_grid(
    axes: Axes, values: NDArray[Any], plan: _Plan, padded: NDArray[Any] | None, *, signed: bool
) -> str:
    """Draw one grid; the factor that its numbers must be multiplied with is returned."""
    fitting = texts_that_fit(values, plan.cell_width, plan.cell_height) if plan.numbers else None
    draw_cells(
        axes,
        values,
        None if fitting is None else fitting[0],
        limits=value_scale(values, signed=signed),
        cmap=DIVERGING if signed else "gray",
        padded=padded,
    )
    axes.set_aspect("auto")
    frame(axes)
    return "" if fitting is None else fitting[1]


def _plan(stacks: list[NDArray[Any]]) -> _Plan:
    """Grids in a row if the numbers fit, else below one another, else in a row without numbers."""
    rows, columns, _ = stacks[0].shape
    room = WIDTH - 2 * _EDGE - _ROOM_FOR_ROWS
    beside = min((room - 2 * _BETWEEN) / 3 / columns, _WIDEST_CELL)
    for width, in_a_row in ((beside, True), (min(room / columns, _WIDEST_CELL), False)):
        height = min(width, _TALLEST_CELL)
        grids = [stack[:, :, channel] for stack in stacks for channel in range(stack.shape[2])]
        if all(texts_that_fit(grid, width, height) is not None for grid in grids):
            return _Plan(cell_width=width, cell_height=height, in_a_row=in_a_row, numbers=True)
    height = min(beside, 3.0 / rows)
    return _Plan(cell_width=beside, cell_height=height, in_a_row=True, numbers=False)


def _sum_lines(trace: "ConvTrace", shown: int) -> list[str]:
    products = np.asarray(trace.products, np.float64)
    parts = [float(part) for part in products.sum(axis=(0, 1))]
    lines: list[str] = []
    total = compact(trace.sum, 4)
    if len(parts) > shown:
        rest = compact(sum(parts[shown:]), 4)
        lines.append(f"{len(parts) - shown} more channels, whose products sum to {rest}")
        parts = [*parts[:shown], sum(parts[shown:])]
    if len(parts) > 1:
        lines.append(f"sum of products: {_joined(parts)} = {total}")
    lines.append(f"{total} + bias {compact(trace.bias, 4)} = {compact(trace.value, 4)}")
    return lines


def _notes(trace: "ConvTrace", plan: _Plan, window: NDArray[Any]) -> list[str]:
    notes: list[str] = []
    if np.asarray(trace.padded).any():
        notes.append("hatched: padding outside the picture, which counts as 0")
    if not plan.numbers:
        products = np.asarray(trace.products, np.float64)
        order = np.argsort(-np.abs(np.nan_to_num(products)), axis=None, kind="stable")[:_LISTED]
        largest = ", ".join(compact(float(products.flat[index]), 3) for index in order)
        notes.append(f"{products.size:,} products; the largest: {largest}")
    finite = not_finite_note(window)
    return [*notes, finite] if finite else notes


def _joined(parts: list[float]) -> str:
    """Parts of a sum: "1 + 2 − 3"."""
    text = compact(parts[0], 4)
    for part in parts[1:]:
        text += f" {'−' if part < 0 else '+'} {compact(abs(part), 4)}"
    return text
