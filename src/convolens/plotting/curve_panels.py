"""One panel of the learning curves: lines named at their ends, the best epoch marked."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from convolens.plotting.style import INK, MUTED, RULE, SMALL, TEXT
from convolens.plotting.values import compact

_MOST_POINTS = 1000
_DOTS_UP_TO = 30


@dataclass(frozen=True, eq=False)
class Curve:
    """A line to be drawn."""

    name: str
    """Written at its end."""
    epochs: NDArray[np.float64]
    """(n,), where its values lie."""
    values: NDArray[np.float64]
    """(n,), of which some may be NaN."""
    colour: str = MUTED
    line: str = "-"
    """matplotlib's word for how it is dashed."""
    thin: bool = False
    """Of many points that scatter: thin, and without dots."""

    @property
    def is_there(self) -> bool:
        """Whether any value is a number."""
        return bool(np.isfinite(self.values).any())


@dataclass(frozen=True)
class Best:
    """The best epoch."""

    epoch: float
    loss: float
    """On validation; NaN where it was not measured."""
    accuracy: float
    """Likewise, 0..1."""

    def of(self, what: str) -> float:
        """Its "loss" or its "accuracy"."""
        return self.loss if what == "loss" else self.accuracy


def draw_values(
    axes: Axes,
    epochs: NDArray[np.float64],
    curves: list[Curve],
    what: str,
    best: Best | None,
    *,
    says_best: bool,
) -> None:
    """Losses or accuracies, by ``what``; ``says_best`` writes the best epoch above."""
    for curve in curves:
        _draw_line(axes, curve)
    _set_up(axes, what)
    axes.margins(y=0.12)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if what == "accuracy":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
        # Room for the line's dots above 100 %, but no mark there: there is no such accuracy.
        low, high = axes.get_ylim()
        axes.set_yticks([t for t in axes.get_yticks() if low <= t <= min(high, 1 + 1e-9)])
        axes.set_ylim(low, high)
    if len(epochs) == 1 and not any(curve.thin for curve in curves):
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
        axes.set_xticks([epochs[0]])
    if best is not None:
        _mark_best(axes, best)
        validation = curves[-1]
        if np.isfinite(best.of(what)):
            axes.plot(
                [best.epoch],
                [best.of(what)],
                marker="o",
                markersize=9,
                markerfacecolor="none",
                markeredgecolor=validation.colour,
                linestyle="none",
                clip_on=False,
            )
        if says_best:
            _say_best(axes, best)
    _name_lines(axes, curves)


def draw_rate(axes: Axes, rate: Curve, best: Best | None) -> None:
    """The learning rate, from zero up."""
    _draw_line(axes, rate)
    _set_up(axes, "learning rate")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:.3g}"))
    if best is not None:
        _mark_best(axes, best)


def _draw_line(axes: Axes, curve: Curve) -> None:
    there = np.flatnonzero(np.isfinite(curve.values))
    seen = there[:: -(-len(there) // _MOST_POINTS)]
    dots = curve.colour != MUTED and not curve.thin and len(there) <= _DOTS_UP_TO
    axes.plot(
        curve.epochs[seen],
        curve.values[seen],
        color=curve.colour,
        linestyle=curve.line,
        linewidth=1.2 if curve.thin else 2,
        marker="o" if dots else None,
        markersize=4,
    )


def _set_up(axes: Axes, what: str) -> None:
    axes.set_ylabel(what)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))


def _mark_best(axes: Axes, best: Best) -> None:
    axes.axvline(best.epoch, color=RULE, linewidth=1, linestyle="--", zorder=0)


def _say_best(axes: Axes, best: Best) -> None:
    reached = (
        f"{100 * best.accuracy:.1f} %"
        if np.isfinite(best.accuracy)
        else f"loss {compact(best.loss, 3)}"
    )
    left, right = axes.get_xlim()
    share = (best.epoch - left) / (right - left)
    axes.annotate(
        f"best: epoch {best.epoch:g}, {reached}",
        (best.epoch, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        size=TEXT,
        color=INK,
        ha="left" if share < 0.3 else "right" if share > 0.7 else "center",
        va="bottom",
    )


def _name_lines(axes: Axes, curves: list[Curve]) -> None:
    """Each line's name at its end, moved apart where they would touch."""
    ends = [float(curve.values[np.isfinite(curve.values)][-1]) for curve in curves]
    low, high = axes.get_ylim()
    heights = [(end - low) / (high - low) for end in ends]
    apart = SMALL * 1.3 / 72 / 1.7
    if len(heights) == 2 and abs(heights[0] - heights[1]) < apart:
        middle = min(max(sum(heights) / 2, apart / 2), 1 - apart / 2)
        upper = int(heights[1] >= heights[0])
        heights[upper], heights[1 - upper] = middle + apart / 2, middle - apart / 2
    for curve, height in zip(curves, heights, strict=True):
        axes.annotate(
            curve.name,
            (1, height),
            xycoords="axes fraction",
            xytext=(4, 0),
            textcoords="offset points",
            color=curve.colour,
            size=TEXT,
            va="center",
        )
