"""A picture with its axes and its colour bar."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from convolens.plotting.figures import Figure
from convolens.plotting.inputs import as_picture
from convolens.plotting.page import new_page, text_height
from convolens.plotting.pictures import (
    Limits,
    not_finite_note,
    rgb_pixels,
    show_picture,
    unit_limits,
)
from convolens.plotting.style import INK, MUTED, SMALL, TITLE, WIDTH, house_style
from convolens.plotting.values import compact
from convolens.plotting.words import fit, text_width

_TALLEST = 6.0
_BAR = 0.2
_SHORTEST_BAR = 0.9
_EDGE = 0.1
_ROOM_FOR_LABEL = 0.35
_ROOM_FOR_BAR = {2: 1.1, 3: 1.35}
"""Inches for the bar of a grey and of a colour picture, by the rank of the array."""


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

    >>> figure = plot_image(np.arange(6, dtype=np.uint8).reshape(2, 3))
    >>> figure.texts[0].get_text()
    '2 × 3, uint8'
    """
    picture = as_picture(image)
    if title is None:
        title = f"{' × '.join(str(size) for size in picture.shape)}, {np.asarray(image).dtype}"
    return _draw(picture, title, colorbar)


@house_style()
def _draw(picture: NDArray[Any], title: str, colorbar: bool) -> Figure:
    left = _EDGE + _ROOM_FOR_LABEL + text_width(str(len(picture)), SMALL)
    right = _ROOM_FOR_BAR[picture.ndim] if colorbar else 0.25
    width, height = size_within(picture, WIDTH - left - right, _TALLEST)
    title = fit(title, WIDTH - left - _EDGE, TITLE, lines=2)
    means = _channel_means(picture) if picture.ndim == 3 and colorbar else []
    said = f"lines in the bars: means {', '.join(map(compact, means))}" if means else ""
    notes = "\n".join(note for note in (said, not_finite_note(picture)) if note)

    top = _EDGE + text_height(title, TITLE) + 0.06
    bar_height = max(height, _SHORTEST_BAR) if colorbar else height
    bottom = top + bar_height + _ROOM_FOR_LABEL + 0.2
    page = new_page(bottom + text_height(notes, SMALL) + _EDGE)
    page.write(left, _EDGE, title, size=TITLE)
    page.write(left, bottom, notes, colour=MUTED)
    axes = page.axes(left, top, width, height)
    drawn = show_picture(axes, picture)
    _pixel_ticks(axes, width, height)
    axes.set(xlabel="column", ylabel="row")
    if colorbar:
        bar_width = _BAR * (1 if picture.ndim == 2 else 2.4)
        bar = page.axes(left + width + 0.15, top, bar_width, bar_height)
        if picture.ndim == 2:
            page.figure.colorbar(drawn, cax=bar)
        else:
            _channel_bars(bar, means, unit_limits(picture))
        bar.set_ylabel("pixel value")
        bar.tick_params(axis="y", length=3)
    return page.figure


def size_within(picture: NDArray[Any], width: float, height: float) -> tuple[float, float]:
    """The picture's size in inches when it fills a box as far as its shape allows."""
    rows, columns = picture.shape[:2]
    scale = min(width / columns, height / rows)
    return max(columns * scale, 0.3), max(rows * scale, 0.3)


def _pixel_ticks(axes: Axes, width: float, height: float) -> None:
    """Ticks at whole pixels only, at most five, and as few as a sliver has room for."""
    for axis, room in ((axes.xaxis, width / 0.6), (axes.yaxis, height / 0.3)):
        if room < 2:
            axis.set_ticks([0])
        else:
            axis.set_major_locator(MaxNLocator(min(5, int(room)), integer=True))
    axes.tick_params(length=3)


def _channel_bars(axes: Axes, means: list[float], limits: Limits) -> None:
    low, high = limits
    shades = np.linspace(low, high, 256)
    bars = np.full((256, 3, 3), low)
    for channel in range(3):
        bars[:, channel, channel] = shades
    axes.imshow(rgb_pixels(bars, limits), extent=(0, 3, low, high), origin="lower", aspect="auto")
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_xticks([0.5, 1.5, 2.5], ["R", "G", "B"], color=INK, size=SMALL)
    axes.tick_params(axis="x", length=0)
    for edge in (1, 2):
        axes.axvline(edge, color="white", linewidth=1)
    for channel, mean in enumerate(means):
        for colour, thickness in (("white", 3), ("black", 1)):
            axes.plot([channel, channel + 1], [mean, mean], color=colour, linewidth=thickness)


def _channel_means(picture: NDArray[Any]) -> list[float]:
    channels = (picture[:, :, channel] for channel in range(3))
    finite = (channel[np.isfinite(channel)] for channel in channels)
    return [float(values.mean(dtype=np.float64)) if values.size else np.nan for values in finite]
