"""Filters beside their feature maps, for every combination of some settings."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from convolens.plotting.cells import DIVERGING, draw_cells, is_signed, texts_that_fit, value_scale
from convolens.plotting.figures import Figure
from convolens.plotting.image import size_within
from convolens.plotting.inputs import as_picture
from convolens.plotting.maps import map_range, show_map
from convolens.plotting.marks import mark_window
from convolens.plotting.page import Page, new_page, text_height
from convolens.plotting.panels import common_aspect, frame
from convolens.plotting.pictures import not_finite_note, show_picture
from convolens.plotting.style import INK, MUTED, SMALL, TEXT, TITLE, WIDTH, house_style
from convolens.plotting.view_layout import EDGE, GAP, ViewLayout, lay_out
from convolens.plotting.view_parts import Part, common_settings, heading, map_labels, parts_of
from convolens.plotting.words import LINE, fit, text_width

if TYPE_CHECKING:
    from convolens.explain import ImageView
    from convolens.ops import ConvTrace, PoolTrace

_INPUT = 2.6, 1.9
"""Inches that the input may have, across and down, in a row of its own."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Sheet:
    """A page on which all parts are drawn."""

    page: Page
    layout: ViewLayout
    caption_lines: int
    signed: bool
    """Whether any weight is negative."""
    top: float
    """Upper edge of the first row of parts."""

    def corner(self, place: int) -> tuple[float, float]:
        """Left and upper edge of a part."""
        row = place // self.layout.across
        return (
            self.layout.part_left(place),
            self.top + row * self.layout.part_height(self.caption_lines),
        )

    def caption(self, left: float, top: float, lines: list[tuple[str, str]]) -> None:
        """Lines of text and their colours, below the map whose corner is given."""
        middle = left + self.layout.cell_width / 2
        for index, (text, colour) in enumerate(lines):
            y = top + self.layout.cell_height + 0.04 + (0.8 + index * LINE) * SMALL / 72
            self.page.write(middle, y, text, colour=colour, ha="center", va="baseline")


@house_style()
def draw_view_grid(view: "ImageView", trace: "ConvTrace | PoolTrace | None") -> Figure:
    """The figure of ``plot_view`` where there are filters."""
    parts, labels = parts_of(view), map_labels(view)
    maps = [values for part in parts for values in part.maps]
    layout = lay_out(
        len(parts),
        len(labels),
        common_aspect([view.input.shape, *(values.shape for values in maps)]),
        pairs=len(labels) > 1 and view.pooling is not None and view.pooling.mode != "depth",
    )
    alone = len(labels) == 1
    captions = [
        [_caption(part, label, values, layout) for label, values in zip(labels, part.maps, strict=True)]
        for part in parts
    ]
    ...
