"""Traces as text: the numbers in columns, as one would write them on a blackboard."""

from typing import TYPE_CHECKING

import numpy as np

from convolens.ops.arrays import Array
from convolens.ops.number_text import PAD, cells, joined, number, side_by_side, span

if TYPE_CHECKING:
    from convolens.ops.traces import ConvTrace, PoolTrace


def conv_text(trace: "ConvTrace") -> str:
    """The arithmetic of a convolution, channel by channel."""
    place = f"feature map {trace.filter}, row {trace.row}, column {trace.column}"
    lines = [f"Image {trace.image}, {place}.", _seen(trace.rows, trace.columns)]
    if trace.padded.any():
        lines.append(f'"{PAD}" lies outside the picture and counts as 0.')
    for i, channel in enumerate(trace.channels):
        grids = {
            "window": cells(trace.window[:, :, i], trace.padded),
            "x weights": cells(trace.weights[:, :, i]),
            "= products": cells(trace.products[:, :, i]),
        }
        lines += ["", f"channel {channel}", *side_by_side(grids)]
    lines.append("")
    if len(trace.channels) > 1:
        with np.errstate(invalid="ignore", over="ignore"):
            parts = [number(total) for total in trace.products.sum(axis=(0, 1))]
        lines.append(f"sum = {joined(parts)} = {number(trace.sum)}")
    else:
        lines.append(f"sum = {number(trace.sum)}")
    if trace.bias:
        lines.append(
            f"value = {number(trace.sum)} + bias {number(trace.bias)} = {number(trace.value)}"
        )
    else:
        lines.append(f"value = {number(trace.value)}")
    return "\n".join(lines)


def pool_text(trace: "PoolTrace") -> str:
    """The window of a pooling, and which value wins or how the mean is taken."""
    place = f"channel {trace.channel}, row {trace.row}, column {trace.column}"
    lines = [f"Image {trace.image}, {place}.", _seen(trace.rows, trace.columns), ""]
    lines += [*side_by_side({"window": cells(trace.window, trace.padded)}), ""]
    if trace.padded.any():
        lines.append(
            f"{trace.counted} of {trace.window.size} cells lie inside the picture; "
            f'"{PAD}" is padding and never counts'
        )
    if trace.winner is not None:
        row, column = trace.winner
        lines.append(
            f"value = {number(trace.value)}, the largest, "
            f"from row {row}, column {column} of the picture"
        )
    else:
        total = trace.window.sum(dtype=trace.window.dtype)
        lines.append(f"value = {number(total)} / {trace.counted} = {number(trace.value)}")
    return "\n".join(lines)


def _seen(rows: Array, columns: Array) -> str:
    return f"It saw {span('rows', rows)} and {span('columns', columns)} of the picture."
