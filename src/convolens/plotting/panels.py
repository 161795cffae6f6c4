"""A grid of pictures laid out by the inch: captions below, names above columns and beside rows."""

from dataclasses import dataclass

from matplotlib.axes import Axes

from convolens.plotting.figures import Figure
from convolens.plotting.page import Page, new_page, text_height
from convolens.plotting.style import INK, MUTED, RULE, SMALL, TEXT, TITLE, WIDTH
from convolens.plotting.words import LINE, fit

MOST_PANELS = 100

_EDGE = 0.08
_GAP = 0.1
_NARROWEST_CELL = 0.55
_TALLEST_CELL = 6.0
# Pictures far from square would make cells that are slivers: inside they keep their true shape.
_FLATTEST, _STEEPEST = 0.25, 2.0
_LANDSCAPE = 0.75


@dataclass(frozen=True, kw_only=True)
class PanelGrid:
    """Where each picture of a grid goes; ``axes`` and ``caption`` draw there."""

    page: Page
    cell_width: float
    cell_height: float
    caption_height: float
    left: float
    top: float

    @property
    def figure(self) -> Figure:
        """The figure that is drawn into."""
        return self.page.figure

    def axes(self, row: int, column: int) -> Axes:
        """New axes, without ticks, for the picture in one cell."""
        axes = self.page.axes(*self._corner(row, column), self.cell_width, self.cell_height)
        # A picture flatter than its cell stands on its caption.
        axes.set_anchor("S")
        return axes

    def caption(self, row: int, column: int, text: str, line: int = 0, colour: str = INK) -> None:
        """One line (or more, from ``line`` down) below a picture, already fitted to its width."""
        left, top = self._corner(row, column)
        # Line by line on baselines: names with and without high letters then stand level.
        for below, words in enumerate(text.split("\n"), start=line):
            y = top + self.cell_height + 0.04 + (0.8 + below * LINE) * SMALL / 72
            x = left + self.cell_width / 2
            self.page.write(x, y, words, colour=colour, ha="center", va="baseline")

    def _corner(self, row: int, column: int) -> tuple[float, float]:
        return (
            self.left + column * (self.cell_width + _GAP),
            self.top + row * (self.cell_height + self.caption_height + _GAP),
        )


def panel_grid(
    rows: int,
    columns: int,
    *,
    aspect: float,
    widest_cell: float = WIDTH,
    title: str = "",
    note: str = "",
    caption_lines: int = 0,
    row_names: list[str] | None = None,
    rows_each: int = 1,
    column_names: list[str] | None = None,
) -> PanelGrid:
    """An empty grid, titled and labelled.

    Args:
        rows: how many.
        columns: how many; the figure is six inches wide, or wider where cells would be tiny.
        aspect: height of a picture over its width, the steepest of them.
        widest_cell: in inches; a few small pictures need not fill the figure.
        title: in at most two lines above all.
        note: in at most two lines below all.
        caption_lines: lines of text kept free below each picture.
        row_names: names on the left of the rows.
        rows_each: how many rows each of these names is for.
        column_names: names above the columns.
    """
    left, width, cell_width, cell_height = _geometry(columns, aspect, bool(row_names), widest_cell)
    caption_height = caption_lines * SMALL * LINE / 72 + (0.05 if caption_lines else 0)

    title = fit(title, width - 2 * _EDGE, TITLE, lines=2) if title else ""
    note = fit(note, width - 2 * _EDGE, SMALL, lines=3) if note else ""
    headers = [fit(name, cell_width, TEXT, lines=2) for name in column_names or []]
    title_height = text_height(title, TITLE) + (0.08 if title else 0)
    header_height = max((text_height(header, TEXT) for header in headers), default=0.0)
    top = _EDGE + title_height + header_height + (0.04 if headers else 0)
    bottom = top + rows * (cell_height + caption_height + _GAP)
    page = new_page(bottom + text_height(note, SMALL) + _EDGE, width)
    grid = PanelGrid(
        page=page,
        cell_width=cell_width,
        cell_height=cell_height,
        caption_height=caption_height,
        left=left,
        top=top,
    )
    page.write(_EDGE, _EDGE, title, size=TITLE)
    page.write(_EDGE, bottom, note, colour=MUTED)
    for column, header in enumerate(headers):
        x = left + column * (cell_width + _GAP) + cell_width / 2
        page.write(x, top - 0.04, header, size=TEXT, ha="center", va="bottom")
    block = rows_each * (cell_height + caption_height + _GAP)
    for index, name in enumerate(row_names or []):
        text = fit(name, block - _GAP, TEXT, lines=2)
        y = top + (index + 0.5) * block - _GAP / 2
        page.write(left - 0.05, y, text, size=TEXT, rotation="vertical", ha="right", va="center")
    return grid


def cell_size(
    columns: int, aspect: float, *, named_rows: bool = False, widest_cell: float = WIDTH
) -> tuple[float, float]:
    """Width and height in inches that a picture will have in ``panel_grid``."""
    return _geometry(columns, aspect, named_rows, widest_cell)[2:]


def frame(axes: Axes, colour: str = RULE, width: float = 0.8) -> None:
    """A line around a picture, so that a white edge of it does not melt into the page."""
    for spine in axes.spines.values():
        spine.set(color=colour, linewidth=width)


def pleasing_columns(n: int, aspect: float) -> int:
    """Columns for n pictures: few enough to see each, in rows as even as that allows.

    >>> [pleasing_columns(n, 1.0) for n in (1, 3, 8, 10, 25, 32, 64)]
    [1, 3, 4, 5, 5, 8, 8]
    >>> [pleasing_columns(n, 0.6) for n in (1, 3, 8, 10, 25, 32, 64)]
    [1, 3, 4, 4, 3, 4, 4]
    """
    landscape = aspect < _LANDSCAPE
    if n <= (3 if landscape else 4):
        return n
    if n <= 25:
        candidates = (3, 4) if landscape else (4, 5)
    else:
        candidates = (4, 5, 6) if landscape else (6, 7, 8)
    return min(candidates, key=lambda columns: (-n % columns, -columns))


def common_aspect(shapes: list[tuple[int, ...]]) -> float:
    """Height over width of a cell that suits pictures of several shapes.

    The steepest of them, unless that would leave the others in the middle of nothing.

    >>> common_aspect([(10, 10), (12, 10), (80, 10)])
    1.5
    """
    aspects = sorted(height / width for height, width, *_ in shapes)
    return min(aspects[-1], 1.25 * aspects[len(aspects) // 2])


def cut_note(shown: int, n: int, things: str) -> str:
    """What a title says of things left out; empty if all are shown.

    >>> cut_note(100, 60000, "pictures")
    'first 100 of 60,000 pictures'
    """
    return f"first {shown:,} of {n:,} {things}" if shown < n else ""


def _geometry(
    columns: int, aspect: float, named_rows: bool, widest_cell: float
) -> tuple[float, float, float, float]:
    """Room on the left, width of the figure, width and height of a cell, all in inches."""
    left = _EDGE + (2 * TEXT * LINE / 72 if named_rows else 0)
    width = max(WIDTH, left + _EDGE + columns * (_NARROWEST_CELL + _GAP))
    cell_width = min((width - left - _EDGE - (columns - 1) * _GAP) / columns, widest_cell)
    cell_height = min(cell_width * min(max(aspect, _FLATTEST), _STEEPEST), _TALLEST_CELL)
    return left, width, cell_width, cell_height
