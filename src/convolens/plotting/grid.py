"""A labelled grid of results: all combinations of some settings, side by side."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

from convolens.plotting.figures import Figure
from convolens.plotting.inputs import as_columns, as_names, as_pictures
from convolens.plotting.maps import map_range, show_map
from convolens.plotting.panels import (
    MOST_PANELS,
    cell_size,
    common_aspect,
    cut_note,
    frame,
    panel_grid,
    pleasing_columns,
)
from convolens.plotting.pictures import not_finite_note, show_picture
from convolens.plotting.style import MUTED, SMALL, house_style
from convolens.plotting.words import fit


def plot_grid(
    panels: Sequence[ArrayLike],
    titles: Sequence[str] | None,
    columns: int | None = None,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    title: str | None = None,
) -> Figure:
    """Pictures and maps of any sizes in one grid; below each its size and, for a map, its range.

    Each map has its own scale from black to white; a colour picture has that of its unit.

    Args:
        panels: pictures (height, width, 3) and maps (height, width), row by row.
        titles: one a panel, written below it; None where the labels of rows and columns say all.
        columns: panels in a row, 1 to 16; ``len(column_labels)``, or a pleasing number, if None.
        row_labels: one a row.
        column_labels: one a column.
        title: above all.

    Returns:
        A figure of at most 100 panels, in whole rows; the title says what is left out.

    Raises:
        ConfigError: no panels, or labels that do not fit them.

    >>> import numpy as np
    >>> maps = [np.eye(4), np.eye(2), np.eye(4), np.eye(2)]
    >>> figure = plot_grid(maps, None, row_labels=["same", "valid"], column_labels=["1", "2"])
    >>> len(figure.axes)
    4
    """
    shown, n = as_pictures(panels, "panels", MOST_PANELS)
    names = as_names(titles, n, "titles", "panels")
    if columns is None:
        columns = (
            len(column_labels)
            if column_labels
            else pleasing_columns(n, common_aspect([panel.shape for panel in shown]))
        )
    columns = min(as_columns(columns), n)
    above = as_names(column_labels, columns, "column_labels", "columns")
    beside = as_names(row_labels, -(-n // columns), "row_labels", "rows")
    if n > len(shown):
        shown = shown[: max(1, len(shown) // columns) * columns]
    heading = [title or "", cut_note(len(shown), n, "panels")]
    return _draw(shown, columns, names, beside, above, ", ".join(part for part in heading if part))


@house_style()
def _draw(
    panels: list[NDArray[Any]],
    columns: int,
    titles: list[str] | None,
    row_labels: list[str] | None,
    column_labels: list[str] | None,
    title: str,
) -> Figure:
    rows = -(-len(panels) // columns)
    aspect = common_aspect([panel.shape for panel in panels])
    room, _ = cell_size(columns, aspect, named_rows=row_labels is not None)
    names = [fit(name, room, SMALL, lines=2) for name in titles or []]
    name_lines = max((name.count("\n") + 1 for name in names), default=0)
    grid = panel_grid(
        rows,
        columns,
        aspect=aspect,
        title=title,
        note=not_finite_note(*panels),
        caption_lines=name_lines + (2 if any(panel.ndim == 2 for panel in panels) else 1),
        row_names=row_labels[:rows] if row_labels else None,
        column_names=column_labels,
    )
    for index, panel in enumerate(panels):
        row, column = divmod(index, columns)
        axes = grid.axes(row, column)
        if panel.ndim == 3:
            show_picture(axes, panel)
            frame(axes)
        else:
            show_map(axes, panel, "gray")
        used = 0
        if names:
            grid.caption(row, column, names[index])
            used = names[index].count("\n") + 1
        size = " × ".join(str(side) for side in panel.shape)
        facts = size if panel.ndim == 3 else f"{size}\n{map_range(panel)}"
        grid.caption(row, column, facts, line=used, colour=MUTED)
    return grid.figure
