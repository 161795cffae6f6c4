"""Whether a model is as sure as it is right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.plotting.chart import percent, percent_marks, quiet
from convolens.plotting.figures import Figure
from convolens.plotting.page import new_page, text_height
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
from convolens.plotting.words import text_width

if TYPE_CHECKING:
    from convolens.evaluation import ReliabilityBin

_LEFT, _EDGE = 0.85, 0.1
_WIDTH = WIDTH - _LEFT - 0.3
_HEIGHT, _COUNTS_HEIGHT = 3.2, 0.8
_GAP = 0.32
_NOTE = (
    "on the dashed line it is as sure as right, below it too sure; dots have their\n"
    "95 % intervals, and are filled where these miss the line"
)


def plot_reliability(bins: Sequence["ReliabilityBin"]) -> Figure:
    """Accuracy against confidence, and below how many pictures there are at each confidence.

    A dot is the accuracy of the pictures of one bin, with its 95 % interval; on the diagonal a
    model is as often right as it says. A filled dot is one whose interval misses the diagonal.

    Args:
        bins: as from ``evaluation.reliability``; those without pictures are left out.

    Returns:
        A figure. Its title says the calibration error: the mean distance of the dots from the
        diagonal, each weighing as many as it holds.

    Raises:
        ConfigError: no bins, or no picture in any.

    >>> from convolens.evaluation import reliability
    >>> found = reliability(np.array([[0.8, 0.2]] * 5), np.array([0, 0, 0, 1, 1]))
    >>> plot_reliability(found).texts[0].get_text()
    'calibration error 20 %, on 5 pictures'
    """
    from convolens.evaluation import ReliabilityBin

    if not all(isinstance(each, ReliabilityBin) for each in bins):
        raise ConfigError("bins must be those that evaluation.reliability(...) returns")
    filled = [each for each in bins if each.n]
    if not filled:
        raise ConfigError("no bin has a picture; give what evaluation.reliability(...) returns")
    return _draw(list(bins), filled)


@house_style()
def _draw(bins: "list[ReliabilityBin]", filled: "list[ReliabilityBin]") -> Figure:
    counts = np.array([each.n for each in filled])
    confidence, accuracy, low, high = (
        np.array([getattr(each, name) for each in filled], dtype=np.float64)
        for name in ("confidence", "accuracy", "accuracy_low", "accuracy_high")
    )
    n = int(counts.sum())
    error = float(np.abs(accuracy - confidence) @ counts / n)
    lean = float((confidence - accuracy) @ counts / n)
    top = _EDGE + text_height("x", TITLE) + text_height("x", SMALL) + 0.2
    below = top + _HEIGHT + _GAP
    bottom = below + _COUNTS_HEIGHT + 0.55
    page = new_page(bottom + text_height(_NOTE, SMALL) + _EDGE)
    unit = "picture" if n == 1 else "pictures"
    page.write(_EDGE, _EDGE, f"calibration error {percent(error)}, on {n:,} {unit}", size=TITLE)
    page.write(_EDGE, _EDGE + text_height("x", TITLE) + 0.03, _lean(lean), colour=MUTED)

    axes = page.axes(_LEFT, top, _WIDTH, _HEIGHT)
    quiet(axes)
    axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    percent_marks(axes.xaxis, 0, 1)
    axes.set_xticklabels([])
    percent_marks(axes.yaxis, 0, 1)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--", zorder=1)
    _draw_dots(axes, confidence, accuracy, low, high)

    lower = page.axes(_LEFT, below, _WIDTH, _COUNTS_HEIGHT)
    _draw_counts(lower, bins)
    page.write(_EDGE, below + _COUNTS_HEIGHT / 2, "pictures", size=TEXT, colour=MUTED,
               rotation="vertical", va="center")  # fmt: skip
    page.write(_EDGE, bottom, _NOTE, colour=MUTED)
    return page.figure


def _lean(lean: float) -> str:
    """In which direction confidence is off, over all pictures."""
    if abs(lean) < 0.0005:
        return "over all it is as sure as it is right"
    which = "surer than it is right" if lean > 0 else "less sure than it is right"
    return f"over all it is {100 * abs(lean):.1f} points {which}"


def _draw_dots(
    axes: Axes,
    confidence: NDArray[np.float64],
    accuracy: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> None:
    off = (confidence < low) | (confidence > high)
    for which, colour, face in ((~off, BLUE, "white"), (off, VERMILLION, VERMILLION)):
        axes.vlines(
            confidence[which], low[which], high[which], color=colour, linewidth=1.6, zorder=3
        )
        axes.plot(
            confidence[which],
            accuracy[which],
            "o",
            markersize=6,
            color=colour,
            markerfacecolor=face,
            markeredgewidth=1.6,
            clip_on=False,
            zorder=4,
        )


def _draw_counts(axes: Axes, bins: "list[ReliabilityBin]") -> None:
    counts = np.array([each.n for each in bins])
    lows = np.array([each.low for each in bins])
    widths = np.array([each.high for each in bins]) - lows
    axes.bar(lows, counts, widths, align="edge", color=BLUE, edgecolor="white", linewidth=0.8)
    most = int(counts.max())
    axes.set(xlim=(0, 1), ylim=(0, 1.02 * most))
    axes.set_xlabel("confidence: probability of the likeliest class")
    percent_marks(axes.xaxis, 0, 1)
    quiet(axes, "none")
    room = float(widths.min()) * _WIDTH - 0.01
    texts = [_count(int(n), room) if n else "" for n in counts]
    if max(text_width(text, SMALL) for text in texts) > room:
        axes.set_yticks([0, most], ["0", f"{most:,}"])
        return
    axes.spines["left"].set_color(RULE)
    for low, width, n, text in zip(lows, widths, counts.tolist(), texts, strict=True):
        place = (low + width / 2, n)
        style = {"textcoords": "offset points", "size": SMALL, "color": INK, "ha": "center"}
        axes.annotate(text, place, xytext=(0, 2), va="bottom", annotation_clip=False, **style)


def _count(n: int, room: float) -> str:
    """A count, in two digits and a letter where it is too wide to be written in full."""
    if text_width(str(n), SMALL) <= room:
        return str(n)
    size, name = (1e6, "M") if n >= 999_500 else (1e3, "k")
    return f"{n / size:.0f}{name}" if n >= 9.95 * size else f"{n / size:.1f}{name}"
