"""The lines of ROC and precision-recall curves, and what says which is whose."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from convolens.plotting.chart import SAMPLE, badge_places, badge_style, sample
from convolens.plotting.page import Page, text_height
from convolens.plotting.style import BLUE, INK, MUTED, SMALL, VERMILLION, WIDTH
from convolens.plotting.thinning import thinned
from convolens.plotting.words import LINE, fit

MOST_NAMED = 5
"""Classes whose lines are numbered and named."""

SIDE = 3.2
"""Width and height in inches of what the lines are in."""

HINTED = 1.05
"""Letters on the screen are up to a twentieth wider than they measure."""

_LOOKS: tuple[tuple[str, Any], ...] = (
    (VERMILLION, "-"),
    (BLUE, (0, (6, 1.5))),
    (INK, (0, (1.5, 1))),
    ("#009e73", (0, (6, 1.5, 1.5, 1.5))),
    # By P. Tol: to some eyes Okabe and Ito's purple is the grey of the others.
    ("#882255", (0, (3, 1))),
)
_OTHER = "#a6a6a6"
_THIN = {True: (0.003, 100), False: (0.006, 30)}
"""How far in inches a line may move, and how many points it has at most; whether it is named."""
_LEFT, _EDGE = 0.85, 0.1


def draw_lines(axes: Axes, lines: dict[int, NDArray[np.float64]]) -> None:
    """The named lines, numbered, above the others.

    Args:
        axes: ``SIDE`` inches wide and high, with their limits set.
        lines: (points, 2) of each class by its index, those to be named first.
    """
    low, high = axes.get_xlim()
    inches = np.array([SIDE / (high - low), SIDE])
    seen: list[NDArray[np.float64]] = []
    for number, line in enumerate(lines.values()):
        named = number < MOST_NAMED
        cut = _cut(line, low, high) * inches
        drawn = thinned(cut, *_THIN[named])
        if named:
            seen.append(drawn - [low * inches[0], 0])
        colour, dashes = _LOOKS[number] if named else (_OTHER, "-")
        axes.plot(
            *(drawn / inches).T,
            color=colour,
            linestyle=dashes,
            linewidth=1.8 if named else 0.7,
            zorder=3 if named else 2,
        )
    if len(seen) > 1:
        for number, (x, y) in enumerate(badge_places(seen)):
            place = low + x / inches[0], y / inches[1]
            axes.text(*place, str(number + 1), **badge_style(_LOOKS[number][0]))


def write_key(
    page: Page,
    top: float,
    areas: NDArray[np.float64],
    names: list[str],
    drawn: list[int],
    *,
    guessing: bool,
) -> None:
    """Right of the curves what each number is, with a piece of its line, worst first.

    Args:
        page: that of the figure.
        top: of the curves, in inches.
        areas: (classes,), NaN for those without a curve.
        names: one a class.
        drawn: the classes with a line, those to be named first.
        guessing: whether there is a dashed line for that.
    """
    left = _LEFT + SIDE + 0.25
    start = left + SAMPLE + 0.12
    room = (WIDTH - start - _EDGE) / HINTED
    n = int((~np.isnan(areas)).sum())
    named, others = drawn[:MOST_NAMED], drawn[MOST_NAMED:]
    line = SMALL * LINE / 72
    y = top
    if others:
        page.write(left, y, f"worst {len(named)} of {n:,} classes", colour=MUTED)
        y += line + 0.1
    for number, label in enumerate(named):
        words = fit(names[label], room, SMALL, lines=2)
        words = f"{words}\n{three_decimals(float(areas[label]))}"
        colour, dashes = _LOOKS[number]
        height = text_height(words, SMALL)
        sample(page, left, y + 0.1, colour, dashes, 1.8)
        if len(named) > 1:
            page.write(left + SAMPLE / 2, y + 0.1, str(number + 1), **badge_style(colour))
        page.write(start, y, words)
        y += height + 0.1
    if others:
        few = f"{len(others)} of " if len(others) < n - len(named) else ""
        words = f"{few}{n - len(named):,} others\n{_span(areas[others])}"
        sample(page, left, y + 0.1, _OTHER, "-", 0.7)
        page.write(start, y, words, colour=MUTED)
        y += text_height(words, SMALL) + 0.1
    if guessing:
        sample(page, left, y + 0.1, MUTED, "--", 1.0)
        page.write(start, y, "guessing, 0.500", colour=MUTED)


def three_decimals(area: float) -> str:
    """An area; 1 and 0 only where it is just that.

    >>> three_decimals(0.98765), three_decimals(0.99999), three_decimals(1.0)
    ('0.988', '>0.999', '1.000')
    """
    if 0.9995 <= area < 1:
        return ">0.999"
    return "<0.001" if 0 < area < 0.0005 else f"{area:.3f}"


def _cut(line: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """What of a line lies between two places across, with its ends there."""
    inside = (line[:, 0] >= low) & (line[:, 0] <= high)
    ends = [[[x, np.interp(x, *line.T)]] for x in (low, high)]
    parts = [ends[0] if low > 0 else [], line[inside], ends[1] if high < 1 else []]
    return np.concatenate([part for part in parts if len(part)])


def _span(areas: NDArray[np.float64]) -> str:
    low, high = (three_decimals(float(end)) for end in (areas[0], areas[-1]))
    if low == high:
        return low
    return f"{low} and more" if high.startswith(">") else f"{low} to {high}"
