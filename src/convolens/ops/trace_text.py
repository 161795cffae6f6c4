"""Traces as text: the numbers in columns, as one would write them on a blackboard."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from convolens.ops.arrays import Array

if TYPE_CHECKING:
    from convolens.ops.traces import ConvTrace, PoolTrace

PAD = "pad"
GAP = "   "
LINE_LENGTH = 120
SMALL, LARGE, TOO_LONG = 0.1, 1000, 10**6  # where three decimals, or all digits, read well


def conv_text(trace: "ConvTrace") -> str:
    """The arithmetic of a convolution, channel by channel."""
    place = f"feature map {trace.filter}, row {trace.row}, column {trace.column}"
    lines = [f"Image {trace.image}, {place}.", _seen(trace.rows, trace.columns)]
    if trace.padded.any():
        lines.append(f'"{PAD}" lies outside the picture and counts as 0.')
    for i, channel in enumerate(trace.channels):
        grids = {
            "window": _cells(trace.window[:, :, i], trace.padded),
            "x weights": _cells(trace.weights[:, :, i]),
            "= products": _cells(trace.products[:, :, i]),
        }
        lines += ["", f"channel {channel}", *_side_by_side(grids)]
    lines.append("")
    if len(trace.channels) > 1:
        with np.errstate(invalid="ignore", over="ignore"):
            parts = [_number(total) for total in trace.products.sum(axis=(0, 1))]
        lines.append(f"sum = {_joined(parts)} = {_number(trace.sum)}")
    else:
        lines.append(f"sum = {_number(trace.sum)}")
    if trace.bias:
        lines.append(
            f"value = {_number(trace.sum)} + bias {_number(trace.bias)} = {_number(trace.value)}"
        )
    else:
        lines.append(f"value = {_number(trace.value)}")
    return "\n".join(lines)


def pool_text(trace: "PoolTrace") -> str:
    """The window of a pooling, and which value wins or how the mean is taken."""
    place = f"channel {trace.channel}, row {trace.row}, column {trace.column}"
    lines = [f"Image {trace.image}, {place}.", _seen(trace.rows, trace.columns), ""]
    lines += [*_side_by_side({"window": _cells(trace.window, trace.padded)}), ""]
    if trace.padded.any():
        lines.append(
            f"{trace.counted} of {trace.window.size} cells lie inside the picture; "
            f'"{PAD}" is padding and never counts'
        )
    if trace.winner is not None:
        row, column = trace.winner
        lines.append(
            f"value = {_number(trace.value)}, the largest, "
            f"from row {row}, column {column} of the picture"
        )
    else:
        total = trace.window.sum(dtype=trace.window.dtype)
        lines.append(f"value = {_number(total)} / {trace.counted} = {_number(trace.value)}")
    return "\n".join(lines)


def _seen(rows: Array, columns: Array) -> str:
    return f"It saw {_span('rows', rows)} and {_span('columns', columns)} of the picture."


def _span(name: str, places: Array) -> str:
    if len(places) == 1:
        return f"{name[:-1]} {places[0]}"
    step = places[1] - places[0]
    every = f" by {step}" if step > 1 else ""
    return f"{name} {places[0]} to {places[-1]}{every}"


def _cells(values: Array, padded: Array | None = None) -> list[list[str]]:
    outside = np.zeros(values.shape, bool) if padded is None else padded
    write = _writer(values[~outside])
    return [
        [PAD if out else write(value) for value, out in zip(row, outs, strict=True)]
        for row, outs in zip(values, outside, strict=True)
    ]


def _writer(values: Array) -> Callable[[Any], str]:
    """One way to write all numbers of a grid, so that they can be compared at a glance."""
    if values.dtype.kind != "f":
        return str
    finite = values[np.isfinite(values)]
    largest = np.abs(finite).max(initial=0)
    if (finite == np.round(finite)).all() and largest < TOO_LONG:
        return lambda value: f"{value + 0:.0f}"  # + 0 turns -0 into 0
    form = ".3f" if SMALL <= largest < LARGE else ".3g"
    return lambda value: f"{value:{form}}" if value else "0"


def _side_by_side(grids: dict[str, list[list[str]]]) -> list[str]:
    """Titled grids beside one another, or below where the line would get too long."""
    blocks = [_block(title, cells) for title, cells in grids.items()]
    if sum(len(block[0]) for block in blocks) + len(GAP) * (len(blocks) - 1) > LINE_LENGTH:
        return [line.rstrip() for block in blocks for line in block]
    return [GAP.join(lines).rstrip() for lines in zip(*blocks, strict=True)]


def _block(title: str, cells: list[list[str]]) -> list[str]:
    width = max(len(cell) for row in cells for cell in row)
    rows = ["  ".join(cell.rjust(width) for cell in row) for row in cells]
    length = max(len(title), len(rows[0]))
    return [title.ljust(length), *(row.rjust(length) for row in rows)]


def _joined(parts: list[str]) -> str:
    shown = parts if len(parts) <= 8 else [*parts[:4], "...", *parts[-2:]]
    return " + ".join(f"({part})" if part.startswith("-") else part for part in shown)


def _number(value: float) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
