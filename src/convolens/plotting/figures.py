"""Figures without pyplot: made, shown in a notebook, saved."""

import io
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.layout_engine import PlaceHolderLayoutEngine

from convolens.errors import ConfigError
from convolens.files import replacing
from convolens.plotting.style import WIDTH, house_style

# What is written into the file beside the picture. The keys are the format's own words for "when":
# without them the same figure gives the same bytes.
_METADATA: dict[str, dict[str, None]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
_HIGHEST_DPI = 1200


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure that belongs to no window: a notebook shows it, nothing else must.

    All that matplotlib's own figure does works here; only ``pyplot`` does not know about it, so
    that it is freed with its last reference and may be made in any thread.

    Args:
        *args: as for ``matplotlib.figure.Figure``.
        **kwargs: as for ``matplotlib.figure.Figure``; the layout is "constrained" if not given.

    >>> Figure(figsize=(2, 1))._repr_png_()[1:4]
    b'PNG'
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("layout", "constrained")
        super().__init__(*args, **kwargs)
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        with house_style(), io.BytesIO() as file:
            self.savefig(file, format="png")
            return file.getvalue()


def new_figure(height: float, width: float = WIDTH, *, constrained: bool = True) -> Figure:
    """An empty figure; call it, and all that draws into it, inside ``house_style()``.

    Args:
        height: inches.
        width: inches.
        constrained: False where the caller places its axes by the inch.
    """
    # An engine that does nothing, because a figure without one is given the user's default engine
    # when it has been saved.
    by_hand = PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=True)
    return Figure(figsize=(width, height), layout="constrained" if constrained else by_hand)


def figure_svg(figure: matplotlib.figure.Figure) -> bytes:
    """A figure as SVG, as :func:`save_figure` would write it.

    >>> figure_svg(Figure(figsize=(2, 1)))[:5]
    b'<?xml'
    """
    with house_style(), io.BytesIO() as file:
        figure.savefig(file, format="svg", metadata=_METADATA["svg"])
        return file.getvalue()


def save_figure(figure: matplotlib.figure.Figure, path: str | Path, dpi: float = 300) -> Path:
    """Write a figure as PNG, SVG or PDF, by the file's name; the folder is made when missing.

    The file appears whole or not at all, carries no date, and is byte for byte the same whenever
    the same figure is saved by the same version of matplotlib.

    Args:
        figure: any matplotlib figure.
        path: ends in .png, .svg or .pdf.
        dpi: dots an inch, 1 to 1200. In SVG and PDF it is the resolution of the pictures inside.

    Returns:
        The path.

    Raises:
        ConfigError: another kind of file, or a dpi out of range.

    >>> import tempfile
    >>> save_figure(Figure(figsize=(2, 1)), tempfile.mkdtemp() + "/new/empty.svg").name
    'empty.svg'
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _METADATA:
        got = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        raise ConfigError(
            f"cannot save a figure as {path.name!r}, which {got}; allowed: .png, .svg, .pdf"
        )
    if not isinstance(dpi, int | float | np.number) or not 1 <= dpi <= _HIGHEST_DPI:
        raise ConfigError(f"dpi is {dpi!r}; allowed: 1 to {_HIGHEST_DPI}")
    with house_style(), replacing(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=dpi, metadata=_METADATA[kind])
    return path
