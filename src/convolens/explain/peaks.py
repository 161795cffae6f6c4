"""Where a heat map is strongest, in numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import to_dict
from convolens.explain.seen_pixels import Extent

_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class Peak:
    """The highest place of a map, and how far around it the map is at least half as high."""

    row: int
    """Row of the highest value, the first of equals."""
    column: int
    """Its column."""
    rows: Extent
    """First and last row, going up and down from there."""
    columns: Extent
    """First and last column, going left and right from there."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)

    def __str__(self) -> str:
        return (
            f"row {self.row}, column {self.column}, and at least half as strong in rows "
            f"{self.rows[0]} to {self.rows[1]} and columns {self.columns[0]} to {self.columns[1]}"
        )


def find_peak(heat: NDArray[np.floating[Any]]) -> Peak | None:
    """Where a map is highest.

    Args:
        heat: (height, width).

    Returns:
        The place; None where no value is above 0.

    >>> peak = find_peak(np.outer([0.0, 1.0, 3.0, 2.0], [1.0, 1.0, 0.2]))
    >>> print(peak)
    row 2, column 0, and at least half as strong in rows 2 to 3 and columns 0 to 1
    >>> find_peak(np.zeros((2, 2))) is None
    True
    """
    clean = np.nan_to_num(heat.astype(np.float64), posinf=0.0, neginf=0.0)
    row, column = (int(place) for place in np.unravel_index(clean.argmax(), clean.shape))
    most = clean[row, column]
    if not most > 0:
        return None
    return Peak(
        row=row,
        column=column,
        rows=_around(clean[:, column] >= _SHARE * most, row),
        columns=_around(clean[row] >= _SHARE * most, column),
    )


def _around(high: NDArray[np.bool_], place: int) -> Extent:
    """First and last of the run of True that a place is in."""
    low = np.flatnonzero(~high)
    before, after = low[low < place], low[low > place]
    return (
        int(before[-1]) + 1 if len(before) else 0,
        int(after[0]) - 1 if len(after) else len(high) - 1,
    )
