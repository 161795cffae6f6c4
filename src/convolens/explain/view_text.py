"""A view as text: the figures of the picture, then one line a feature map."""

from typing import TYPE_CHECKING, Any

import numpy as np

from convolens.ops.sweep import value_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convolens.explain.view_pooling import PooledMap
    from convolens.explain.viewing import ImageView
    from convolens.ops import SweptMap

_LEFT = {"filter", "padding", "pooled"}
_GAP = "  "


def view_text(view: "ImageView") -> str:
    """All that ``convolens see`` tells of a picture, its maps and what was pooled."""
    blocks = [f"{view.name}: {view.statistics}"]
    if view.cropped:
        (top, bottom), (left, right) = view.rows, view.columns
        blocks.append(f"rows {top}:{bottom}, columns {left}:{right}: {view.crop_statistics}")
    if view.maps or view.pooled:
        blocks.append(
            f"Pixels are scaled to 0..1 before {'filtering' if view.maps else 'pooling'}."
        )
    if view.maps:
        blocks.append(_table([_map_row(made) for made in view.maps]))
    if view.pooled:
        blocks.append(f"{view.pooling}\n{_table([_pooled_row(made) for made in view.pooled])}")
    return "\n\n".join(blocks)


def _map_row(made: "SweptMap") -> dict[str, str]:
    return {
        "filter": made.filter.name + (", ReLU" if made.filter.of_layer else ""),
        "stride": str(made.stride),
        "padding": str(made.padding),
        "dilation": str(made.dilation),
        "output": _size(made.values.shape),
        "parameters": f"{made.arithmetic.parameters:,}",
        "multiply-adds": f"{made.arithmetic.multiply_adds:,}",
        "receptive field": _size(made.arithmetic.receptive_field),
        "values": _range(made.values),
    }


def _pooled_row(made: "PooledMap") -> dict[str, str]:
    source = made.maps[0] if made.maps else None
    row = {"pooled": ", ".join(each.filter.name for each in made.maps) or "picture"}
    if source is not None:
        row |= {
            "stride": str(source.stride),
            "padding": str(source.padding),
            "dilation": str(source.dilation),
        }
    return row | {
        "output": _size(made.values.shape),
        "receptive field": _size(made.receptive_field),
        "values": _range(made.values),
    }


def _table(rows: list[dict[str, str]]) -> str:
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    lines = [{name: name for name in widths}, *rows]
    return "\n".join(
        _GAP.join(
            line[name].ljust(width) if name in _LEFT else line[name].rjust(width)
            for name, width in widths.items()
        ).rstrip()
        for line in lines
    )


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _range(values: "NDArray[Any]") -> str:
    low, high = value_range(values)
    if low is None:
        return "none finite"
    others = values.size - int(np.isfinite(values).sum())
    return f"{low:.4g} to {high:.4g}" + (f", {others:,} not finite" if others else "")
