"""Which size and how many channels the pictures of a data set are brought to."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole
from convolens.data.problems import Problem
from convolens.errors import ConfigError

LONGEST_SIDE = 96
"""Pixels of the longer side unless a caller says otherwise: twelve times the work of the notes'
28 x 28, and about what two cores can be trained on in minutes. See ``docs/decisions``."""

_UNUSUAL_AREA = 16.0  # times the median, or as small a part of it
_UNUSUAL_SHAPE = 3.0  # likewise of height / width


def choose_shape(
    heights: NDArray[np.int64],
    widths: NDArray[np.int64],
    grey: NDArray[np.bool_],
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
) -> tuple[int, int, int]:
    """The shape that all pictures of a folder or a table are brought to.

    Pictures of one size keep it. Pictures of several sizes become squares whose side is the median
    of their longer sides. Either way the longer side is at most :data:`LONGEST_SIDE`. They are grey
    if all of them are stored as grey.

    Args:
        heights: (n,) rows of each picture, n at least 1.
        widths: (n,) columns of each.
        grey: (n,) whether it is stored as grey.
        size: instead, a side of a square or (height, width).
        channels: instead, 1 or 3.

    Raises:
        ConfigError: a size that is not allowed.

    >>> several = np.array([100, 120, 3000]), np.array([90, 100, 3000]), np.zeros(3, bool)
    >>> choose_shape(*several), choose_shape(*several, size=(32, 24), channels=1)
    ((96, 96, 3), (32, 24, 1))
    """
    height, width = _usual_size(heights, widths) if size is None else check_size(size)
    if channels is None:
        channels = 1 if bool(grey.all()) else 3
    return height, width, channels


def check_size(size: Any) -> tuple[int, int]:
    """A size as (height, width), from that or from the side of a square.

    Raises:
        ConfigError: it is neither, or not from 1 to 4,096.
    """
    sides = cast("Sequence[Any]", size) if isinstance(size, tuple | list) else (size, size)
    if len(sides) != 2:
        raise ConfigError(f"size is {size!r}; allowed: a side, or (height, width)")
    for side in sides:
        check_whole("size", side, 1, 4096)
    return int(sides[0]), int(sides[1])


def unusual_sizes(
    names: Sequence[str], heights: NDArray[np.int64], widths: NDArray[np.int64]
) -> Iterator[Problem]:
    """A problem for each picture whose size or proportions are far from the usual ones.

    Its area is more than 16 times the median, or less than a 16th of it; or its proportions differ
    from the median ones by more than a factor of 3.
    """
    areas, proportions = heights * widths, heights / widths
    by_area = areas / np.median(areas)
    by_shape = proportions / np.median(proportions)
    usual = f"{np.median(heights):.0f} x {np.median(widths):.0f}"
    odd_area = (by_area > _UNUSUAL_AREA) | (by_area < 1 / _UNUSUAL_AREA)
    odd_shape = (by_shape > _UNUSUAL_SHAPE) | (by_shape < 1 / _UNUSUAL_SHAPE)
    for index in np.flatnonzero(odd_area | odd_shape).tolist():
        yield Problem(
            kind="unusual_size",
            path=names[index],
            reason=f"is {heights[index]} x {widths[index]} where {usual} is usual",
            skipped=False,
        )


def _usual_size(heights: NDArray[np.int64], widths: NDArray[np.int64]) -> tuple[int, int]:
    if (heights == heights[0]).all() and (widths == widths[0]).all():
        height, width = int(heights[0]), int(widths[0])
    else:
        height = width = int(np.median(np.maximum(heights, widths)))
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))
