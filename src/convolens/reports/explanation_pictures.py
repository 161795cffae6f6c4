"""Pictures and maps inside a page on one picture, each with its words."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convolens.explain import LayerMaps
from convolens.plotting.values import range_text
from convolens.reports.page import data_address
from convolens.reports.words import as_html

LARGE, SMALL = 480, 96
"""Pixels of the longer side at most: of a picture by itself, and of one map of many."""
_QUALITY = 85
_LOSSLESS_UP_TO = 48 * 48
"""Pixels up to which a JPEG is hardly smaller than a PNG, and worse."""
_ENLARGED_UP_TO = 128
"""Pixels up to which a picture is shown in squares, not in a blur."""


def panel(picture: NDArray[np.uint8], words: str, caption: str) -> str:
    """A picture by itself, as HTML.

    Args:
        picture: (height, width, 1 or 3) uint8.
        words: its text alternative.
        caption: HTML below it.
    """
    image = image_tag(picture, words, LARGE)
    return f'<figure class="panel">{image}<figcaption>{caption}</figcaption></figure>'


def panels(items: Sequence[str], *, first: bool = False) -> str:
    """Panels beside one another, as many in a row as there is room for; the first ones larger."""
    return f'<div class="panels{" first" if first else ""}">{"".join(items)}</div>'


def map_grid(station: LayerMaps) -> str:
    """The maps of a layer beside one another, as HTML; each on a scale of its own."""
    name = station.layer.name
    cards: list[str] = []
    for place, channel in enumerate(station.channels):
        values = station.maps[:, :, place]
        finite = values[np.isfinite(values)]
        says = "none finite"
        if finite.size:
            says = range_text(float(finite.min()), float(finite.max()))
        words = f"channel {channel} of {name}: {says}"
        if finite.size and finite.min() < finite.max():
            row, column = np.unravel_index(np.nanargmax(values), values.shape)
            words = f"{words}, largest at row {row}, column {column}"
        cards.append(
            f"<figure>{image_tag(_as_grey(values), words, SMALL)}"
            f"<figcaption>{channel}<br>{as_html(says)}</figcaption></figure>"
        )
    return f'<div class="maps">{"".join(cards)}</div>'


def image_tag(picture: NDArray[np.uint8], words: str, side: int) -> str:
    """An ``<img>`` that holds the picture itself, its longer side of so many pixels at most.

    >>> image_tag(np.zeros((4, 8, 1), np.uint8), "<nothing>", 96)[-59:]
    'alt="&lt;nothing&gt;" width="8" height="4" class="squares">'
    """
    flat = picture[..., 0] if picture.shape[2] == 1 else picture
    image = Image.fromarray(np.ascontiguousarray(flat))
    scale = side / max(image.size)
    if scale < 1:
        width, height = (max(1, round(length * scale)) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    lossless = image.width * image.height <= _LOSSLESS_UP_TO
    with io.BytesIO() as file:
        if lossless:
            image.save(file, "PNG", optimize=True)
        else:
            image.save(file, "JPEG", quality=_QUALITY, optimize=True)
        source = data_address(file.getvalue(), f"image/{'png' if lossless else 'jpeg'}")
    squares = ' class="squares"' if max(image.size) <= _ENLARGED_UP_TO else ""
    return (
        f'<img src="{source}" alt="{as_html(words)}" width="{image.width}" '
        f'height="{image.height}"{squares}>'
    )


def _as_grey(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """A map from black, its smallest value, to white, its largest; black where it has but one."""
    finite = values[np.isfinite(values)].astype(np.float64)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    span = high - low or 1.0
    clean = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
    return np.rint(255 * (clean - low) / span).astype(np.uint8)[..., None]
