"""One value of a convolution: window, weights, products, channel by channel, and the sum."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convolens.plotting.figures import Figure
from convolens.plotting.number_blocks import NumberBlocks, largest_products
from convolens.plotting.page import new_page
from convolens.plotting.pictures import not_finite_note
from convolens.plotting.style import MUTED, TEXT, TITLE, WIDTH, house_style
from convolens.plotting.values import compact
from convolens.plotting.words import LINE, fit

if TYPE_CHECKING:
    from convolens.ops import ConvTrace, PoolTrace

_EDGE = 0.1
_MOST_CHANNELS = 4
_LINE = TEXT * LINE / 72


@house_style()
def draw_conv_trace(trace: "ConvTrace") -> Figure:
    """The figure of ``plot_trace`` for a convolution."""
    stacks = [
        np.asarray(stack, np.float64) for stack in (trace.window, trace.weights, trace.products)
    ]
    shown = min(len(trace.channels), _MOST_CHANNELS)
    named = len(trace.channels) > 1
    blocks = NumberBlocks(
        [stack[:, :, :shown] for stack in stacks],
        padded=np.asarray(trace.padded),
        rows=trace.rows,
        columns=trace.columns,
        names=[f"channel {channel}" if named else "" for channel in trace.channels[:shown]],
    )
    lines = _sum_lines(trace, shown)
    notes = _notes(trace, stacks[0], numbers=blocks.numbers)
    bottom = 0.6 + blocks.height + 0.1
    page = new_page(bottom + (len(lines) + len(notes)) * _LINE + _EDGE)
    title = f"Feature map {trace.filter}, row {trace.row}, column {trace.column}"
    page.write(_EDGE, _EDGE, title, size=TITLE)
    page.write(_EDGE, 0.38, place_text(trace), colour=MUTED)
    blocks.draw(page, 0.6)
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


def _notes(trace: "ConvTrace", window: NDArray[np.float64], *, numbers: bool) -> list[str]:
    notes: list[str] = []
    if np.asarray(trace.padded).any():
        notes.append("hatched: padding outside the picture, which counts as 0")
    if not numbers:
        products = np.asarray(trace.products, np.float64)
        largest = ", ".join(compact(product, 3) for product in largest_products(products))
        notes.append(f"{products.size:,} products; the largest: {largest}")
    finite = not_finite_note(window)
    return [*notes, finite] if finite else notes


def _joined(parts: list[float]) -> str:
    """Parts of a sum: "1 + 2 − 3"."""
    text = compact(parts[0], 4)
    for part in parts[1:]:
        text += f" {'−' if part < 0 else '+'} {compact(abs(part), 4)}"
    return text
