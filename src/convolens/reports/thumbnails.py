"""Small pictures inside a page, each as few bytes as it can be."""

import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convolens.reports.page import data_address

SIDE = 64
"""Pixels of the longer side at most; smaller pictures stay as they are."""
_QUALITY = 82
_LOSSLESS_UP_TO = 32 * 32
"""Pixels up to which a JPEG would be no smaller than a PNG, and worse."""

Shares = NDArray[np.int64]


def thumbnail(picture: NDArray[np.uint8]) -> str:
    """The address of a small copy of a picture, for an ``<img>``.

    Args:
        picture: (height, width) or (height, width, 1 or 3) uint8.

    >>> thumbnail(np.zeros((4, 4, 1), np.uint8))[:22]
    'data:image/png;base64,'
    """
    flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    image = Image.fromarray(np.ascontiguousarray(flat))
    scale = SIDE / max(image.size)
    if scale < 1:
        size = [max(1, round(side * scale)) for side in image.size]
        image = image.resize((size[0], size[1]), Image.Resampling.BOX)
    lossless = image.width * image.height <= _LOSSLESS_UP_TO
    with io.BytesIO() as file:
        if lossless:
            image.save(file, "PNG", optimize=True)
        else:
            image.save(file, "JPEG", quality=_QUALITY, optimize=True)
        return data_address(file.getvalue(), f"image/{'png' if lossless else 'jpeg'}")


def mean_size(pictures: Iterable[NDArray[np.uint8]]) -> float:
    """Characters that one thumbnail of such pictures takes in a page."""
    return float(np.mean([len(thumbnail(picture)) for picture in pictures]))


def share_out(wanted: Sequence[int], most: int) -> Shares:
    """How many each may show so that all together show ``most`` at the most.

    Everybody gets the same limit, the highest that is possible; who wants fewer gets those.

    Args:
        wanted: how many each has, from 0.
        most: how many there is room for.

    >>> share_out([100, 2, 7], 20).tolist()
    [11, 2, 7]
    >>> share_out([5, 5, 5], 2).tolist()
    [1, 1, 0]
    """
    amounts = np.asarray(wanted, dtype=np.int64)
    limit, low, high = 0, 0, int(amounts.max(initial=0))
    while low <= high:
        middle = (low + high) // 2
        if int(np.minimum(amounts, middle).sum()) <= most:
            limit, low = middle, middle + 1
        else:
            high = middle - 1
    shares = np.minimum(amounts, limit)
    more: Any = np.flatnonzero(amounts > limit)[: max(0, most - int(shares.sum()))]
    shares[more] += 1
    return shares


def as_shown(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """Width and height at which a thumbnail is shown, in CSS pixels: at least 56 a side.

    >>> as_shown(np.zeros((28, 28, 1), np.uint8)), as_shown(np.zeros((96, 48, 3), np.uint8))
    ((56, 56), (32, 64))
    """
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    enlarged = max(1, math.floor(SIDE / (scale * max(height, width))))
    return round(width * scale * enlarged), round(height * scale * enlarged)
