"""Which classes a model takes for which others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.figures import Figure
from convolens.plotting.inputs import as_names, as_numbers
from convolens.plotting.page import new_page, text_height
from convolens.plotting.pictures import ink_on
from convolens.plotting.style import BLUE, INK, MUTED, SMALL, TEXT, TITLE, WIDTH, house_style
from convolens.plotting.words import LINE, drawable_names, fit, text_width

_MOST_NAMED = 25
_NOUGHTS_UP_TO = 12
_MISTAKES_LISTED = 8
_NAME_ROOM = 1.15
_EDGE = 0.1
_WIDEST_CELL = 0.9
_RIGHT = "#dcebf5"
_MISTAKES = LinearSegmentedColormap.from_list(
    "mistakes", ["#ffffff", "#fdd8b0", "#f08c3a", "#c04a00", "#6b2300"]
).with_extremes(bad=_RIGHT)


def plot_confusion_matrix(matrix: ArrayLike, class_names: Sequence[str]) -> Figure:
    """Counts of right class against predicted class, coloured so that mistakes stand out.

    A mistake's colour is its share of its row, that is of the pictures of that class, on a scale
    of square roots that ends at the largest mistake. The diagonal is not on it: however good a
    model is, what it confuses is seen. Where there is no room to write all names and counts the
    commonest mistakes are listed below.

    Args:
        matrix: (classes, classes), whole numbers; row: right class, column: predicted class.
        class_names: one a class.

    Returns:
        A figure.

    Raises:
        ConfigError: not square, not counts, or not one name a class.

    >>> figure = plot_confusion_matrix([[8, 2], [1, 9]], ["bag", "shoe"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['8', '2', '1', '9']
    """
    counts = as_numbers(matrix, "matrix")
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ConfigError(f"matrix has shape {counts.shape}; allowed: (classes, classes)")
    if not np.isfinite(counts).all() or (counts < 0).any() or (counts != np.round(counts)).any():
        raise ConfigError("matrix must hold counts, whole numbers from 0; do not normalise it")
    if not counts.any():
        raise ConfigError("matrix counts nothing; evaluate at least one picture")
    as_names(class_names, len(counts), "class_names", "classes")
    return _draw(counts.astype(np.int64), list(class_names))


@house_style()
def _draw(counts: NDArray[np.int64], class_names: list[str]) -> Figure:
    names = drawable_names(class_names)
    plan = _plan(len(counts), names)
    mistakes = shares_of_mistakes(counts)
    written = _written(counts, plan.side / len(counts))
    listed = (
        []
        if (written | (counts == 0)).all()
        else _commonest(counts, names, numbered=not plan.named)
    )

    bottom = plan.top + plan.side + plan.below
    legend = 0.7 if mistakes.any() else 0.1
    list_height = text_height("\n".join(["", *listed]), SMALL) if listed else 0.0
    page = new_page(bottom + legend + list_height + _EDGE)
    right, total = int(counts.trace()), int(counts.sum())
    page.write(
        _EDGE, _EDGE, f"{right:,} of {total:,} right ({100 * right / total:.1f} %)", size=TITLE
    )

    axes = page.axes(plan.left, plan.top, plan.side, plan.side)
    drawn = _draw_matrix(axes, counts, mistakes, written)
    if plan.named:
        _name_classes(axes, names, upright=plan.upright)
    else:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(6, integer=True))
    middle = plan.top + plan.side / 2
    number = "" if plan.named else " (number)"
    page.write(_EDGE, middle, f"right class{number}", size=TEXT, rotation="vertical", va="center")
    page.write(
        plan.left + plan.side / 2,
        bottom,
        f"predicted class{number}",
        size=TEXT,
        ha="center",
        va="bottom",
    )
    if mistakes.any():
        _draw_legend(page.axes(plan.left, bottom + 0.12, min(plan.side, 2.5), 0.12), drawn)
    for index, text in enumerate(
        ["commonest mistakes (right → predicted)", *listed] if listed else []
    ):
        y = bottom + legend + index * SMALL * LINE / 72
        page.write(_EDGE, y, text, colour=MUTED if index == 0 else INK)
    return page.figure


def shares_of_mistakes(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each mistake's share of its row; 0 on the diagonal and in rows without pictures.

    >>> shares_of_mistakes(np.array([[8, 2], [0, 0]])).tolist()
    [[0.0, 0.2], [0.0, 0.0]]
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0.0)
    return shares


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """Where the matrix goes, in inches."""

    left: float
    top: float
    side: float
    below: float
    named: bool
    upright: bool


def _plan(n: int, names: list[str]) -> _Plan:
    widest = max(text_width(name, SMALL) for name in names)
    named = n <= _MOST_NAMED
    name_room = min(widest, _NAME_ROOM) if named else 0.35
    left = _EDGE + 0.25 + name_room + 0.1
    side = min(WIDTH - left - _EDGE, n * _WIDEST_CELL)
    upright = named and widest < side / n - 0.05
    names_below = SMALL * LINE / 72 if upright or not named else name_room
    return _Plan(
        left=left,
        top=_EDGE + TITLE * LINE / 72 + 0.1,
        side=side,
        below=names_below + 0.15 + TEXT * LINE / 72,
        named=named,
        upright=upright,
    )


def _draw_matrix(
    axes: Axes, counts: NDArray[np.int64], mistakes: NDArray[np.float64], written: NDArray[np.bool_]
) -> AxesImage:
    n = len(counts)
    # A shade of its own for the diagonal: what is right must not set the scale of what is wrong.
    shown = np.ma.masked_array(mistakes, np.eye(n, dtype=bool))
    most = float(mistakes.max()) or 1.0
    norm = PowerNorm(0.5, 0, most)  # so that a rare mistake is not white beside a common one
    drawn = axes.imshow(shown, cmap=_MISTAKES, norm=norm, interpolation="nearest")
    colours = drawn.to_rgba(shown)
    for row, column in np.argwhere(written):
        text = str(counts[row, column])
        ink = BLUE if row == column else ink_on(tuple(colours[row, column]))
        ink = ink if counts[row, column] else MUTED
        axes.text(column, row, text, size=SMALL, color=ink, ha="center", va="center")
    if n <= _MOST_NAMED:
        edges = np.arange(1, n) - 0.5
        axes.hlines(edges, -0.5, n - 0.5, color="#dddddd", linewidth=0.6)
        axes.vlines(edges, -0.5, n - 0.5, color="#dddddd", linewidth=0.6)
    axes.tick_params(length=0)
    return drawn


def _written(counts: NDArray[np.int64], cell: float) -> NDArray[np.bool_]:
    """Which counts there is room to write."""
    if cell < SMALL * 1.1 / 72:
        return np.zeros(counts.shape, dtype=bool)
    digits = np.floor(np.log10(np.maximum(counts, 1))) + 1
    fits = digits * text_width("0", SMALL) <= cell - 0.02
    # Hundreds of noughts would hide what is there.
    return fits & (counts > 0) if len(counts) > _NOUGHTS_UP_TO else fits


def _name_classes(axes: Axes, names: list[str], *, upright: bool) -> None:
    short = [fit(name, _NAME_ROOM, SMALL) for name in names]
    axes.set_yticks(range(len(names)), short, color=INK)
    rotation = "horizontal" if upright else "vertical"
    axes.set_xticks(range(len(names)), short, color=INK, rotation=rotation)


def _draw_legend(axes: Axes, drawn: AxesImage) -> None:
    bar = axes.figure.colorbar(drawn, cax=axes, orientation="horizontal")
    bar.set_label("mistakes, as a share of their row", size=SMALL)
    most = drawn.get_clim()[1]
    shares = (0.0, most / 4, most)  # left, middle and right of a scale of square roots
    bar.set_ticks(shares, labels=[f"{100 * share:.2g} %" for share in shares])
    bar.ax.tick_params(length=3)


def _commonest(counts: NDArray[np.int64], names: list[str], *, numbered: bool) -> list[str]:
    mistakes = counts.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:_MISTAKES_LISTED]
    room = (WIDTH - 2 * _EDGE - 1.2) / 2
    lines: list[str] = []
    for row, column in zip(*np.unravel_index(order, counts.shape), strict=True):
        n = int(mistakes[row, column])
        if n:
            right, taken = (
                fit(f"{index} {names[index]}" if numbered else names[index], room, SMALL)
                for index in (row, column)
            )
            lines.append(f"{right} → {taken}: {n:,} ({100 * n / counts[row].sum():.0f} %)")
    return lines
