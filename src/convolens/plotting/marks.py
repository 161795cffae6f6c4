"""Marking on a picture where a window lies."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from convolens.plotting.style import VERMILLION

_SMALLEST_BOX = 0.06
"""Inches a point of line: of a smaller box one would not see that it is one, but of a ring."""


def mark_window(axes: Axes, rows: ArrayLike, columns: ArrayLike, *, thickness: float = 2.0) -> None:
    """Outline a window, or ring it where it is tiny, in red on white so that it shows anywhere.

    Args:
        axes: with pixel (row, column) centred on the point (column, row).
        rows: rows of the window, in their order; those outside the picture are left out.
        columns: likewise.
        thickness: of the red line, in points.
    """
    down, across = (
        np.clip(np.asarray(places), 0, max(limits) - 0.5)
        for places, limits in ((rows, axes.get_ylim()), (columns, axes.get_xlim()))
    )
    height, width = down[-1] - down[0] + 1, across[-1] - across[0] + 1
    for colour, line in (("white", 2 * thickness), (VERMILLION, thickness)):
        if max(height, width) * _inches_per_pixel(axes) >= _SMALLEST_BOX * thickness:
            corner = across[0] - 0.5, down[0] - 0.5
            style = {
                "fill": False,
                "edgecolor": colour,
                "linewidth": line,
                "clip_on": False,
                "zorder": 5,
            }
            axes.add_patch(Rectangle(corner, width, height, **style))
        else:
            axes.plot(
                [(across[0] + across[-1]) / 2],
                [(down[0] + down[-1]) / 2],
                marker="o",
                markersize=5.5 * thickness,
                markerfacecolor="none",
                markeredgecolor=colour,
                markeredgewidth=line,
                clip_on=False,
                zorder=5,
            )


def _inches_per_pixel(axes: Axes) -> float:
    figure_width, figure_height = axes.figure.get_size_inches()  # pyright: ignore[reportAttributeAccessIssue]
    box = axes.get_position(original=True)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    return min(
        box.width * figure_width / abs(right - left), box.height * figure_height / abs(top - bottom)
    )
