"""A figure laid out by the inch from its upper left corner, as one lays out a page.

matplotlib's layout engine is the better choice for axes with ticks. It is not for pictures of fixed
shape, which leave it with gaps, nor where text must know its room before it is broken into lines.
"""

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from convolens.plotting.figures import Figure, new_figure
from convolens.plotting.style import INK, SMALL, WIDTH
from convolens.plotting.words import LINE


@dataclass(frozen=True)
class Page:
    """Axes and text at places given in inches; made by ``new_page``."""

    figure: Figure

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """New axes without ticks, their upper left corner at (left, top)."""
        total_width, total_height = self.figure.get_size_inches()
        box = (
            left / total_width,
            1 - (top + height) / total_height,
            width / total_width,
            height / total_height,
        )
        axes = self.figure.add_axes(box)
        axes.set(xticks=[], yticks=[])
        return axes

    def write(
        self, x: float, y: float, text: str, *, size: float = SMALL, colour: str = INK, **style: Any
    ) -> None:
        """Text with its upper left corner at (x, y), unless ``ha`` and ``va`` say otherwise."""
        if not text:
            return
        width, height = self.figure.get_size_inches()
        style = {"va": "top", "ha": "left", **style}
        self.figure.text(x / width, 1 - y / height, text, size=size, color=colour, **style)


def new_page(height: float, width: float = WIDTH) -> Page:
    """An empty page of a size in inches; call it inside ``house_style()``."""
    return Page(new_figure(height, width, constrained=False))


def text_height(text: str, size: float) -> float:
    """Height in inches of some lines of text; 0 if there is none."""
    return (text.count("\n") + 1) * size * LINE / 72 if text else 0.0
