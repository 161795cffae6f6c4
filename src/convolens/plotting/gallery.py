"""Many pictures with the names of their classes."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.figures import Figure
from convolens.plotting.inputs import as_columns, as_labels, as_pictures
from convolens.plotting.panels import (
    MOST_PANELS,
    cell_size,
    common_aspect,
    cut_note,
    frame,
    panel_grid,
)
from convolens.plotting.pictures import not_finite_note, show_picture, unit_limits
from convolens.plotting.style import SMALL, house_style
from convolens.plotting.values import range_text
from convolens.plotting.words import drawable_names, fit


def plot_images(
    images: ArrayLike | Sequence[ArrayLike],
    labels: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    columns: int = 5,
    cmap: str = "gray",
) -> Figure:
    """Pictures side by side, the class of each below it.

    Args:
        images: (n, height, width), (n, height, width, 1 or 3), or a sequence of pictures of any
            sizes. At most 100 are drawn; the title says so.
        labels: (n,), the index of each picture's class.
        class_names: names of the classes; without them the index is written.
        columns: pictures in a row, 1 to 16; the figure gets wider from 10.
        cmap: colour map of grey pictures; "binary" draws high values dark.

    Returns:
        A figure. All pictures have one scale from black to white: 0..255 for integers, 0..1 for
        floating point, or from the smallest to the largest value, which the title then says.

    Raises:
        ConfigError: no pictures, labels that do not fit them or the class names.

    >>> import numpy as np
    >>> figure = plot_images(np.eye(4).reshape(1, 4, 4), labels=[1], class_names=["bag", "shoe"])
    >>> [text.get_text() for text in figure.texts if text.get_text()]
    ['shoe']
    """
    shown, n = as_pictures(images, "images", MOST_PANELS)
    columns = min(as_columns(columns), len(shown))
    captions: list[str] = []
    if labels is not None:
        numbers = as_labels(labels, n, None if class_names is None else len(class_names))
        captions = class_captions(class_names, [int(number) for number in numbers[: len(shown)]])
    elif class_names is not None:
        raise ConfigError("class_names need labels: give the index of each picture's class")
    return _draw(shown, n, captions, columns, cmap)


def class_captions(class_names: Sequence[str] | None, labels: list[int]) -> list[str]:
    """The names of some classes, told apart even where a font cannot draw them."""
    if class_names is None:
        return [f"class {label}" for label in labels]
    names = drawable_names(class_names)
    return [names[label] for label in labels]


@house_style()
def _draw(
    pictures: list[NDArray[Any]], n: int, captions: list[str], columns: int, cmap: str
) -> Figure:
    limits = unit_limits(*pictures)
    parts = [cut_note(len(pictures), n, "pictures")]
    if limits not in ((0.0, 255.0), (0.0, 1.0)):
        parts.append(f"pixel values {range_text(*limits)}")
    aspect = common_aspect([picture.shape for picture in pictures])
    room, _ = cell_size(columns, aspect)
    captions = [fit(caption, room, SMALL, lines=2) for caption in captions]
    grid = panel_grid(
        -(-len(pictures) // columns),
        columns,
        aspect=aspect,
        title=", ".join(part for part in parts if part).capitalize(),
        note=not_finite_note(*pictures),
        caption_lines=max((caption.count("\n") + 1 for caption in captions), default=0),
    )
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        axes = grid.axes(row, column)
        show_picture(axes, picture, limits, cmap)
        frame(axes)
        if captions:
            grid.caption(row, column, captions[index])
    return grid.figure
