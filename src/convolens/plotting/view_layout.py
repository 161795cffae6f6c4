"""Where the filters and maps of a view go, in inches."""

from dataclasses import dataclass

from convolens.plotting.style import SMALL, WIDTH
from convolens.plotting.words import LINE

EDGE = 0.08
GAP = 0.1
_BETWEEN_PARTS = 0.25
_MOST_IN_A_LINE = 6
_ROOM_FOR_NAME = 0.4
_TALLEST_CELL = 4.0
_TALLEST_OF_MANY = 2.4
# As in every grid of pictures: inside their cells they keep their true shape.
_FLATTEST, _STEEPEST = 0.25, 2.0

# Parts beside one another: inches for the filter's picture.
_THUMBNAIL = {1: 0.75, 2: 0.75, 3: 0.5, 4: 0.36}


@dataclass(frozen=True, kw_only=True)
class ViewLayout:
    """Parts in rows, the maps of each in lines; made by ``lay_out``."""

    across: int
    """Parts beside one another."""
    in_line: int
    """Maps of a part beside one another."""
    lines: int
    """Lines of maps of a part."""
    name_width: float
    """Room for the name of a part, on its left; 0 where it stands below the map."""
    thumbnail: float
    """Width of the filter's picture."""
    cell_width: float
    """Room for a map."""
    cell_height: float
    """Room for a map."""
    bare_first: bool
    """Whether the first part is a picture alone, with no place for a filter on its left."""

    @property
    def part_width(self) -> float:
        """A part with all that belongs to it."""
        return self.name_width + self.thumbnail + self.in_line * (GAP + self.cell_width)

    def part_height(self, caption_lines: int) -> float:
        """A part with all that belongs to it, and the gap below it."""
        return self.lines * self.line_height(caption_lines) + 0.6 * GAP

    def line_height(self, caption_lines: int) -> float:
        """A line of maps with its captions."""
        return self.cell_height + caption_height(caption_lines)

    def part_left(self, index: int) -> float:
        """Left edge of a part; that of a bare one is where its filter would begin."""
        left = EDGE + index % self.across * (self.part_width + _BETWEEN_PARTS)
        return left - (self.thumbnail + GAP if self.bare_first else 0)

    def map_place(self, index: int, caption_lines: int) -> tuple[float, float]:
        """Left and upper edge of a map, from those of its part."""
        line, place = divmod(index, self.in_line)
        left = self.name_width + self.thumbnail + GAP + place * (self.cell_width + GAP)
        return left, line * self.line_height(caption_lines)


def lay_out(
    n_parts: int, n_maps: int, aspect: float, *, pairs: bool = False, cropped: bool = False
) -> ViewLayout:
    """Places for a view.

    Args:
        n_parts: filters; one more is drawn for the input where each has one map.
        n_maps: maps of each.
        aspect: height over width of a map.
        pairs: whether each second map belongs to the one before it and must stay beside it.
        cropped: whether the whole picture is drawn beside the input, in a filter's place.

    >>> lay_out(3, 1, 1.0).across, lay_out(3, 4, 1.0).in_line
    (2, 4)
    >>> wrapped = lay_out(1, 12, 1.0)
    >>> wrapped.lines, wrapped.in_line
    (2, 6)
    """
    lines = -(-n_maps // _MOST_IN_A_LINE)
    in_line = -(-n_maps // lines)
    in_line += pairs and in_line % 2
    across = _across(n_parts, in_line)
    thumbnail = _THUMBNAIL[3 if in_line == _MOST_IN_A_LINE else across]
    name_width = 0.0 if n_maps == 1 else _ROOM_FOR_NAME
    bare_first = n_maps == 1 and n_parts < across and not cropped
    room = WIDTH - 2 * EDGE - (across - 1) * _BETWEEN_PARTS
    room += thumbnail + GAP if bare_first else 0
    width = (room / across - name_width - thumbnail) / in_line - GAP
    several_rows = n_parts + (n_maps == 1) > across or lines > 1
    tallest = _TALLEST_OF_MANY if several_rows else _TALLEST_CELL
    aspect = min(max(aspect, _FLATTEST), _STEEPEST)
    width = min(width, tallest / aspect)
    return ViewLayout(
        across=across,
        in_line=in_line,
        lines=lines,
        name_width=name_width,
        thumbnail=thumbnail,
        cell_width=width,
        cell_height=width * aspect,
        bare_first=bare_first,
    )


def caption_height(lines: int) -> float:
    """Room for some lines of text below a map, and the gap below them."""
    return (lines * SMALL * LINE / 72 + 0.05 if lines else 0.0) + GAP


def _across(n_parts: int, in_line: int) -> int:
    """Parts beside one another: few enough to see each, in rows as even as that allows."""
    if in_line > 1:
        return 2 if in_line == 2 and n_parts > 6 else 1
    n = n_parts + 1
    if n <= 3:
        return n
    return 2 if n == 4 else 3 if n <= 12 else 4
