"""Lines of many points, drawn with few: no eye sees the difference, and the file stays small."""

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 160
"""Of a line. Where its shape needs more, its finest teeth go first."""

_COARSE = 4_000  # from so many points on, those that fall on one dot are merged before


def thinned(line: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """The points of a line without which it would be seen to change.

    Args:
        line: (points, 2), in the unit of the tolerance.
        tolerance: how far the line may move, such as a quarter of a point on paper.

    Returns:
        (fewer points, 2), first and last among them, at most 160.

    Source: U. Ramer, "An iterative procedure for the polygonal approximation of plane curves",
    1972; D. Douglas and T. Peucker, 1973.

    >>> thinned(np.array([[0.0, 0.0], [1.0, 0.01], [2.0, 0.0], [2.0, 5.0]]), 0.1).tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 5.0]]
    """
    points = _merged(line, tolerance) if len(line) > _COARSE else line
    while True:
        kept = points[_needed(points, tolerance)]
        if len(kept) <= MOST_POINTS:
            return kept
        points, tolerance = kept, 1.5 * tolerance


def _merged(line: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Of neighbours that fall into one square only the first, and the last of all."""
    squares = np.floor(line / tolerance)
    new = np.append(True, (np.diff(squares, axis=0) != 0).any(axis=1))
    new[-1] = True
    return line[new]


def _needed(points: NDArray[np.float64], tolerance: float) -> NDArray[np.bool_]:
    kept = np.zeros(len(points), dtype=bool)
    kept[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        off = _off_chord(points[first : last + 1])
        worst = int(off.argmax())
        if off[worst] > tolerance:
            middle = first + 1 + worst
            kept[middle] = True
            spans += [(first, middle), (middle, last)]
    return kept


def _off_chord(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the inner points are from the straight piece between the two ends."""
    start, chord = points[0], points[-1] - points[0]
    inner = points[1:-1] - start
    length = float(chord @ chord)
    along = np.clip(inner @ chord / length, 0, 1) if length else np.zeros(len(inner))
    return np.hypot(*(inner - along[:, None] * chord).T)
