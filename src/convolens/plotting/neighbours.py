"""Pictures beside those that a network sees as most like them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.figures import Figure
from convolens.plotting.gallery import class_captions
from convolens.plotting.inputs import as_labels, as_names, as_numbers, as_pictures
from convolens.plotting.panels import cell_size, common_aspect, cut_note, frame, panel_grid
from convolens.plotting.pictures import not_finite_note, show_picture, unit_limits
from convolens.plotting.style import INK, MUTED, RULE, SMALL, house_style
from convolens.plotting.words import drawable, fit

MOST_ROWS, MOST_NEIGHBOURS = 12, 7
"""Pictures drawn in one figure, and those beside each."""


def plot_neighbours(
    pictures: ArrayLike | Sequence[ArrayLike],
    neighbours: ArrayLike | Sequence[Sequence[ArrayLike]],
    similarities: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
) -> Figure:
    """Each picture at the start of a row, then its nearest training pictures.

    Args:
        pictures: (n, height, width), (n, height, width, 1 or 3), or a sequence of pictures of any
            sizes. At most 12 are drawn; the title says so.
        neighbours: for each of them the same number of pictures, the nearest first, such as
            ``train_images[nearest_pictures(...).indices]``. At most 7 of each are drawn.
        similarities: (n, k) the cosine of each.
        labels: (n, k) the index of each neighbour's class.
        class_names: one a class.
        captions: for each picture what is written below it, such as what it is called.

    Returns:
        A figure; below each neighbour stand its class and its similarity.

    Raises:
        ConfigError: lengths that do not fit, or something that is no picture.

    >>> pictures = np.zeros((3, 4, 4))
    >>> figure = plot_neighbours(pictures[:1], pictures[None, 1:], [[0.9, 0.8]], captions=["a bag"])
    >>> [text.get_text() for text in figure.texts][-3:]
    ['a bag', '0.900', '0.800']
    """
    shown, n = as_pictures(pictures, "pictures", MOST_ROWS)
    cosines = as_numbers(similarities, "similarities")
    if cosines.ndim != 2 or len(cosines) != n:
        raise ConfigError(
            f"similarities have shape {cosines.shape} for {n} pictures; give (n, neighbours)"
        )
    if len(neighbours) != n:  # pyright: ignore[reportArgumentType]
        raise ConfigError(f"there are neighbours of {len(neighbours)} pictures for {n}; give each")  # pyright: ignore[reportArgumentType]
    rows = [_row(neighbours, index, cosines.shape[1]) for index in range(len(shown))]
    names = _names(labels, class_names, cosines.shape)
    words = as_names(captions, n, "captions", "pictures") or [""] * n
    return _draw(shown, n, rows, cosines, names, words)


def _row(neighbours: Any, index: int, k: int) -> list[NDArray[Any]]:
    found, count = as_pictures(neighbours[index], f"neighbours[{index}]", MOST_NEIGHBOURS)
    if count != k:
        raise ConfigError(
            f"neighbours[{index}] has {count} pictures and similarities {k}; give as many"
        )
    return found


def _names(
    labels: ArrayLike | None, class_names: Sequence[str] | None, shape: tuple[int, ...]
) -> list[list[str]] | None:
    if labels is None:
        if class_names is not None:
            raise ConfigError("class_names need labels: give the index of each neighbour's class")
        return None
    array = np.asarray(labels)
    if array.shape != shape:
        raise ConfigError(f"labels have shape {array.shape}; allowed: {shape}, one a neighbour")
    n_classes = None if class_names is None else len(class_names)
    numbers = as_labels(array.ravel(), array.size, n_classes).reshape(shape)
    return [class_captions(class_names, row) for row in numbers[:MOST_ROWS].tolist()]


@house_style()
def _draw(
    pictures: list[NDArray[Any]],
    n: int,
    rows: list[list[NDArray[Any]]],
    similarities: NDArray[Any],
    names: list[list[str]] | None,
    captions: Sequence[str],
) -> Figure:
    columns = 1 + len(rows[0])
    everything = [*pictures, *(picture for row in rows for picture in row)]
    aspect = common_aspect([picture.shape for picture in everything])
    room, _ = cell_size(columns, aspect)
    k = similarities.shape[1]
    cut = cut_note(len(pictures), n, "pictures")
    grid = panel_grid(
        len(pictures),
        columns,
        aspect=aspect,
        widest_cell=1.4,
        title=", ".join(part for part in (_title(columns - 1, k), cut) if part),
        note=". ".join(
            part
            for part in ("numbers: cosine between the features", not_finite_note(*everything))
            if part
        ),
        caption_lines=2,
    )
    limits = unit_limits(*everything)
    for row, picture in enumerate(pictures):
        axes = grid.axes(row, 0)
        show_picture(axes, picture, limits)
        frame(axes, INK, 1.5)
        grid.caption(row, 0, fit(drawable(captions[row]), room, SMALL, lines=2))
        for place, neighbour in enumerate(rows[row]):
            axes = grid.axes(row, place + 1)
            show_picture(axes, neighbour, limits)
            frame(axes, RULE)
            line = 0
            if names is not None:
                grid.caption(row, place + 1, fit(names[row][place], room, SMALL))
                line = 1
            cosine = f"{similarities[row, place]:.3f}".replace("-", "−")
            grid.caption(row, place + 1, cosine, line=line, colour=MUTED)
    return grid.figure


def _title(shown: int, k: int) -> str:
    which = "nearest training picture" if k == 1 else f"{shown} nearest training pictures"
    return f"Each picture, and right of it the {which}"
