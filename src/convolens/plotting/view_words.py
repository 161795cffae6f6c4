"""What is written beside the maps of a view: captions, labels and the legend."""

from typing import Any

from numpy.typing import NDArray

from convolens.plotting.maps import map_range
from convolens.plotting.pictures import not_finite_note
from convolens.plotting.style import INK, MUTED, SMALL
from convolens.plotting.view_layout import GAP, ViewLayout
from convolens.plotting.view_parts import Part, size_text
from convolens.plotting.words import fit, text_width

Lines = list[tuple[str, str]]
"""Text and its colour, line by line."""


def captions_of(part: Part, labels: list[str], layout: ViewLayout, *, sized: bool) -> list[Lines]:
    """What stands below each map: name and size where nothing else says them, and range."""
    made: list[Lines] = []
    for label, values in zip(labels, part.maps, strict=True):
        names = label_lines(label, layout.cell_width) if layout.lines > 1 else []
        if len(labels) == 1:
            names = fit(part.name, layout.cell_width, SMALL, lines=3).split("\n")
        facts = [*([size_text(values.shape)] if sized else []), map_range(values)]
        if text_width(", ".join(facts), SMALL) <= layout.cell_width:
            facts = [", ".join(facts)]
        made.append([*((text, INK) for text in names), *((text, MUTED) for text in facts)])
    return made


def label_lines(label: str, room: float) -> list[str]:
    """A label on one line, or on one for each setting, so that none is torn apart."""
    room += GAP / 2
    pieces = [label] if text_width(label, SMALL) <= room else label.split(", ")
    return [fit(piece, room, SMALL) for piece in pieces]


def most_lines(captions: list[list[Lines]]) -> int:
    """The most lines that stand below any map."""
    return max(len(lines) for part in captions for lines in part)


def legend(parts: list[Part], maps: list[NDArray[Any]], signed: bool) -> str:
    """What the colours of filters and maps stand for."""
    weights = [part.weights for part in parts if part.weights is not None]
    shades = "blue negative, white 0, red positive" if signed else "black 0, white largest"
    said = [
        f"filters: {shades}",
        "each map: black least, white most",
        not_finite_note(*maps),
    ]
    if any(weight.ndim == 3 and weight.shape[2] == 3 for weight in weights):
        said.insert(1, "the three squares of a filter are for red, green and blue")
    return "; ".join(part for part in said if part)
