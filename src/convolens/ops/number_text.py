"""Numbers as text: in grids beside one another, in sums, one alone."""

from collections.abc import Callable
from typing import Any

import numpy as np

from convolens.ops.arrays import Array

PAD = "pad"
GAP = "   "
LINE_LENGTH = 120
SMALL, LARGE, TOO_LONG = 0.1, 1000, 10**6  # where three decimals, or all digits, read well


def span(name: str, places: Array) -> str:
    """Places in words.

    >>> span("rows", np.array([1, 3, 5])), span("rows", np.array([4]))
    ('rows 1 to 5 by 2', 'row 4')
    """
    if len(places) == 1:
        return f"{name[:-1]} {places[0]}"
    step = places[1] - places[0]
    every = f" by {step}" if step > 1 else ""
    return f"{name} {places[0]} to {places[-1]}{every}"


def cells(values: Array, padded: Array | None = None) -> list[list[str]]:
    """A grid of numbers as text, all written alike; "pad" where padded.

    >>> cells(np.array([[0.5, 1.25]]))
    [['0.500', '1.250']]
    """
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


def side_by_side(grids: dict[str, list[list[str]]]) -> list[str]:
    """Lines of titled grids beside one another, or below where the line would get too long."""
    blocks = [_block(title, cells) for title, cells in grids.items()]
    if sum(len(block[0]) for block in blocks) + len(GAP) * (len(blocks) - 1) > LINE_LENGTH:
        return [line.rstrip() for block in blocks for line in block]
    return [GAP.join(lines).rstrip() for lines in zip(*blocks, strict=True)]


def _block(title: str, rows_of_cells: list[list[str]]) -> list[str]:
    width = max(len(cell) for row in rows_of_cells for cell in row)
    rows = ["  ".join(cell.rjust(width) for cell in row) for row in rows_of_cells]
    length = max(len(title), len(rows[0]))
    return [title.ljust(length), *(row.rjust(length) for row in rows)]


def joined(parts: list[str]) -> str:
    """The parts of a sum; of more than eight those in the middle are left out.

    >>> joined(["1", "-2", "3"])
    '1 + (-2) + 3'
    """
    shown = parts if len(parts) <= 8 else [*parts[:4], "...", *parts[-2:]]
    return " + ".join(f"({part})" if part.startswith("-") else part for part in shown)


def number(value: float) -> str:
    """Four significant digits of what is not whole.

    >>> number(1 / 3), number(7)
    ('0.3333', '7')
    """
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
