"""Pictures with what a model says of them, and whether that is right."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.figures import Figure
from convolens.plotting.inputs import as_columns, as_labels, as_names, as_numbers, as_pictures
from convolens.plotting.panels import (
    MOST_PANELS,
    cell_size,
    common_aspect,
    cut_note,
    frame,
    panel_grid,
)
from convolens.plotting.pictures import not_finite_note, show_picture, unit_limits
from convolens.plotting.style import BLUE, INK, RULE, SMALL, VERMILLION, house_style
from convolens.plotting.words import drawable_names, fit, text_width


def plot_predictions(
    images: ArrayLike | Sequence[ArrayLike],
    probabilities: ArrayLike,
    labels: ArrayLike | None,
    class_names: Sequence[str],
    columns: int = 5,
) -> Figure:
    """Pictures with the likeliest class of each, its probability, and the right class.

    Right is a tick and a thin blue frame, wrong a cross, a thick orange frame and the right class.

    Args:
        images: (n, height, width), (n, height, width, 1 or 3), or a sequence of pictures of any
            sizes. At most 100 are drawn; the title says so.
        probabilities: (n, classes), each in 0..1.
        labels: (n,), the index of each picture's right class; None where it is not known.
        class_names: one a class.
        columns: pictures in a row, 1 to 16; the figure gets wider from 10.

    Returns:
        A figure; its title counts the right ones among those drawn.

    Raises:
        ConfigError: lengths that do not fit, or probabilities outside 0..1.

    >>> pictures, probabilities = np.zeros((2, 4, 4)), [[0.9, 0.1], [0.6, 0.4]]
    >>> figure = plot_predictions(pictures, probabilities, [0, 1], ["bag", "shoe"])
    >>> [text.get_text() for text in figure.texts if text.get_text()]
    ['1 of 2 right', '✓ 90 %', 'bag', '✗ 60 %', 'bag', 'is shoe']
    """
    shown, n = as_pictures(images, "images", MOST_PANELS)
    chances = _as_probabilities(probabilities, n)
    as_names(class_names, chances.shape[1], "class_names", "classes of probabilities")
    right = None if labels is None else as_labels(labels, n, chances.shape[1])
    columns = min(as_columns(columns), len(shown))
    return _draw(shown, n, chances[: len(shown)], right, list(class_names), columns)


@house_style()
def _draw(
    pictures: list[NDArray[Any]],
    n: int,
    probabilities: NDArray[Any],
    labels: NDArray[np.int64] | None,
    class_names: list[str],
    columns: int,
) -> Figure:
    predicted = probabilities.argmax(axis=1)
    aspect = common_aspect([picture.shape for picture in pictures])
    room, _ = cell_size(columns, aspect)
    names = drawable_names(class_names)
    truth = predicted if labels is None else labels[: len(pictures)]
    wrong = truth != predicted
    title = [] if labels is None else [f"{int((~wrong).sum())} of {len(pictures)} right"]
    grid = panel_grid(
        -(-len(pictures) // columns),
        columns,
        aspect=aspect,
        title=", ".join(part for part in [*title, cut_note(len(pictures), n, "pictures")] if part),
        note=not_finite_note(*pictures),
        caption_lines=3 if wrong.any() else 2,
    )
    limits = unit_limits(*pictures)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        axes = grid.axes(row, column)
        show_picture(axes, picture, limits)
        mark, colour, width = _mark(labels is not None, bool(wrong[index]))
        frame(axes, RULE if labels is None else colour, width)
        share = _percent(float(probabilities[index].max()))
        grid.caption(row, column, f"{mark}{share}", colour=colour)
        grid.caption(row, column, fit(names[predicted[index]], room, SMALL), line=1, colour=colour)
        if wrong[index]:
            name = fit(names[truth[index]], room - text_width("is ", SMALL), SMALL)
            grid.caption(row, column, f"is {name}", line=2)
    return grid.figure


def _mark(known: bool, wrong: bool) -> tuple[str, str, float]:
    """Symbol, colour and thickness of the frame."""
    if not known:
        return "", INK, 0.8
    return ("✗ ", VERMILLION, 2.5) if wrong else ("✓ ", BLUE, 1.0)


def _percent(share: float) -> str:
    """In whole per cent, but never "100 %" for what is not certain.

    >>> _percent(0.994), _percent(0.9961), _percent(0.99999), _percent(1.0)
    ('99 %', '99.6 %', '>99.9 %', '100 %')
    """
    if share >= 0.9995:
        return "100 %" if share == 1 else ">99.9 %"
    return (
        f"{share:.1%}".replace("%", " %") if share >= 0.995 else f"{share:.0%}".replace("%", " %")
    )


def _as_probabilities(probabilities: ArrayLike, n: int) -> NDArray[Any]:
    array = as_numbers(probabilities, "probabilities")
    if array.ndim != 2 or len(array) != n:
        raise ConfigError(
            f"probabilities have shape {array.shape} for {n} pictures; give (n, classes)"
        )
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1 + 1e-6):
        raise ConfigError(
            f"probabilities run from {array.min():.3g} to {array.max():.3g}; allowed: 0 to 1 "
            "(a softmax makes them of logits)"
        )
    return array
