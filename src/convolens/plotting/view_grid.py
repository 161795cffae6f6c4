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
from convolens.plotting.maps import show_map
from convolens.plotting.marks import mark_window
from convolens.plotting.page import Page, new_page, text_height
from convolens.plotting.panels import common_aspect, frame
from convolens.plotting.pictures import show_picture
from convolens.plotting.style import INK, MUTED, SMALL, TEXT, TITLE, WIDTH, house_style
from convolens.plotting.view_layout import EDGE, GAP, ViewLayout, lay_out
from convolens.plotting.view_parts import (
    common_settings,
    common_size,
    heading,
    map_labels,
    parts_of,
    size_text,
)
from convolens.plotting.view_words import Lines, captions_of, label_lines, legend, most_lines
from convolens.plotting.words import LINE, fit, text_width

if TYPE_CHECKING:
    from convolens.explain import ImageView
    from convolens.ops import ConvTrace, PoolTrace

_INPUT = 2.6, 1.9
"""Inches that the input may have, across and down, in a row of its own."""
_ROOM = WIDTH - 2 * EDGE - 0.2
"""Inches for a line of text; on a screen, letters are rounded to whole pixels and take more."""
_INPUT_CAPTION = 0.04 + SMALL * LINE / 72


@dataclass(frozen=True, eq=False, kw_only=True)
class _Sheet:
    """A page, and where the parts go on it."""

    page: Page
    layout: ViewLayout
    captions: list[list[Lines]]
    """Below each map of each part."""
    top: float
    """Upper edge of the first row of parts."""

    @property
    def middle(self) -> float:
        """Half the height of all maps of a part."""
        between = (self.layout.lines - 1) * self.layout.line_height(most_lines(self.captions))
        return (self.layout.cell_height + between) / 2

    def corner(self, place: int) -> tuple[float, float]:
        """Left and upper edge of a part."""
        row = place // self.layout.across
        height = self.layout.part_height(most_lines(self.captions))
        return self.layout.part_left(place), self.top + row * height

    def map_corner(self, place: int, index: int) -> tuple[float, float]:
        """Left and upper edge of a map of a part."""
        left, top = self.corner(place)
        across, down = self.layout.map_place(index, most_lines(self.captions))
        return left + across, top + down

    def map_axes(self, place: int, index: int, lines: Lines) -> Axes:
        """Axes for a map of a part, with its caption written below."""
        left, top = self.map_corner(place, index)
        for number, (text, colour) in enumerate(lines):
            y = top + self.layout.cell_height + 0.04 + (0.8 + number * LINE) * SMALL / 72
            x = left + self.layout.cell_width / 2
            self.page.write(x, y, text, colour=colour, ha="center", va="baseline")
        axes = self.page.axes(left, top, self.layout.cell_width, self.layout.cell_height)
        axes.set_anchor("S")
        return axes


@house_style()
def draw_view_grid(view: "ImageView", trace: "ConvTrace | PoolTrace | None") -> Figure:
    """The figure of ``plot_view`` where there are filters."""
    parts, labels = parts_of(view), map_labels(view)
    maps = [values for part in parts for values in part.maps]
    layout = lay_out(
        len(parts),
        len(labels),
        common_aspect([view.input.shape, *(values.shape for values in maps)]),
        pairs=view.pooling is not None and view.pooling.mode != "depth",
        cropped=view.cropped,
    )
    alone = len(labels) == 1
    sized = not common_size(view)
    captions = [captions_of(part, labels, layout, sized=sized) for part in parts]
    signed = any(part.weights is not None and is_signed(part.weights) for part in parts)
    sheet, seen = _new_sheet(view, layout, captions, labels, legend(parts, maps, signed))
    axes: list[Axes] = [seen]
    for place, part in enumerate(parts, start=int(alone)):
        left, top = sheet.corner(place)
        if layout.name_width:
            _write_name(sheet, part.name, left, top)
        if part.weights is not None:
            _draw_filter(sheet, part.weights, left + layout.name_width, top, signed=signed)
        for index, values in enumerate(part.maps):
            lines = captions[place - int(alone)][index]
            axes.append(sheet.map_axes(place, index, lines))
            show_map(axes[-1], values, "gray")
    if trace is not None:
        before, after = axes[-2:]
        mark_window(before, trace.rows, trace.columns)
        mark_window(after, [trace.row], [trace.column])
    return sheet.page.figure


def _new_sheet(
    view: "ImageView",
    layout: ViewLayout,
    captions: list[list[Lines]],
    labels: list[str],
    note: str,
) -> tuple[_Sheet, Axes]:
    """The page with title, input, heads of columns and note; and the axes of the input."""
    title = fit(heading(view), _ROOM, TITLE, lines=2)
    said = f"input {size_text(view.input.shape)}, scaled to 0…1", common_settings(view)
    below = fit("; ".join(words for words in said if words), _ROOM, SMALL, lines=2)
    note = fit(note, _ROOM, SMALL, lines=4)
    alone = len(labels) == 1
    heads = [] if alone or layout.lines > 1 else labels
    heads = ["\n".join(label_lines(label, layout.cell_width)) for label in heads]

    top = EDGE + text_height(title, TITLE) + 0.03 + text_height(below, SMALL) + GAP
    body = top if alone else top + _input_height(view) + 2 * GAP
    body += max((text_height(head, SMALL) + 0.04 for head in heads), default=0)
    rows = -(-(len(captions) + int(alone)) // layout.across)
    bottom = body + rows * layout.part_height(most_lines(captions))
    page = new_page(bottom + text_height(note, SMALL) + EDGE)
    page.write(EDGE, EDGE, title, size=TITLE)
    page.write(EDGE, EDGE + text_height(title, TITLE) + 0.03, below, colour=MUTED)
    page.write(EDGE, bottom, note, colour=MUTED)

    sheet = _Sheet(page=page, layout=layout, captions=captions, top=body)
    for index, head in enumerate(heads * layout.across):
        part, place = divmod(index, len(heads))
        x = sheet.map_corner(part, place)[0] + layout.cell_width / 2
        page.write(x, body - 0.04, head, ha="center", va="bottom")
    return sheet, _first_axes(sheet, view) if alone else _input_axes(page, view, top)


def _first_axes(sheet: _Sheet, view: "ImageView") -> Axes:
    """The input in the place of the first part, the whole in that of its filter."""
    if view.cropped:
        left, top = sheet.corner(0)
        size = size_within(view.image, sheet.layout.thumbnail, sheet.layout.cell_height)
        down = (sheet.layout.cell_height - size[1]) / 2
        _draw_whole(sheet.page.axes(left, top + down, *size), view, thickness=1.0)
    axes = sheet.map_axes(0, 0, [("input", INK)])
    show_picture(axes, as_picture(view.input))
    frame(axes)
    return axes


def _input_axes(page: Page, view: "ImageView", top: float) -> Axes:
    """The input in a row of its own, beside the whole."""
    left = EDGE
    if view.cropped:
        width, height = size_within(view.image, *_INPUT)
        _draw_whole(page.axes(left, top, width, height), view)
        caption = f"whole picture, {size_text(view.image.shape)}"
        page.write(left, top + height + 0.04, caption)
        left += max(width, text_width(caption, SMALL)) + 2 * GAP
    width, height = size_within(view.input, *_INPUT)
    axes = page.axes(left, top, width, height)
    page.write(left, top + height + 0.04, "input")
    show_picture(axes, as_picture(view.input))
    frame(axes)
    return axes


def _input_height(view: "ImageView") -> float:
    seen = [view.input, *([view.image] if view.cropped else [])]
    return max(size_within(picture, *_INPUT)[1] for picture in seen) + _INPUT_CAPTION


def _draw_whole(axes: Axes, view: "ImageView", *, thickness: float = 2.0) -> None:
    """The whole picture with the crop marked."""
    show_picture(axes, as_picture(view.image))
    frame(axes)
    (top, bottom), (left, right) = view.rows, view.columns
    mark_window(axes, (top, bottom - 1), (left, right - 1), thickness=thickness)


def _draw_filter(
    sheet: _Sheet, weights: NDArray[Any], left: float, top: float, *, signed: bool
) -> None:
    """The filter in the middle of its place; of unequal channels each, below one another."""
    layers = weights[:, :, np.newaxis] if weights.ndim == 2 else weights
    if np.array_equal(layers, np.broadcast_to(layers[:, :, :1], layers.shape), equal_nan=True):
        layers = layers[:, :, :1]
    height, width, channels = layers.shape
    room = sheet.layout.thumbnail, (sheet.layout.cell_height - 0.06 * (channels - 1)) / channels
    cell = min(room[0] / width, room[1] / height)
    across, down = max(cell * width, 0.02), max(cell * height, 0.02)
    first = top + (sheet.middle - channels * down / 2 - 0.03 * (channels - 1))
    for channel in range(channels):
        values = layers[:, :, channel]
        fitting = texts_that_fit(values, cell, cell)
        axes = sheet.page.axes(
            left + (room[0] - across) / 2, first + channel * (down + 0.06), across, down
        )
        draw_cells(
            axes,
            values,
            fitting[0] if fitting is not None and not fitting[1] else None,
            limits=value_scale(layers, signed=signed),
            cmap=DIVERGING if signed else "gray",
        )
        frame(axes)


def _write_name(sheet: _Sheet, name: str, left: float, top: float) -> None:
    text = fit(name, sheet.layout.part_height(most_lines(sheet.captions)) - 2 * GAP, TEXT, lines=2)
    right, middle = left + sheet.layout.name_width - 0.05, top + sheet.middle
    sheet.page.write(right, middle, text, size=TEXT, rotation="vertical", ha="right", va="center")
