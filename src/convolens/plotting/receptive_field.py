"""Where in a picture a value of a layer looks, and which pixels really move it."""

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from convolens.errors import ConfigError
from convolens.plotting.figures import Figure
from convolens.plotting.image import size_within
from convolens.plotting.inputs import as_picture
from convolens.plotting.marks import mark_window
from convolens.plotting.page import new_page, text_height
from convolens.plotting.panels import frame
from convolens.plotting.pictures import show_picture, unit_limits
from convolens.plotting.style import MUTED, SMALL, TITLE, WIDTH, house_style
from convolens.plotting.words import fit

if TYPE_CHECKING:
    from convolens.explain import EffectiveField, ReceptiveField

_EDGE, _GAP = 0.1, 0.15
_TALLEST = 4.5
_HEAT = "inferno"  # rises in lightness all the way, so that it can be read without its colours
_FAINT = 0.4  # how light the picture is beneath the heat


def plot_receptive_field(
    picture: ArrayLike, field: "ReceptiveField", effective: "EffectiveField | None" = None
) -> Figure:
    """The pixels that a value of a layer can depend on, boxed; and how much each moves it.

    Args:
        picture: (height, width), (height, width, 1) or (height, width, 3), as large as the
            network's input.
        field: from ``receptive_field``.
        effective: from ``effective_receptive_field``, of the same value; then the picture is drawn
            a second time, in grey, with the effective field over it: the lighter, the more a pixel
            moves the value.

    Returns:
        A figure.

    Raises:
        ConfigError: a picture of another size, or fields of two values.

    >>> from torch import nn
    >>> from convolens.explain import receptive_field
    >>> network = nn.Sequential(nn.Conv2d(1, 1, 3))
    >>> field = receptive_field(network, "0", 0, 5, input_shape=(8, 8, 1))
    >>> plot_receptive_field(np.eye(8), field).texts[0].get_text()
    "'0', row 0, column 5 sees 3 × 3 pixels"
    """
    image = as_picture(picture)
    if image.shape[:2] != field.picture_size:
        height, width = field.picture_size
        raise ConfigError(
            f"the picture has {image.shape[0]} x {image.shape[1]} pixels and the network's input "
            f"{height} x {width}; give the picture as the network sees it"
        )
    if effective is not None:
        values = [(one.layer, one.row, one.column) for one in (field, effective)]
        if values[0] != values[1] or effective.heat.shape != field.picture_size:
            raise ConfigError(
                f"the fields are of two values: {values[0]} and {values[1]} (layer, row, column)"
            )
    return _draw(image, field, effective)


@house_style()
def _draw(
    picture: NDArray[Any], field: "ReceptiveField", effective: "EffectiveField | None"
) -> Figure:
    panels = 1 if effective is None else 2
    room = (WIDTH - 2 * _EDGE - (panels - 1) * _GAP) / panels
    width, height = size_within(picture, room, _TALLEST)
    notes = _notes(field, effective)
    # Hinting makes letters on the screen up to a twentieth wider than they measure.
    text = "\n".join(fit(note, 0.95 * (WIDTH - 2 * _EDGE), SMALL) for note in notes)
    top = _EDGE + text_height("x", TITLE) + 0.1
    bottom = top + height + 0.1
    page = new_page(bottom + text_height(text, SMALL) + _EDGE)
    sees = "{} × {} pixels".format(*field.size) if field.rows else "nothing but padding"
    place = f", row {field.row}, column {field.column} sees {sees}"
    name = fit(repr(field.layer), WIDTH - 2 * _EDGE - 4.2, TITLE)
    page.write(_EDGE, _EDGE, f"{name}{place}", size=TITLE)
    page.write(_EDGE, bottom, text, colour=MUTED)
    axes = page.axes(_EDGE, top, width, height)
    show_picture(axes, picture)
    _mark(axes, field)
    if effective is not None:
        axes = page.axes(_EDGE + room + _GAP, top, width, height)
        show_picture(axes, _laid_over(picture, effective.heat))
        _mark(axes, field)
    return page.figure


def _mark(axes: Axes, field: "ReceptiveField") -> None:
    frame(axes)
    if field.rows is not None and field.columns is not None:
        rows, columns = (np.arange(ends[0], ends[1] + 1) for ends in (field.rows, field.columns))
        mark_window(axes, rows, columns)


def _laid_over(picture: NDArray[Any], heat: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The picture in dim grey, lighter and in colour where the field is strong."""
    low, high = unit_limits(picture)
    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    base = _FAINT * (np.nan_to_num(grey.astype(np.float64), nan=low) - low) / (high - low)
    # Its square root, because sizes fall off fast: the skirts would be black.
    strength = np.sqrt(np.nan_to_num(heat) / (heat.max() or 1.0))[..., None]
    mixed = (1 - strength) * base[..., None] + strength * mpl.colormaps[_HEAT](strength[..., 0])[
        ..., :3
    ]
    return (255 * np.clip(mixed, 0, 1) + 0.5).astype(np.uint8)


def _notes(field: "ReceptiveField", effective: "EffectiveField | None") -> list[str]:
    height, width = field.picture_size
    notes: list[str] = []
    if field.rows is not None and field.columns is not None:
        inside = field.rows[1] - field.rows[0] + 1, field.columns[1] - field.columns[0] + 1
        box = f"box: {inside[0]} × {inside[1]} of the picture's {height} × {width} pixels"
        beyond = inside != field.size
        notes.append(f"{box}; the rest of the field is padding" if beyond else box)
    if effective is not None:
        which = "all channels" if effective.channel is None else f"channel {effective.channel}"
        n = "1 picture" if effective.n == 1 else f"{effective.n:,} pictures"
        if effective.heat.any():
            notes.append("right: how much each pixel moves the value (root of its mean gradient);")
            notes.append(
                f"95 % of that lies in as many pixels as {effective.size:.1f} × "
                f"{effective.size:.1f} ({which}, {n})"
            )
        else:
            notes.append(f"right: no pixel moves the value ({which}, {n})")
    return notes
