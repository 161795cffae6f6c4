"""A view taken apart for drawing: one part a filter, with its maps and what they are called."""

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from convolens.explain import ImageView
    from convolens.ops import SweptMap


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """What stands together: a filter, and the maps it makes with each combination of settings."""

    name: str
    weights: NDArray[Any] | None
    """(height, width) or (height, width, channels); None where several filters were pooled."""
    maps: list[NDArray[Any]]
    """(height, width) each."""


def parts_of(view: "ImageView") -> list[Part]:
    """The filters with their maps, each followed by its pooled one, then runs pooled in depth."""
    deep = view.pooled if view.pooling and view.pooling.mode == "depth" else ()
    pooled = {} if deep else {id(made.maps[0]): made.values for made in view.pooled}
    parts: list[Part] = []
    for _, group in groupby(view.maps, key=lambda made: id(made.filter)):
        row = list(group)
        maps = [
            values
            for made in row
            for values in (made.values, pooled.get(id(made)))
            if values is not None
        ]
        parts.append(Part(name=row[0].filter.name, weights=row[0].filter.weights, maps=maps))
    for _, group in groupby(deep, key=lambda made: id(made.maps[0].filter)):
        runs = list(group)
        names = ", ".join(source.filter.name for source in runs[0].maps)
        maps = [made.values for made in runs]
        parts.append(Part(name=f"largest of {names}", weights=None, maps=maps))
    return parts


def map_labels(view: "ImageView") -> list[str]:
    """What to call the maps of one part, in their order: only what differs between them."""
    first = view.maps[0].filter
    row = [made for made in view.maps if made.filter is first]
    labels = [_settings(made, _varying(view)) for made in row]
    if view.pooling is None or view.pooling.mode == "depth":
        return labels
    short = f"{view.pooling.mode} {view.pooling.size}×{view.pooling.size}"
    return [
        text
        for label in labels
        for text in (label or "map", f"{label}, {short}" if label else str(view.pooling))
    ]


def heading(view: "ImageView") -> str:
    """The picture's name and the part of it that was looked at."""
    return f"{view.name}, {span_text(view)}" if view.cropped else view.name


def span_text(view: "ImageView") -> str:
    """The rows and columns that were looked at, as one would write them in ``image[...]``."""
    (top, bottom), (left, right) = view.rows, view.columns
    return f"rows {top}:{bottom}, columns {left}:{right}"


def common_settings(view: "ImageView") -> str:
    """What holds for all maps: the settings that do not vary, and what stands behind the sums."""
    fixed = {"stride", "padding", "dilation"} - _varying(view)
    if view.maps[0].dilation == 1:
        fixed -= {"dilation"}
    said = [_settings(view.maps[0], fixed, "padding ")] if fixed else []
    layered = [made.filter.of_layer for made in view.maps]
    if any(layered):
        said.append("ReLU" if all(layered) else "ReLU behind random filters")
    size = common_size(view)
    return "; ".join([*said, f"maps {size}"] if size else said)


def common_size(view: "ImageView") -> str:
    """Height and width of all that is drawn of the maps, where they have but one."""
    shapes = {made.values.shape for made in (*view.maps, *view.pooled)}
    return size_text(next(iter(shapes))) if len(shapes) == 1 else ""


def size_text(shape: tuple[int, ...]) -> str:
    """Height, width and what else there is.

    >>> size_text((427, 640, 3))
    '427 × 640 × 3'
    """
    return " × ".join(str(side) for side in shape)


def _varying(view: "ImageView") -> set[str]:
    names = ("stride", "padding", "dilation")
    return {name for name in names if len({getattr(made, name) for made in view.maps}) > 1}


def _settings(made: "SweptMap", names: set[str], before_word: str = "") -> str:
    texts = {
        "stride": f"stride {made.stride}",
        "padding": f"{before_word if isinstance(made.padding, str) else 'padding '}{made.padding}",
        "dilation": f"dilation {made.dilation}",
    }
    return ", ".join(text for name, text in texts.items() if name in names)
