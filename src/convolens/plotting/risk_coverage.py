"""How seldom a model is wrong when it may say "unsure"."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.plotting.chart import BADGE, badge_style, percent, percent_marks, quiet, spread
from convolens.plotting.figures import Figure
from convolens.plotting.page import Page, new_page, text_height
from convolens.plotting.style import (
    BLUE,
    INK,
    MUTED,
    SMALL,
    TITLE,
    VERMILLION,
    WIDTH,
    house_style,
)
from convolens.plotting.thinning import thinned
from convolens.plotting.words import fit, text_width

if TYPE_CHECKING:
    from convolens.evaluation import RiskCoverage

MOST_MARKS = 9

_LEFT, _EDGE = 0.85, 0.1
_WIDTH, _HEIGHT = WIDTH - _LEFT - 0.3, 3.0
_ROW = 0.24
_SEEN = 0.004  # inches that a line may move when it is thinned: a third of a point
_SURE_FROM = 0.05  # of so few pictures the risk says little, and must not set the scale


def plot_risk_coverage(curve: "RiskCoverage", marks: Mapping[str, float] | None = None) -> Figure:
    """How many answers are wrong against how many pictures are answered, the surest first.

    Args:
        curve: as from ``evaluation.risk_coverage``.
        marks: thresholds to be shown, by name: probabilities of the likeliest class below which
            the model says "unsure". At most 9.

    Returns:
        A figure. Each mark is a number on the curve, and a line below says what is answered there
        and how much of it is wrong, of the pictures that the curve is of. The scale of the risk
        starts at 0 and holds the curve from a coverage of 5 % on.

    Raises:
        ConfigError: too many marks, or a threshold that is no number.

    >>> from convolens.evaluation import risk_coverage
    >>> curve = risk_coverage(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
    >>> figure = plot_risk_coverage(curve, {"none wrong": 0.8})
    >>> figure.texts[0].get_text(), figure.texts[-1].get_text()
    ('50 % wrong where all are answered', 'none wrong: unsure below 0.80: 50 % answered, 0 % wrong')
    """
    named = dict(marks or {})
    if len(named) > MOST_MARKS:
        raise ConfigError(f"there are {len(named)} marks; allowed: at most {MOST_MARKS}")
    for name, threshold in named.items():
        if not np.isfinite(threshold):
            raise ConfigError(f"the threshold of mark {name!r} is {threshold}; give a number")
    return _draw(curve, named)


@house_style()
def _draw(curve: "RiskCoverage", marks: dict[str, float]) -> Figure:
    places = {name: _place(curve, threshold) for name, threshold in marks.items()}
    shown = [name for name, place in places.items() if place is not None]
    badges = BADGE + 0.1 if shown else 0.0
    title = f"{percent(float(curve.risk[-1]))} wrong where all are answered"
    half = int(np.searchsorted(curve.coverage, 0.5 - 1e-9))
    below_title = (
        f"of the surest {percent(float(curve.coverage[half]))}: "
        f"{percent(float(curve.risk[half]))} wrong; mean over all coverages {percent(curve.area)}"
    )
    top = _EDGE + text_height("x", TITLE) + text_height("x", SMALL) + 0.2 + badges
    bottom = top + _HEIGHT + 0.55
    page = new_page(bottom + (_ROW * len(marks) + 0.05 if marks else 0) + _EDGE)
    page.write(_EDGE, _EDGE, title, size=TITLE)
    page.write(_EDGE, _EDGE + text_height("x", TITLE) + 0.03, below_title, colour=MUTED)

    axes = page.axes(_LEFT, top, _WIDTH, _HEIGHT)
    highest = _highest(curve, [places[name] for name in shown])
    axes.set(xlim=(0, 1), ylim=(0, highest))
    axes.set_xlabel("share of pictures that are answered (coverage)")
    axes.set_ylabel("share of wrong answers (risk)")
    percent_marks(axes.xaxis, 0, 1)
    percent_marks(axes.yaxis, 0, highest)
    quiet(axes)
    line = np.stack([curve.coverage, curve.risk], axis=1)
    _draw_curve(axes, line, highest)
    _draw_marks(axes, [(number, places[name]) for number, name in enumerate(marks, 1)], highest)
    for number, (name, threshold) in enumerate(marks.items(), 1):
        _write_mark(
            page, bottom + (number - 1) * _ROW, number, _words(name, threshold, places[name])
        )
    return page.figure


def _place(curve: "RiskCoverage", threshold: float) -> tuple[float, float] | None:
    """Coverage and risk where a threshold ends the curve; None where nothing reaches it."""
    answered = int((curve.thresholds >= threshold).sum())
    if not answered:
        return None
    return float(curve.coverage[answered - 1]), float(curve.risk[answered - 1])


def _highest(curve: "RiskCoverage", places: list[tuple[float, float] | None]) -> float:
    """The upper end of the scale of the risk."""
    told = curve.risk[curve.coverage >= _SURE_FROM]
    most = max([float(told.max()), *(place[1] for place in places if place)])
    return min(1.08 * most, 1.0) if most else 0.01


def _draw_curve(axes: Axes, line: NDArray[np.float64], highest: float) -> None:
    inches = np.array([_WIDTH, _HEIGHT / highest])
    seen = np.minimum(line, [1.0, 2 * highest])
    line = thinned(seen * inches, _SEEN) / inches
    axes.plot(*line.T, color=BLUE, linewidth=2)


def _draw_marks(
    axes: Axes, places: list[tuple[int, tuple[float, float] | None]], highest: float
) -> None:
    there = [(number, place) for number, place in places if place]
    across = spread([x * _WIDTH for _, (x, _) in there], 1.15 * BADGE, 0, _WIDTH)
    height = highest * (1 + (BADGE / 2 + 0.06) / _HEIGHT)
    for (number, (x, y)), at in zip(there, across, strict=True):
        top = at / _WIDTH, height
        axes.plot([top[0], x], [top[1], y], color=VERMILLION, linewidth=1, clip_on=False)
        axes.plot([x], [y], "o", color=VERMILLION, markersize=6, clip_on=False, zorder=4)
        axes.text(*top, str(number), **badge_style(VERMILLION))


def _words(name: str, threshold: float, place: tuple[float, float] | None) -> str:
    if place is None:
        return f"{name}: unsure below {threshold:.2f}: nothing is answered"
    answered, wrong = (percent(share) for share in place)
    return f"{name}: unsure below {threshold:.2f}: {answered} answered, {wrong} wrong"


def _write_mark(page: Page, top: float, number: int, words: str) -> None:
    middle = top + _ROW / 2
    page.write(_EDGE + BADGE / 2, middle, str(number), **badge_style(VERMILLION))
    left = _EDGE + BADGE + 0.1
    name, said = words.rsplit(": unsure", 1)
    said = f": unsure{said}"
    # Hinting makes letters on the screen up to a twentieth wider than they measure.
    room = (WIDTH - left - _EDGE) / 1.05 - text_width(said, SMALL)
    page.write(left, middle, fit(name, room, SMALL) + said, colour=INK, va="center_baseline")
