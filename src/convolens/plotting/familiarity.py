"""How familiar pictures are to a model, and below which score it calls them unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.chart import SAMPLE, percent, percent_marks, quiet
from convolens.plotting.figures import Figure
from convolens.plotting.page import Page, new_page, text_height
from convolens.plotting.style import (
    BLUE,
    INK,
    SMALL,
    TITLE,
    VERMILLION,
    WIDTH,
    house_style,
)
from convolens.plotting.values import compact
from convolens.plotting.words import fit, text_width

MOST_OTHERS = 3
"""Further sets of pictures in one figure."""

_BINS = 40
_TAIL = 0.005  # share of a set at either end that may lie outside the bins
_LEFT, _EDGE = 0.85, 0.1
_WIDTH, _HEIGHT = WIDTH - _LEFT - 0.3, 2.8
_ROW = 0.24
_HINTED = 1.05  # letters on the screen are up to a twentieth wider than they measure
_PALE = "#a9cfe6"
_OTHERS: tuple[tuple[str, Any, str], ...] = (
    (VERMILLION, "-", "////"),
    (INK, (0, (5, 1.5)), "\\\\\\\\"),
    ("#009e73", (0, (1.5, 1)), ""),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Set:
    """One set of pictures."""

    name: str
    scores: NDArray[np.float64]

    def unknown(self, threshold: float) -> float:
        """The share that is called unknown."""
        return float((self.scores < threshold).mean())

    def goes_beyond(self, edges: NDArray[np.float64]) -> bool:
        """Whether a score lies outside the bins."""
        return bool(self.scores.min() < edges[0] or self.scores.max() > edges[-1])


def plot_familiarity(
    scores: ArrayLike,
    threshold: float,
    others: Mapping[str, ArrayLike] | None = None,
    *,
    name: str = "these pictures",
) -> Figure:
    """Histograms of a score of familiarity, with the threshold below which an input is unknown.

    Args:
        scores: (n,) of the pictures that were judged, as ``evaluation.energy`` or ``max_logit``
            gives them: higher for what is more familiar.
        threshold: such as that of ``evaluation.fit_unknown``; flagged is what is strictly below.
        others: scores of further sets by name, at most 3: pictures of another kind, or noise.
        name: of the first set.

    Returns:
        A figure. A bar's height is the share of its set; the key says how much of each set is
        called unknown. The bins at the two ends hold what lies beyond them.

    Raises:
        ConfigError: no scores, some that are not finite, or too many sets.

    >>> figure = plot_familiarity([4.0, 5.0, 6.0, 7.0], 4.5, {"noise": [1.0, 2.0]})
    >>> [text.get_text() for text in figure.texts]  # doctest: +NORMALIZE_WHITESPACE
    ['25 % called unknown', 'these pictures: 4, of which 25 % are called unknown',
     'noise: 2, of which 100 % are called unknown']
    """
    further = dict(others or {})
    if len(further) > MOST_OTHERS:
        raise ConfigError(f"there are {len(further)} other sets; allowed: at most {MOST_OTHERS}")
    if not np.isfinite(threshold):
        raise ConfigError(f"threshold is {threshold}; give a finite number")
    first = _Set(name=name, scores=_as_scores(scores, "scores"))
    rest = [
        _Set(name=each, scores=_as_scores(further[each], f"others[{each!r}]")) for each in further
    ]
    return _draw([first, *rest], float(threshold))


def _as_scores(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = np.asarray(values)
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "buif":
        raise ConfigError(
            f"{name} must be numbers of shape (n,), n at least 1; got {array.dtype} of shape "
            f"{array.shape}"
        )
    if not np.isfinite(array).all():
        raise ConfigError(f"{name} must be finite; some are NaN or infinite")
    return array.astype(np.float64)


@house_style()
def _draw(sets: list[_Set], threshold: float) -> Figure:
    top = _EDGE + text_height("x", TITLE) + text_height("x", SMALL) + 0.15
    bottom = top + _HEIGHT + 0.55
    page = new_page(bottom + _ROW * len(sets) + _EDGE)
    title = f"{percent(sets[0].unknown(threshold))} called unknown"
    page.write(_EDGE, _EDGE, title, size=TITLE)

    axes = page.axes(_LEFT, top, _WIDTH, _HEIGHT)
    quiet(axes)
    edges = _edges(sets, threshold)
    highest = 0.0
    for number, each in enumerate(sets):
        shares = _shares(each.scores, edges)
        highest = max(highest, float(shares.max()))
        if number == 0:
            axes.stairs(shares, edges, fill=True, color=_PALE, zorder=2)
            axes.stairs(shares, edges, color=BLUE, linewidth=1.4, zorder=3)
        else:
            _draw_other(axes, shares, edges, _OTHERS[number - 1])
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.05 * highest))
    beyond = any(each.goes_beyond(edges) for each in sets)
    note = " (the bins at the ends hold what lies beyond)" if beyond else ""
    axes.set_xlabel(f"familiarity score{note}")
    axes.set_ylabel("share of the pictures")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    percent_marks(axes.yaxis, 0, 1.05 * highest)
    _draw_threshold(axes, threshold)
    for row, each in enumerate(sets):
        _write_key(page, bottom + row * _ROW, row, each, threshold)
    return page.figure


def _edges(sets: list[_Set], threshold: float) -> NDArray[np.float64]:
    """Bins of equal width, one edge of which is the threshold: no bar is half unknown."""
    ends = [np.quantile(each.scores, [_TAIL, 1 - _TAIL], method="nearest") for each in sets]
    low = min(threshold, *(float(end[0]) for end in ends))
    high = max(threshold, *(float(end[1]) for end in ends))
    width = (high - low) / (_BINS - 2) or max(1.0, 1e-6 * abs(low))
    below = int(np.ceil((threshold - low) / width)) + 1
    above = int(np.floor((high - threshold) / width)) + 1
    return threshold + width * np.arange(-below, above + 1, dtype=np.float64)


def _shares(scores: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    # On an edge a score is above it, as the threshold has it.
    bins = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, len(edges) - 2)
    return np.bincount(bins, minlength=len(edges) - 1) / len(scores)


def _draw_other(
    axes: Axes,
    shares: NDArray[np.float64],
    edges: NDArray[np.float64],
    look: tuple[str, Any, str],
) -> None:
    colour, dashes, hatch = look
    if hatch:
        axes.stairs(shares, edges, fill=False, hatch=hatch, edgecolor=colour, linewidth=0, zorder=3)
    axes.stairs(shares, edges, color=colour, linestyle=dashes, linewidth=1.8, zorder=4)


def _draw_threshold(axes: Axes, threshold: float) -> None:
    axes.axvline(threshold, color=INK, linewidth=1.4, zorder=5)
    low, high = axes.get_xlim()
    right = (threshold - low) / (high - low) < 0.5
    axes.annotate(
        f"unknown below {compact(threshold, 3)}",
        (threshold, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if right else 4, 4),
        textcoords="offset points",
        size=SMALL,
        ha="left" if right else "right",
        va="bottom",
    )


def _write_key(page: Page, top: float, row: int, each: _Set, threshold: float) -> None:
    middle, start = top + _ROW / 2, _EDGE + SAMPLE + 0.12
    colour, dashes, hatch = (BLUE, "-", "") if row == 0 else _OTHERS[row - 1]
    width, height = page.figure.get_size_inches()
    box = Rectangle(
        (_EDGE / width, 1 - (middle + 0.065) / height),
        SAMPLE / width,
        0.13 / height,
        facecolor=_PALE if row == 0 else "white",
        edgecolor=colour,
        hatch=hatch,
        linestyle=dashes,
        linewidth=1.4,
        transform=page.figure.transFigure,
    )
    page.figure.add_artist(box)
    said = f": {len(each.scores):,}, of which {percent(each.unknown(threshold))} are called unknown"
    room = (WIDTH - start - _EDGE) / _HINTED - text_width(said, SMALL)
    page.write(start, middle, fit(each.name, room, SMALL) + said, va="center_baseline")
