"""Window, weights and products of a convolution as grids of numbers, one block a channel."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from convolens.plotting.cells import (
    DIVERGING,
    draw_cells,
    is_signed,
    name_cells,
    texts_that_fit,
    value_scale,
)
from convolens.plotting.page import Page
from convolens.plotting.panels import frame
from convolens.plotting.style import TEXT, WIDTH

_WORDS = ("window", "× weights", "= products")

_EDGE = 0.1
_ROOM_FOR_ROWS = 0.55
_ROOM_FOR_COLUMNS = 0.45
_ROOM_FOR_HEADING = 1.3
_BETWEEN = 0.15
_WIDEST_CELL = 0.6
_TALLEST_CELL = 0.42


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How large the cells are in inches, whether the grids stand in a row, and what is written."""

    cell_width: float
    cell_height: float
    in_a_row: bool
    numbers: bool


class NumberBlocks:
    """The grids of some channels, laid out; ``draw`` draws them inside ``house_style()``.

    Args:
        stacks: window, weights and products, (height, width, channels) each, float64.
        padded: (height, width), True where the window lies in the padding.
        rows: (height,) numbers of the window's rows.
        columns: (width,) likewise.
        names: one a channel, or empty text.
        tallest: inches. Where numbers would need grids below one another that are taller than that
            for a single channel, there are shades alone.
    """

    def __init__(
        self,
        stacks: list[NDArray[Any]],
        *,
        padded: NDArray[Any],
        rows: ArrayLike,
        columns: ArrayLike,
        names: list[str],
        tallest: float = math.inf,
    ) -> None:
        self._stacks, self._padded, self._names = stacks, padded, names
        self._rows, self._columns = rows, columns
        self._plan = _plan(stacks, tallest)
        height, width = padded.shape
        self._size = (width * self._plan.cell_width, height * self._plan.cell_height)
        self._step = self._size[1] + _ROOM_FOR_COLUMNS
        self._block = (self._step if self._plan.in_a_row else 3 * self._step) + 0.1

    @property
    def numbers(self) -> bool:
        """Whether the numbers are written; else there are shades alone."""
        return self._plan.numbers

    @property
    def height(self) -> float:
        """Of all blocks, in inches."""
        return len(self._names) * self._block

    def draw(self, page: Page, top: float) -> None:
        """Draw all blocks, one below the other.

        Args:
            page: to draw on.
            top: of the first block, in inches from the page's top.
        """
        window, weights, products = self._stacks
        signed = is_signed(window), *[is_signed(weights) or is_signed(products)] * 2
        width, height = self._size
        for index, name in enumerate(self._names):
            corner = top + index * self._block + _ROOM_FOR_COLUMNS
            middle = corner + (self._block - _ROOM_FOR_COLUMNS - 0.1) / 2
            page.write(_EDGE, middle, name, size=TEXT, rotation="vertical", va="center")
            for position, stack in enumerate(self._stacks):
                across, down = (position, 0) if self._plan.in_a_row else (0, position)
                left = _EDGE + _ROOM_FOR_ROWS + across * (max(width, _ROOM_FOR_HEADING) + _BETWEEN)
                axes = page.axes(left, corner + down * self._step, width, height)
                padded = None if position == 1 else self._padded
                factor = self._grid(axes, stack[:, :, index], padded, signed=signed[position])
                above = corner + down * self._step - (0.24 if position == 0 else 0.06)
                page.write(left, above, f"{_WORDS[position]} {factor}", size=TEXT, va="bottom")
                if position == 0:
                    name_cells(axes, self._rows, self._columns, self._plan.cell_width)

    def _grid(
        self, axes: Axes, values: NDArray[Any], padded: NDArray[Any] | None, *, signed: bool
    ) -> str:
        """Draw one grid; the factor that its numbers must be multiplied with is returned."""
        plan = self._plan
        fitting = (
            texts_that_fit(values, plan.cell_width, plan.cell_height) if plan.numbers else None
        )
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


def _plan(stacks: list[NDArray[Any]], tallest: float) -> _Plan:
    """Grids in a row if the numbers fit, else below one another, else in a row without numbers."""
    rows, columns, _ = stacks[0].shape
    room = WIDTH - 2 * _EDGE - _ROOM_FOR_ROWS
    beside = min((room - 2 * _BETWEEN) / 3 / columns, _WIDEST_CELL)
    for width, in_a_row in ((beside, True), (min(room / columns, _WIDEST_CELL), False)):
        height = min(width, _TALLEST_CELL)
        if not in_a_row and 3 * (rows * height + _ROOM_FOR_COLUMNS) > tallest:
            continue
        grids = [stack[:, :, channel] for stack in stacks for channel in range(stack.shape[2])]
        if all(texts_that_fit(grid, width, height) is not None for grid in grids):
            return _Plan(cell_width=width, cell_height=height, in_a_row=in_a_row, numbers=True)
    height = min(beside, 3.0 / rows)
    return _Plan(cell_width=beside, cell_height=height, in_a_row=True, numbers=False)


def largest_products(products: NDArray[np.float64], most: int = 5) -> list[float]:
    """Those of the largest size, the largest first."""
    order = np.argsort(-np.abs(np.nan_to_num(products)), axis=None, kind="stable")[:most]
    return [float(products.flat[index]) for index in order]
