"""One class against the rest at every threshold: ROC and precision-recall curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.chart import percent_marks, quiet
from convolens.plotting.class_areas import areas_under_roc, average_precisions
from convolens.plotting.figures import Figure
from convolens.plotting.inputs import as_labels, as_names, as_numbers
from convolens.plotting.page import new_page, text_height
from convolens.plotting.style import MUTED, SMALL, TITLE, WIDTH, house_style
from convolens.plotting.threshold_lines import (
    HINTED,
    MOST_NAMED,
    SIDE,
    draw_lines,
    three_decimals,
    write_key,
)
from convolens.plotting.words import drawable_names, fit

_MOST_OTHERS = 10
_LEFT, _EDGE = 0.85, 0.1
_ZOOMS = (0.05, 0.1, 0.2, 0.5)
_HIGH = 0.95


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """What the one figure has and the other has not."""

    title: str
    across: str
    up: str
    from_right: bool
    """Whether good curves run to the upper right corner, not to the upper left one."""


_ROC = _Kind(
    title="mean area under the curve",
    across="false-positive rate",
    up="true-positive rate (recall)",
    from_right=False,
)
_PRECISION = _Kind(title="mean average precision", across="recall", up="precision", from_right=True)


def plot_roc_curves(
    probabilities: ArrayLike, labels: ArrayLike, class_names: Sequence[str]
) -> Figure:
    """The ROC curve of every class against the rest, those of the smallest areas named.

    With more than five classes the worst five are numbered and named, and of the others at most
    ten are drawn, thin and grey; the figure says so. Where all curves drawn are high the
    horizontal axis ends early, and the figure says that, too.

    Args:
        probabilities: (n, classes).
        labels: (n,), the index of each picture's class.
        class_names: one a class.

    Returns:
        A figure. Its title has the mean of the areas of the classes that have pictures.

    Raises:
        ConfigError: shapes that do not fit, or pictures of fewer than two classes.

    >>> figure = plot_roc_curves([[0.9, 0.1], [0.3, 0.7]], [0, 1], ["bag", "shoe"])
    >>> figure.texts[0].get_text()
    'mean area under the curve 1.000, of 2 classes'
    """
    from convolens.evaluation import roc_curve

    scores, right = _checked(probabilities, labels)
    areas = areas_under_roc(scores, right)
    if np.isnan(areas).all():
        raise ConfigError("a ROC curve needs pictures of two classes or more; all are of one")
    names = as_names(class_names, len(areas), "class_names", "classes of probabilities") or []

    def line(label: int) -> NDArray[np.float64]:
        curve = roc_curve(scores[:, label], right == label)
        return np.stack([curve.false_positive_rate, curve.true_positive_rate], axis=1)

    chosen = _choose(areas)
    return _draw(_ROC, areas, names, {label: line(label) for label in chosen})


def plot_precision_recall_curves(
    probabilities: ArrayLike, labels: ArrayLike, class_names: Sequence[str]
) -> Figure:
    """Precision against recall of every class against the rest, the worst of them named.

    Args:
        probabilities: as for :func:`plot_roc_curves`.
        labels: likewise.
        class_names: likewise.

    Returns:
        A figure, as there; its title has the mean of the average precisions.

    Raises:
        ConfigError: shapes that do not fit.

    >>> figure = plot_precision_recall_curves([[0.9, 0.1], [0.3, 0.7]], [0, 1], ["bag", "shoe"])
    >>> figure.texts[0].get_text()
    'mean average precision 1.000, of 2 classes'
    """
    from convolens.evaluation import precision_recall_curve

    scores, right = _checked(probabilities, labels)
    areas = average_precisions(scores, right)
    names = as_names(class_names, len(areas), "class_names", "classes of probabilities") or []

    def line(label: int) -> NDArray[np.float64]:
        curve = precision_recall_curve(scores[:, label], right == label)
        first = [[0.0, curve.precision[0]]]  # the strictest threshold's precision, to the left
        return np.concatenate([first, np.stack([curve.recall, curve.precision], axis=1)])

    chosen = _choose(areas)
    return _draw(_PRECISION, areas, names, {label: line(label) for label in chosen})


def _checked(probabilities: ArrayLike, labels: ArrayLike) -> tuple[NDArray[Any], NDArray[np.int64]]:
    scores = as_numbers(probabilities, "probabilities")
    if scores.ndim != 2 or not np.isfinite(scores).all():
        raise ConfigError(f"probabilities must be finite, (n, classes); got {scores.shape}")
    return scores, as_labels(labels, len(scores), scores.shape[1])


def _choose(areas: NDArray[np.float64]) -> list[int]:
    """The worst classes, then some of the others from the next worst to the best."""
    order = np.argsort(areas, kind="stable")[: int((~np.isnan(areas)).sum())]  # NaN is last
    others = order[MOST_NAMED:]
    if len(others) > _MOST_OTHERS:
        others = others[np.linspace(0, len(others) - 1, _MOST_OTHERS).round().astype(int)]
    return [*order[:MOST_NAMED].tolist(), *others.tolist()]


@house_style()
def _draw(
    kind: _Kind,
    areas: NDArray[np.float64],
    class_names: Sequence[str],
    lines: dict[int, NDArray[np.float64]],
) -> Figure:
    names = drawable_names(class_names)
    there = ~np.isnan(areas)
    n = int(there.sum())
    low, high = _window(kind, list(lines.values()))
    notes = "\n".join([*_zoom_note(kind, low, high), *_missing_note(names, there)])
    top = _EDGE + text_height("x", TITLE) + 0.15
    bottom = top + SIDE + 0.55
    page = new_page(bottom + text_height(notes, SMALL) + (_EDGE if notes else 0))
    mean = three_decimals(float(areas[there].mean()))
    classes = "1 class" if n == 1 else f"{n:,} classes"
    page.write(_EDGE, _EDGE, f"{kind.title} {mean}, of {classes}", size=TITLE)
    page.write(_EDGE, bottom, notes, colour=MUTED)

    axes = page.axes(_LEFT, top, SIDE, SIDE)
    axes.set(xlim=(low, high), ylim=(0, 1), xlabel=kind.across, ylabel=kind.up)
    percent_marks(axes.xaxis, low, high)
    percent_marks(axes.yaxis, 0, 1)
    quiet(axes)
    if not kind.from_right:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--", zorder=1)
    draw_lines(axes, lines)
    write_key(page, top, areas, names, list(lines), guessing=not kind.from_right)
    return page.figure


def _window(kind: _Kind, lines: list[NDArray[np.float64]]) -> tuple[float, float]:
    """The part of the horizontal axis on which the curves drawn are not all high."""
    for width in _ZOOMS:
        if kind.from_right and all(_lowest_before(line, 1 - width) >= _HIGH for line in lines):
            return 1 - width, 1.0
        if not kind.from_right and all(np.interp(width, *line.T) >= _HIGH for line in lines):
            return 0.0, width
    return 0.0, 1.0


def _lowest_before(line: NDArray[np.float64], end: float) -> float:
    return float(line[line[:, 0] <= end, 1].min())


def _zoom_note(kind: _Kind, low: float, high: float) -> list[str]:
    if high - low == 1:
        return []
    side = "left" if kind.from_right else "right"
    return [f"zoomed in: further {side} every line here is above {100 * _HIGH:.0f} %"]


def _missing_note(names: list[str], there: NDArray[np.bool_]) -> list[str]:
    missing = [name for name, is_there in zip(names, there, strict=True) if not is_there]
    if not missing:
        return []
    if len(missing) == 1:
        return [fit(f"no picture, so no curve: {missing[0]}", (WIDTH - 2 * _EDGE) / HINTED, SMALL)]
    return [f"{len(missing):,} classes have no picture, so no curve"]
