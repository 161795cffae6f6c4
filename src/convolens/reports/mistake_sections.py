"""Where a model fails: the confusion matrix, and its worst mistakes with what it looked at."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from convolens.evaluation.metrics import Labels
from convolens.explain import grad_cam
from convolens.plotting.heat import heat_overlay
from convolens.reports.cards import Heat, cards, picture_card
from convolens.reports.judged import Judged
from convolens.reports.matrix import (
    MOST_CLASSES,
    Cell,
    cell_panels,
    matrix_cells,
    matrix_table,
)
from convolens.reports.page import Block, Markup, Prose
from convolens.reports.thumbnails import mean_size
from convolens.reports.words import as_html, as_markdown, percent

ROOM = 2_400_000
"""Characters for the pictures of the matrix's cells, of a page of five million."""
_WORST = 24  # each with two heat maps
_HEATED_IN_CELL = 2
_MOST_HEATED = 120  # pictures in cells: a heat map takes as long as several predictions
MOST_HEAT_MAPS = _MOST_HEATED + 2 * _WORST
"""In a page, all together."""
_HEATED_AT_ONCE = 64
_SAMPLE = 20  # pictures, by whose size is reckoned how many there is room for


def mistake_sections(judged: Judged, room: int = ROOM) -> Iterator[Block]:
    """The matrix with its pictures, and the worst mistakes.

    Args:
        judged: what was judged.
        room: characters for the pictures of the matrix's cells.
    """
    yield Prose(f"## Confusion matrix\n\n{_how_to_read(judged)}")
    sample = np.linspace(0, judged.evaluation.n - 1, _SAMPLE).round().astype(np.int64)
    size = mean_size(judged.picture(place) for place in np.unique(sample).tolist())
    heated = min(_MOST_HEATED, len(judged.mistakes))
    # A heat map is in colour, and some three times as large as its picture in grey.
    cells = matrix_cells(judged, max(0, int((room - heated * 3 * size) / (size + 300))))
    if len(judged.classes) <= MOST_CLASSES:
        yield Markup(matrix_table(judged, cells))
    heat = _heat(judged, _worth_heating(cells))
    yield Markup(cell_panels(judged, cells, heat))
    if len(judged.mistakes):
        yield from _worst_mistakes(judged)


def _how_to_read(judged: Judged) -> str:
    if len(judged.classes) > MOST_CLASSES:
        return (
            f"A table of {len(judged.classes)} classes cannot be read. Below are the confusions of "
            "the most pictures; each opens its pictures."
        )
    return (
        "A row is the right class, a column what was called so; the more colour, the larger a "
        "mistake's share of its row. Each number opens its pictures: of mistakes the surest first, "
        "with what spoke for the class that was named beside the first of them; of what is right "
        "the least sure."
    )


def _worth_heating(cells: Sequence[Cell]) -> list[int]:
    """The first pictures of each cell of mistakes, cells of many pictures before others."""
    wrong = [cell for cell in cells if cell.right != cell.called]
    return [int(place) for cell in wrong for place in cell.shown[:_HEATED_IN_CELL]][:_MOST_HEATED]


def _worst_mistakes(judged: Judged) -> Iterator[Block]:
    worst = judged.mistakes[:_WORST].tolist()
    called = _heat(judged, worst)
    right = _heat(judged, worst, target=judged.evaluation.labels[worst])
    both: Heat = {
        place: (*called.get(place, ()), *right.get(place, ())) for place in {*called, *right}
    }
    says = "No layer of this network has maps, so there are no heat maps."
    if both:
        layer = as_markdown(judged.heat_layer or "")
        says = (
            "Beside each picture is what spoke for the class that was named, then what spoke for "
            f"the right one: the lighter, the more (Grad-CAM of layer {layer})."
        )
    cut = f"the {len(worst)} surest of {len(judged.mistakes):,}" if len(worst) > 1 else "one alone"
    yield Prose(f"## Worst mistakes\n\nMistakes that the model was surest of, {cut}. {says}")
    pictures = [
        picture_card(judged, place, heat=both, said=_mistake(judged, place)) for place in worst
    ]
    yield Markup(cards(pictures))


def _mistake(judged: Judged, place: int) -> str:
    classes, probabilities = judged.classes, judged.evaluation.probabilities[place]
    right, called = judged.evaluation.labels[place], judged.predicted[place]
    return (
        f"<b>{as_html(classes[called])}</b> {percent(float(probabilities[called]))}<br>"
        f"is {as_html(classes[right])} ({percent(float(probabilities[right]))})<br>"
        f'<span class="soft">{as_html(judged.name_of(place))}</span>'
    )


def _heat(
    judged: Judged, places: Sequence[int], target: Labels | None = None
) -> dict[int, tuple[tuple[str, NDArray[np.uint8]], ...]]:
    """What spoke for a class in some pictures, laid over them; nothing without a convolution."""
    layer = judged.heat_layer
    if not places or layer is None:
        return {}
    heat: dict[int, tuple[tuple[str, NDArray[np.uint8]], ...]] = {}
    wanted = judged.predicted[list(places)] if target is None else target
    for start in range(0, len(places), _HEATED_AT_ONCE):
        part = list(places[start : start + _HEATED_AT_ONCE])
        pictures = np.stack([judged.picture(place) for place in part])
        classes = wanted[start : start + _HEATED_AT_ONCE]
        maps = grad_cam(judged.model, pictures, classes, layer=layer)
        for place, picture, drawn, label in zip(part, pictures, maps.values, classes, strict=True):
            whose = judged.classes[label]
            words = f"what speaks for {whose}, the lighter the more"
            if not drawn.any():
                words = f"nothing speaks for {whose}"
            heat[place] = ((words, heat_overlay(picture, drawn)),)
    return heat
