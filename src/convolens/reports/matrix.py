"""The confusion matrix as a table whose every cell opens its pictures."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.reports.cards import Heat, cards, picture_card
from convolens.reports.judged import Judged
from convolens.reports.thumbnails import share_out
from convolens.reports.words import as_html, percent

MOST_CLASSES = 60
"""Of a table: one with more would be megabytes of empty cells, and nobody could read it."""
_RIGHT_SHOWN = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class Cell:
    """Pictures of one class that were called one class."""

    right: int
    called: int
    places: NDArray[np.int64]
    """All of them: of mistakes the surest first, of what is right the least sure."""
    shown: NDArray[np.int64]
    """Those of them that there is room for."""

    @property
    def anchor(self) -> str:
        """By which a link finds it."""
        return f"cell-{self.right}-{self.called}"


def matrix_cells(judged: Judged, room: int) -> tuple[Cell, ...]:
    """The cells that hold a picture: mistakes first, those of the most pictures before others.

    Args:
        judged: what was judged.
        room: how many pictures may be shown in all of them together.
    """
    labels, predicted = judged.evaluation.labels, judged.predicted
    n_classes = len(judged.classes)
    key = labels.astype(np.int64) * n_classes + predicted
    sure = np.where(labels == predicted, judged.confidence, -judged.confidence)
    order = np.lexsort((sure, key))
    keys, starts, counts = np.unique(key[order], return_index=True, return_counts=True)
    groups = [order[start : start + n] for start, n in zip(starts, counts, strict=True)]
    cells = [(*divmod(int(k), n_classes), own) for k, own in zip(keys, groups, strict=True)]
    cells.sort(key=lambda cell: (cell[0] == cell[1], -len(cell[2])))
    if n_classes > MOST_CLASSES:  # no table links to them: what is right would be a list for nobody
        cells = [cell for cell in cells if cell[0] != cell[1]][:200]
    wanted = [len(g) if r != c else min(len(g), _RIGHT_SHOWN) for r, c, g in cells]
    return tuple(
        Cell(right=right, called=called, places=places, shown=places[:share])
        for (right, called, places), share in zip(cells, share_out(wanted, room), strict=True)
    )


def matrix_table(judged: Judged, cells: tuple[Cell, ...]) -> str:
    """The matrix as HTML, its cells linked to those of :func:`cell_panels`."""
    matrix, names = judged.evaluation.confusion_matrix, judged.classes
    linked = {(cell.right, cell.called): cell for cell in cells}
    support = matrix.sum(axis=1)
    off = matrix / np.maximum(support, 1)[:, None]
    np.fill_diagonal(off, 0.0)
    most = float(off.max()) or 1.0
    head = "".join(f'<th scope="col"><span>{as_html(name)}</span></th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{as_html(names[row])}</th>'
        + "".join(
            _cell(judged, linked, row, column, float(off[row, column] / most))
            for column in range(len(names))
        )
        + f"<td>{support[row]:,}</td></tr>"
        for row in range(len(names))
    )
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Confusion matrix">'
        f'<table class="matrix"><thead><tr><td></td>{head}'
        '<th scope="col"><span>all</span></th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _cell(
    judged: Judged, linked: dict[tuple[int, int], Cell], row: int, column: int, share: float
) -> str:
    cell = linked.get((row, column))
    if cell is None:
        return "<td></td>"
    n, names = len(cell.places), judged.classes
    words = f"{n:,} of {names[row]} called {names[column]}: show them"
    kind = "right" if row == column else "wrong"
    return (
        f'<td class="{kind}" style="--share:{100 * share**0.5:.0f}%">'
        f'<a href="#{cell.anchor}" aria-label="{as_html(words)}">{n:,}</a></td>'
    )


def cell_panels(judged: Judged, cells: tuple[Cell, ...], heat: Heat) -> str:
    """The pictures of every cell, each cell closed until it is asked for."""
    kind = ' class="of-matrix"' if len(judged.classes) <= MOST_CLASSES else ""
    return f'<div id="cells"{kind}>{"".join(_panels(judged, cells, heat))}</div>'


def _panels(judged: Judged, cells: tuple[Cell, ...], heat: Heat) -> Iterator[str]:
    support, names = judged.evaluation.confusion_matrix.sum(axis=1), judged.classes
    for cell in cells:
        n = len(cell.places)
        share = percent(n / int(support[cell.right]))
        right, called = as_html(names[cell.right]), as_html(names[cell.called])
        wrong = cell.right != cell.called
        title = f"{right} taken for {called}" if wrong else f"{right}, judged rightly"
        order = "the surest" if wrong else "the least sure"
        shown = f"{order} first" if len(cell.shown) == n else f"{order} {len(cell.shown):,} shown"
        what = "a picture" if n == 1 else "pictures"
        pictures = [picture_card(judged, place, heat=heat) for place in cell.shown.tolist()]
        yield (
            f'<details class="cell"><summary>{title}: {n:,} {what}, {share} of its class; {shown}'
            f'</summary><div id="{cell.anchor}">{cards(pictures)}</div></details>'
        )
