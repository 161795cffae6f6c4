"""A picture with its axes and its colour bar."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from convolens.plotting.figures import Figure, new_figure
from convolens.plotting.inputs import as_picture
from convolens.plotting.pictures import (
    Limits,
    not_finite_note,
    rgb_pixels,
    show_picture,
    unit_limits,
)
from convolens.plotting.style import INK, SMALL, TITLE, WIDTH, house_style
from convolens.plotting.values import compact
from convolens.plotting.words import fit

_TALLEST = 6.0
_BAR = 0.2
_ROOM_FOR_TICKS = 0.75
_ROOM_FOR_BAR = 1.05


def plot_image(image: ArrayLike, title: str | None = None, colorbar: bool = True) -> Figure:
    """A picture with its pixel coordinates and what its colours stand for.

    A grey picture has a bar from black to white. A colour picture has no single bar that would be
    true of it: it has three, one a channel, each with a line at the mean of the channel.

    Args:
        image: (height, width), (height, width, 1) or (height, width, 3), any real dtype. Integers
            are drawn on a scale of 0..255, floating point of 0..1, and what goes beyond that from
            its smallest to its largest value.
        title: above the picture; its shape and dtype if None.
        colorbar: whether to draw the bar.

    Returns:
        A figure. A very large picture is thinned out; the axes still count its own pixels.

    Raises:
        ConfigError: another shape, or no finite numbers.

    >>> figure = plot_image(np.arange(6).reshape(2, 3))
    >>> figure.axes[0].get_title(loc="left")
    '2 × 3, int64'
    """
    picture = as_picture(image)
    if title is None:
        title = f"{' × '.join(str(size) for size in picture.shape)}, {np.asarray(image).dtype}"
    return _draw(picture, title, colorbar)


@house_style()
def _draw(picture: NDArray[Any], title: str, colorbar: bool) -> Figure:
    room = WIDTH - _ROOM_FOR_TICKS - (_ROOM_FOR_BAR if colorbar else 0)
    width, height = size_within(picture, room, _TALLEST)
    figure = new_figure(height + _ROOM_FOR_TICKS + 0.25)
    axes = figure.add_subplot()
    drawn = show_picture(axes, picture)
    pixel_ticks(axes)
    axes.set_title(fit(title, room, TITLE, lines=2), size=TITLE, loc="left")
    axes.set_ylabel("row")
    notes = ["column", not_finite_note(picture)]
    if colorbar and picture.ndim == 2:
        beside = axes.inset_axes((1 + 0.15 / width, 0, _BAR / width, 1))
        figure.colorbar(drawn, cax=beside).set_label("pixel value")
        beside.tick_params(length=3)
    elif colorbar:
        beside = axes.inset_axes((1 + 0.15 / width, 0, 2.4 * _BAR / width, 1))
        means = _channel_means(picture)
        _channel_bars(beside, means, unit_limits(picture))
        notes.append(f"lines in the bars: means {', '.join(compact(mean) for mean in means)}")
    axes.set_xlabel("\n".join(note for note in notes if note))
    return figure


def size_within(picture: NDArray[Any], width: float, height: float) -> tuple[float, float]:
    """The picture's size in inches when it fills a box as far as its shape allows."""
    rows, columns = picture.shape[:2]
    scale = min(width / columns, height / rows)
    return max(columns * scale, 0.3), max(rows * scale, 0.3)


def pixel_ticks(axes: Axes) -> None:
    """Ticks at whole pixels only."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=True))
    axes.tick_params(length=3)


def _channel_bars(axes: Axes, means: list[float], limits: Limits) -> None:
    low, high = limits
    shades = np.linspace(low, high, 256)
    bars = np.full((256, 3, 3), low)
    for channel in range(3):
        bars[:, channel, channel] = shades
    axes.imshow(rgb_pixels(bars, limits), extent=(0, 3, low, high), origin="lower", aspect="auto")
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_ylabel("pixel value")
    axes.set_xticks([0.5, 1.5, 2.5], ["R", "G", "B"], color=INK, size=SMALL)
    axes.tick_params(axis="x", length=0)
    axes.tick_params(axis="y", length=3)
    for edge in (1, 2):
        axes.axvline(edge, color="white", linewidth=1)
    for channel, mean in enumerate(means):
        for colour, thickness in (("white", 3), ("black", 1)):
            axes.plot([channel, channel + 1], [mean, mean], color=colour, linewidth=thickness)


def _channel_means(picture: NDArray[Any]) -> list[float]:
    channels = (picture[:, :, channel] for channel in range(3))
    finite = (channel[np.isfinite(channel)] for channel in channels)
    return [float(values.mean(dtype=np.float64)) if values.size else np.nan for values in finite]
