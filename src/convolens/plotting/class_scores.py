"""Precision, recall and F1 of every class, the worst first."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.plotting.chart import FAINT, percent, percent_marks, quiet
from convolens.plotting.figures import Figure
from convolens.plotting.page import new_page, text_height
from convolens.plotting.style import (
    BLUE,
    MUTED,
    SMALL,
    TEXT,
    TITLE,
    WIDTH,
    house_style,
)
from convolens.plotting.words import drawable_names, fit, text_width

if TYPE_CHECKING:
    from convolens.evaluation import Evaluation, MatrixIntervals

MOST_CLASSES = 30
"""Classes drawn, the worst of all."""

_SCORES = ("f1", "recall", "precision")
_HEADS = ("F1", "recall", "precision")
_PALE = "#8cbcdb"
_EDGE, _GAP = 0.1, 0.28
_NAME_ROOM = 1.6
_ROW = 0.22
_HINTED = 1.05  # letters on the screen are up to a twentieth wider than they measure
_NOTE = (
    "in per cent, with 95 % intervals by the bootstrap; dashed: mean of the classes that\n"
    "have pictures. With few pictures of a class its interval is too short"
)


def plot_class_scores(
    evaluation: "Evaluation", intervals: "MatrixIntervals | None" = None
) -> Figure:
    """A dot for F1, recall and precision of every class, with intervals, the worst F1 first.

    Of more than 30 classes the worst 30 are drawn, and the title says so. Classes without pictures
    are left out of the order and named or counted below.

    Args:
        evaluation: as from ``evaluate``.
        intervals: those of ``evaluation.intervals()``, where they are at hand; with a thousand
            classes they take seconds.

    Returns:
        A figure. All three scores have one scale, which need not start at 0.

    Raises:
        ConfigError: intervals of another number of classes, or no class has a picture.

    >>> from convolens.evaluation import evaluate_probabilities
    >>> found = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    >>> judged = evaluate_probabilities(found, np.array([0, 0, 1, 1]), ("bag", "shoe"))
    >>> plot_class_scores(judged).texts[0].get_text()
    'F1 from 67 % (shoe) to 80 % (bag)'
    """
    entries = evaluation.per_class
    bounds = evaluation.intervals() if intervals is None else intervals
    if len(bounds.f1) != len(entries):
        raise ConfigError(
            f"there are intervals of {len(bounds.f1)} classes for {len(entries)}; "
            "give evaluation.intervals()"
        )
    there = np.array([entry.support > 0 for entry in entries])
    if not there.any():
        raise ConfigError("no class has a picture; evaluate at least one")
    values = np.array([[getattr(e, name) for name in _SCORES] for e in entries])
    ends = np.array([getattr(bounds, name) for name in _SCORES]).transpose(1, 0, 2)
    names = [entry.name for entry in entries]
    return _draw(names, there, values, ends)


@house_style()
def _draw(
    class_names: list[str],
    there: NDArray[np.bool_],
    values: NDArray[np.float64],
    ends: NDArray[np.float64],
) -> Figure:
    names = drawable_names(class_names)
    ranked = np.flatnonzero(there)[np.argsort(values[there, 0], kind="stable")]
    drawn = ranked[:MOST_CLASSES]
    room = min(max(text_width(names[label], SMALL) for label in drawn), _NAME_ROOM)
    left = _EDGE + _HINTED * room + 0.1
    width = (WIDTH - left - _EDGE - 0.15 - 2 * _GAP) / 3
    title = _title(names, ranked, values[:, 0])
    note = "\n".join([_NOTE, *_left_out(names, there)])
    top = _EDGE + text_height(title, TITLE) + 0.1 + 2 * text_height("x", TEXT)
    height = _ROW * len(drawn)
    bottom = top + height + 0.35
    page = new_page(bottom + text_height(note, SMALL) + _EDGE)
    page.write(_EDGE, _EDGE, title, size=TITLE)
    page.write(_EDGE, bottom, note, colour=MUTED)

    low = max(0.0, float(ends[drawn, :, 0].min()) - 0.02)
    high = min(1.0, float(ends[drawn, :, 1].max()) + 0.02)
    for column, head in enumerate(_HEADS):
        start = left + column * (width + _GAP)
        mean = float(values[there, column].mean())
        words = f"{head}\nmean {percent(mean)}"
        page.write(start, top - 0.05, words, size=TEXT, va="bottom", linespacing=1.15)
        axes = page.axes(start, top, width, height)
        axes.set(xlim=(low, high), ylim=(len(drawn) - 0.5, -0.5))
        quiet(axes, "x")
        percent_marks(axes.xaxis, low, high, most=3, unit="")
        _draw_dots(axes, values[drawn, column], ends[drawn, column], mean, strong=column == 0)
    for row, label in enumerate(drawn):
        middle = top + (row + 0.5) * _ROW
        name = fit(names[label], room, SMALL)
        page.write(left - 0.08, middle, name, ha="right", va="center_baseline")
    return page.figure


def _draw_dots(
    axes: Axes,
    values: NDArray[np.float64],
    ends: NDArray[np.float64],
    mean: float,
    *,
    strong: bool,
) -> None:
    rows = np.arange(len(values))
    whole = np.tile(axes.get_xlim(), (len(rows), 1))
    axes.plot(*_pieces(rows, whole), color=FAINT, linewidth=0.8, zorder=0)
    axes.axvline(mean, color=MUTED, linewidth=0.9, linestyle="--", zorder=1)
    axes.plot(*_pieces(rows, ends), color=_PALE, linewidth=2.2, solid_capstyle="butt", zorder=2)
    style = {"markersize": 5.5, "markeredgewidth": 1.3, "clip_on": False, "zorder": 3}
    face = BLUE if strong else "white"
    axes.plot(values, rows, "o", color=BLUE, markerfacecolor=face, **style)


def _pieces(
    rows: NDArray[np.int64], ends: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A piece in every row, as one line with gaps: a fifth of the file that as many lines take."""
    across = np.column_stack([ends, np.full(len(rows), np.nan)]).ravel()
    return across, np.repeat(rows, 3).astype(np.float64)


def _title(names: list[str], ranked: NDArray[np.int64], f1: NDArray[np.float64]) -> str:
    worst, best = ranked[0], ranked[-1]
    said = [f"{percent(float(f1[label]))} ({names[label]})" for label in (worst, best)]
    room = (WIDTH - 2 * _EDGE) / _HINTED
    if len(ranked) == 1:
        return fit(f"F1 {said[0]}", room, TITLE, lines=2)
    many = f", worst {MOST_CLASSES} of {len(ranked):,}" if len(ranked) > MOST_CLASSES else ""
    whole = f"F1 from {said[0]} to {said[1]}{many}"
    if text_width(whole, TITLE) <= room:
        return whole
    low, high = (percent(float(f1[label])) for label in (worst, best))
    head = f"F1 from {low} to {high}{many}"
    return f"{head}\n{fit(f'worst: {names[worst]}', room, TITLE)}"


def _left_out(names: list[str], there: NDArray[np.bool_]) -> list[str]:
    missing = [name for name, is_there in zip(names, there, strict=True) if not is_there]
    if not missing:
        return []
    if len(missing) > 1:
        return [f"{len(missing):,} classes have no picture and no dot"]
    return [fit(f"no picture, so no dot: {missing[0]}", (WIDTH - 2 * _EDGE) / _HINTED, SMALL)]
