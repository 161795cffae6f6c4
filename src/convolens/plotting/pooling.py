"""A picture before and after pooling, at true relative size."""

from typing import Any

from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.figures import Figure
from convolens.plotting.inputs import as_picture
from convolens.plotting.page import new_page, text_height
from convolens.plotting.panels import frame
from convolens.plotting.pictures import not_finite_note, show_picture, unit_limits
from convolens.plotting.style import MUTED, SMALL, TEXT, WIDTH, house_style
from convolens.plotting.words import LINE, fit

_EDGE = 0.1
_GAP = 0.3
_TALLEST = 6.0
_SMALLEST = 0.02
"""Inches: a picture pooled to less is still drawn, as a dot."""
_ROOM_FOR_TITLE = 1.0


def plot_pooling(
    before: ArrayLike, after: ArrayLike, titles: tuple[str, str] = ("Input", "Output")
) -> Figure:
    """Two pictures side by side, a pixel of one as large as a pixel of the other.

    So a picture pooled by 2 is drawn at half the width and half the height.

    Args:
        before: (height, width), (height, width, 1) or (height, width, 3).
        after: likewise; it may be grey where the other is in colour, as after depth-wise pooling.
        titles: what to call them; their shapes are added.

    Returns:
        A figure. Both pictures have the same scale from black to white.

    Raises:
        ConfigError: not pictures, or not two titles.

    >>> import numpy as np
    >>> figure = plot_pooling(np.zeros((8, 8)), np.zeros((4, 4)))
    >>> widths = [axes.get_position().width for axes in figure.axes]
    >>> round(float(widths[0] / widths[1]), 9)
    2.0
    """
    if isinstance(titles, str) or len(titles) != 2:
        raise ConfigError(f"titles are {titles!r}; give two, for before and after")
    return _draw([as_picture(before, "before"), as_picture(after, "after")], titles)


@house_style()
def _draw(pictures: list[NDArray[Any]], titles: tuple[str, str]) -> Figure:
    sizes = [(picture.shape[1], picture.shape[0]) for picture in pictures]
    inches = _scale(sizes)
    widths = [max(width * inches, _SMALLEST) for width, _ in sizes]
    heights = [max(height * inches, _SMALLEST) for _, height in sizes]
    rooms = [max(width, _ROOM_FOR_TITLE) for width in widths]
    words = [fit(title, room, TEXT, lines=2) for title, room in zip(titles, rooms, strict=True)]
    title_height = max(text_height(text, TEXT) for text in words)
    note = not_finite_note(*pictures)

    top = _EDGE + title_height + SMALL * LINE / 72 + 0.06
    bottom = top + max(heights) + _EDGE
    page = new_page(bottom + text_height(note, SMALL))
    limits = unit_limits(*pictures)
    left = _EDGE
    for picture, width, height, room, text in zip(
        pictures, widths, heights, rooms, words, strict=True
    ):
        page.write(left, _EDGE + title_height, text, size=TEXT, va="bottom")
        shape = " × ".join(str(side) for side in picture.shape)
        page.write(left, top - 0.06, shape, colour=MUTED, va="bottom")
        axes = page.axes(left, top, width, height)
        show_picture(axes, picture, limits)
        frame(axes)
        left += room + _GAP
    page.write(_EDGE, bottom - 0.05, note, colour=MUTED)
    return page.figure


def _scale(sizes: list[tuple[int, int]]) -> float:
    """Inches a pixel, so that all fits and a picture narrower than its title leaves room for it."""
    room = WIDTH - 2 * _EDGE - _GAP
    (first, _), (second, _) = sizes
    scale = min(
        room / (first + second),
        (room - _ROOM_FOR_TITLE) / max(first, second),
    )
    if min(first, second) * room / (first + second) >= _ROOM_FOR_TITLE:
        scale = room / (first + second)
    return min(scale, _TALLEST / max(height for _, height in sizes))
