"""Learning curves: loss and accuracy, epoch by epoch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.plotting.figures import Figure, new_figure
from convolens.plotting.style import BLUE, INK, RULE, SMALL, TEXT, VERMILLION, house_style
from convolens.plotting.values import compact

_KEYS = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
_MOST_POINTS = 1000
_DOTS_UP_TO = 30


@dataclass(frozen=True)
class _Curve:
    name: str
    values: NDArray[np.float64]
    colour: str
    line: str


def plot_learning_curves(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Loss above accuracy over the epochs, the best epoch marked in both.

    The best epoch is the last one that says so under "best". Where none does, it is the one of
    highest validation accuracy, the first of equals; without that the one of lowest validation
    loss; without validation none is marked.

    Args:
        history: one mapping an epoch, in order, with "epoch" and any of "train_loss", "val_loss",
            "train_accuracy" and "val_accuracy" (0..1). A value may be missing, None or NaN. "best"
            may be True in those that were the best so far.

    Returns:
        A figure; a panel with nothing to show is left out.

    Raises:
        ConfigError: no epochs, epochs that do not increase, or nothing to show.

    >>> epochs = [{"epoch": 1, "val_accuracy": 0.8}, {"epoch": 2, "val_accuracy": 0.9}]
    >>> [text.get_text() for text in plot_learning_curves(epochs).axes[0].texts]
    ['best: epoch 2, 90.0 %', 'validation']
    """
    epochs = _column(history, "epoch")
    if len(epochs) == 0:
        raise ConfigError("history is empty; give one mapping an epoch")
    if not np.isfinite(epochs).all() or (np.diff(epochs) <= 0).any():
        raise ConfigError('every entry of history needs an "epoch", each larger than the last')
    columns = {key: _column(history, key) for key in _KEYS}
    if not any(np.isfinite(values).any() for values in columns.values()):
        raise ConfigError(f"history has none of {', '.join(_KEYS)}; give at least one number")
    named = [number for number, entry in enumerate(history) if entry.get("best") is True]
    return _draw(epochs, columns, named[-1] if named else _best(columns))


@house_style()
def _draw(
    epochs: NDArray[np.float64], columns: dict[str, NDArray[np.float64]], best: int | None
) -> Figure:
    shown = [(what, curves) for what in ("loss", "accuracy") if (curves := _curves(columns, what))]
    figure = new_figure(0.5 + 2.3 * len(shown))
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (what, curves) in zip(panels, shown, strict=True):
        _draw_panel(axes, epochs, curves, what)
    if best is not None:
        for axes in panels:
            axes.axvline(epochs[best], color=RULE, linewidth=1, linestyle="--", zorder=0)
        _say_best(panels[0], epochs, best, columns)
    for axes, (_, curves) in zip(panels, shown, strict=True):
        _name_lines(axes, curves)
    panels[-1].set_xlabel("epoch")
    return figure


def _draw_panel(axes: Axes, epochs: NDArray[np.float64], curves: list[_Curve], what: str) -> None:
    for curve in curves:
        there = np.flatnonzero(np.isfinite(curve.values))
        seen = there[:: -(-len(there) // _MOST_POINTS)]
        axes.plot(
            epochs[seen],
            curve.values[seen],
            color=curve.colour,
            linestyle=curve.line,
            linewidth=2,
            marker="o" if len(there) <= _DOTS_UP_TO else None,
            markersize=4,
        )
    axes.set_ylabel(what)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(y=0.12)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if what == "accuracy":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
        # Room for the line's dots above 100 %, but no mark there: there is no such accuracy.
        low, high = axes.get_ylim()
        axes.set_yticks([t for t in axes.get_yticks() if low <= t <= min(high, 1 + 1e-9)])
        axes.set_ylim(low, high)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
        axes.set_xticks([epochs[0]])


def _name_lines(axes: Axes, curves: list[_Curve]) -> None:
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


def _say_best(
    axes: Axes,
    epochs: NDArray[np.float64],
    best: int,
    columns: dict[str, NDArray[np.float64]],
) -> None:
    accuracy, loss = columns["val_accuracy"][best], columns["val_loss"][best]
    reached = f"{100 * accuracy:.1f} %" if np.isfinite(accuracy) else f"loss {compact(loss, 3)}"
    left, right = axes.get_xlim()
    share = (epochs[best] - left) / (right - left)
    axes.annotate(
        f"best: epoch {epochs[best]:g}, {reached}",
        (epochs[best], 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        size=TEXT,
        color=INK,
        ha="left" if share < 0.3 else "right" if share > 0.7 else "center",
        va="bottom",
    )


def _curves(columns: dict[str, NDArray[np.float64]], what: str) -> list[_Curve]:
    both = [
        _Curve("training", columns[f"train_{what}"], BLUE, "--"),
        _Curve("validation", columns[f"val_{what}"], VERMILLION, "-"),
    ]
    return [curve for curve in both if np.isfinite(curve.values).any()]


def _best(columns: dict[str, NDArray[np.float64]]) -> int | None:
    for key, sign in (("val_accuracy", 1), ("val_loss", -1)):
        values = np.where(np.isfinite(columns[key]), sign * columns[key], -np.inf)
        if np.isfinite(values).any():
            return int(values.argmax())
    return None


def _column(history: Sequence[Mapping[str, Any]], key: str) -> NDArray[np.float64]:
    if isinstance(history, Mapping | str) or not all(isinstance(e, Mapping) for e in history):
        raise ConfigError("history is no list of mappings; give one mapping an epoch")
    return np.array([_number(entry.get(key), key) for entry in history], dtype=np.float64)


def _number(value: Any, key: str) -> float:
    try:
        return math.nan if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(f'"{key}" in history is {value!r}; allowed: a number or None') from None
