"""What charts share: quiet axes, marks in per cent, and numbers in circles that name lines."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from convolens.plotting.page import Page
from convolens.plotting.style import SMALL

FAINT = "#e6e6e6"
"""Of the lines behind a chart."""

BADGE = 0.2
"""Diameter in inches of a number in a circle, the air around it included."""

SAMPLE = 0.5
"""Length in inches of a piece of a line beside its name."""

_CANDIDATES = 60
_CLEAR_OF_LINES = 0.12  # inches; further away a line is surely not the one that is numbered


def quiet(axes: Axes, grid: str = "both") -> None:
    """Nothing but two axes and faint lines at their marks.

    Args:
        axes: of the chart.
        grid: where lines are: at the marks of "x", "y", "both" or "none".
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0)
    axes.tick_params(axis="x", pad=5.5)  # so that two noughts at the corner stay apart
    axes.set_axisbelow(True)
    for name in ("x", "y"):
        if grid in (name, "both"):
            axes.grid(axis=name, color=FAINT, linewidth=0.8)


def percent_marks(axis: Axis, low: float, high: float, most: int = 5, unit: str = " %") -> None:
    """Marks in per cent along an axis of shares, at round numbers between two shares."""
    places = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    room = 1e-9 * max(high - low, 1e-9)
    inside = [float(p) for p in places if low - room <= p <= min(high, 1.0) + room]
    axis.set_ticks(inside, labels=[f"{100 * place:.3g}{unit}" for place in inside])


def percent(share: float) -> str:
    """A share in words: one decimal below 10 and above 99 per cent, else none.

    "0 %" and "100 %" are only said of none and of all.

    >>> [percent(share) for share in (0.0, 0.0001, 0.034, 0.92, 0.996, 0.9999, 1.0)]
    ['0 %', '<0.1 %', '3.4 %', '92 %', '99.6 %', '>99.9 %', '100 %']
    """
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    if share < 0.0005:
        return "<0.1 %"
    if share > 0.9995:
        return ">99.9 %"
    decimals = 1 if share < 0.0995 or share > 0.9895 else 0
    return f"{100 * share:.{decimals}f} %"


def badge_style(colour: str) -> dict[str, Any]:
    """How a number in a circle is written: for ``axes.text`` and ``page.write``."""
    return {
        "size": SMALL,
        "ha": "center",
        "va": "center_baseline",
        "zorder": 6,
        "bbox": {
            "boxstyle": "circle,pad=0.18",
            "facecolor": "white",
            "edgecolor": colour,
            "linewidth": 1.2,
        },
    }


def sample(page: Page, x: float, y: float, colour: str, dashes: Any, width: float) -> None:
    """A piece of a line at a place in inches, to stand beside its name."""
    across, down = page.figure.get_size_inches()
    line = Line2D(
        [x / across, (x + SAMPLE) / across],
        [1 - y / down] * 2,
        color=colour,
        linestyle=dashes,
        linewidth=width,
    )
    page.figure.add_artist(line)


def spread(places: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Places moved as little as it takes to stand apart, in the order that they had.

    Args:
        places: along a line.
        apart: the least distance of two.
        low: no place is below it.
        high: no place is above it, if there is room for all.

    >>> [round(place, 6) for place in spread([0.5, 0.52, 0.1], 0.2, 0.0, 1.0)]
    [0.41, 0.61, 0.1]
    >>> spread([1.0, 1.0], 0.25, 0.0, 1.0)
    [0.75, 1.0]
    """
    order = np.argsort(places, kind="stable")
    # With so much taken off each, places that stand apart are merely in order.
    steps = apart * np.arange(len(order))
    wanted = np.asarray(places, dtype=np.float64)[order] - steps
    for start in range(len(wanted)):  # pools of neighbours that would overlap take their mean
        tail = wanted[start:]
        means = np.cumsum(tail) / np.arange(1, len(tail) + 1)
        last = int(means.argmin())
        wanted[start] = max(means[last], wanted[start - 1] if start else -np.inf)
        if last:
            wanted[start : start + last + 1] = wanted[start]
    placed = np.clip(wanted, low, max(high - (steps[-1] if len(steps) else 0.0), low)) + steps
    result = np.empty(len(order))
    result[order] = placed
    return [float(place) for place in result]


def badge_places(lines: Sequence[NDArray[np.float64]]) -> list[tuple[float, float]]:
    """For each of several lines a point on it where a number may stand.

    Numbers stay apart from one another and, where that can be, from the other lines.

    Args:
        lines: (points, 2) each, in inches.

    Returns:
        One (x, y) a line, in inches.
    """
    along = [_evenly(line) for line in lines]
    places: list[tuple[float, float]] = []
    for number, points in enumerate(along):
        others = [other for index, other in enumerate(along) if index != number]
        clear = np.minimum(_distance(points, others), _CLEAR_OF_LINES) / _CLEAR_OF_LINES
        apart = _distance(points, [np.array(places)] if places else [])
        apart = np.minimum(apart, 1.2 * BADGE) / BADGE
        # Where lines run together their numbers stand in turn along them.
        wanted = (number + 1) / (len(along) + 1)
        off = np.abs(np.linspace(0, 1, len(points)) - wanted)
        best = int((4 * apart + clear - off).argmax())
        places.append((float(points[best, 0]), float(points[best, 1])))
    return places


def _evenly(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points at equal steps along a line, without its very ends."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.04, 0.96, _CANDIDATES) * length[-1]
    return np.stack([np.interp(at, length, line[:, axis]) for axis in (0, 1)], axis=1)


def _distance(
    points: NDArray[np.float64], others: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """From each point to the nearest of all others; infinite where there are none."""
    if not others:
        return np.full(len(points), np.inf)
    apart = points[:, None, :] - np.concatenate(others)[None, :, :]
    return np.hypot(apart[..., 0], apart[..., 1]).min(axis=1)
