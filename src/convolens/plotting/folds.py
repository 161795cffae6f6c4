"""The accuracy of every fold of a cross-validation, with their mean and its interval."""

from collections.abc import Sequence
from statistics import mean

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from convolens.errors import ConfigError
from convolens.plotting.figures import Figure, new_figure
from convolens.plotting.style import BLUE, INK, MUTED, RULE, SMALL, VERMILLION, house_style

_HEIGHT = 3.2  # inches
_LEAST_SPAN = 0.01  # of the axis, so that a hair does not look like a gulf
_MOST_NAMED = 25  # folds that have a number below them, each


def plot_folds(
    accuracies: Sequence[float], interval: tuple[float, float], *, folds: int | None = None
) -> Figure:
    """A dot for each fold, and the mean of all with its interval.

    Args:
        accuracies: of each fold, 0..1, those of one repeat after another.
        interval: ends of the interval of the mean, 0..1.
        folds: how many a repeat has; by default all there are.

    Returns:
        A figure. A gap is between two repeats.

    Raises:
        ConfigError: no accuracies, one that is no share, or an interval that does not hold the
            mean.

    >>> figure = plot_folds([0.9, 0.94, 0.92], (0.88, 0.96))
    >>> figure.axes[0].get_title(loc="left")
    'mean 92.00 %, 95 % interval 88.00 to 96.00 %'
    """
    values = [float(accuracy) for accuracy in accuracies]
    if not values:
        raise ConfigError("accuracies is empty; give that of each fold")
    if not all(0 <= value <= 1 for value in values):
        raise ConfigError(f"accuracies must be from 0 to 1; got {min(values)} to {max(values)}")
    middle, (low, high) = mean(values), interval
    if not 0 <= low <= middle + 1e-12 or not middle - 1e-12 <= high <= 1:
        raise ConfigError(
            f"the interval {low} to {high} must lie in 0 to 1 and hold the mean, {middle:.4f}"
        )
    return _draw(values, middle, (low, high), folds or len(values))


@house_style()
def _draw(values: list[float], middle: float, interval: tuple[float, float], folds: int) -> Figure:
    low, high = interval
    figure = new_figure(_HEIGHT)
    axes = figure.subplots()
    # One place is left free between two repeats.
    places = [1 + number + number // folds for number in range(len(values))]
    axes.axhspan(low, high, color=BLUE, alpha=0.15, lw=0)
    axes.axhline(middle, color=BLUE, lw=1.5)
    axes.plot(places, values, "o", color=VERMILLION, markeredgecolor="white", zorder=3)
    axes.set_title(
        f"mean {100 * middle:.2f} %, 95 % interval {100 * low:.2f} to {100 * high:.2f} %"
    )
    _name_lines(axes, places[-1], middle)
    _name_folds(axes, places, folds)
    axes.set_ylabel("accuracy of the fold, %")
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=RULE, lw=0.4)
    axes.set_axisbelow(True)
    bottom, top = min(low, *values), max(high, *values)
    bottom = min(bottom, max(0.0, top - _LEAST_SPAN))
    room = 0.06 * (top - bottom)
    axes.set_ylim(bottom - room, top + room)
    return figure


def _name_lines(axes: Axes, last: int, middle: float) -> None:
    """What line and band are, beside them."""
    axes.set_xlim(0.4, last + 0.6)
    axes.annotate(
        "mean,\nin its 95 %\ninterval",
        (1, middle),
        xycoords=("axes fraction", "data"),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=BLUE,
        fontsize=SMALL,
        annotation_clip=False,
    )


def _name_folds(axes: Axes, places: list[int], folds: int) -> None:
    repeats = len(places) // folds
    axes.set_xlabel("fold" if repeats <= 1 else f"fold, in each of {repeats} repeats", color=MUTED)
    named = places if len(places) <= _MOST_NAMED else places[::folds]
    numbers = [1 + place_number % folds for place_number in range(len(places))]
    words = numbers if len(places) <= _MOST_NAMED else numbers[::folds]
    axes.set_xticks(named, [str(word) for word in words], color=INK)
