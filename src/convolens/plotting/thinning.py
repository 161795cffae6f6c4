"""Lines of many points, drawn with few: no eye sees the difference, and the file stays small."""

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 160
"""Of a line, unless the caller says otherwise. Where its shape needs more, its finest teeth go."""


def thinned(
    line: NDArray[np.float64], tolerance: float, most: int = MOST_POINTS
) -> NDArray[np.float64]:
    """The points of a line without which it would be seen to change.

    From its two ends on, the point that is furthest from the line so far is added, until none is
    further than the tolerance.

    Args:
        line: (points, 2), in the unit of the tolerance.
        tolerance: how far the line may move, such as a quarter of a point on paper.
        most: points that are kept, at least 2; where a line needs more it moves further.

    Returns:
        (fewer points, 2), first and last among them.

    Source: U. Ramer, "An iterative procedure for the polygonal approximation of plane curves",
    1972; D. Douglas and T. Peucker, 1973.

    >>> thinned(np.array([[0.0, 0.0], [1.0, 0.01], [2.0, 0.0], [2.0, 5.0]]), 0.1).tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 5.0]]
    """
    kept = [0, len(line) - 1]
    spans: list[tuple[float, int, int, int]] = []  # how far off, where, and the span's ends
    _push(spans, line, *kept)
    while spans and len(kept) < most:
        off, middle, first, last = heappop(spans)
        if -off <= tolerance:
            break
        kept.append(middle)
        _push(spans, line, first, middle)
        _push(spans, line, middle, last)
    return line[sorted(kept)]


def _push(
    spans: list[tuple[float, int, int, int]], line: NDArray[np.float64], first: int, last: int
) -> None:
    """Note the point between two that is furthest from the straight piece between them."""
    if last - first < 2:
        return
    start, chord = line[first], line[last] - line[first]
    inner = line[first + 1 : last] - start
    length = float(chord @ chord)
    along = np.clip(inner @ chord / length, 0, 1) if length else np.zeros(len(inner))
    off = np.hypot(*(inner - along[:, None] * chord).T)
    furthest = int(off.argmax())
    heappush(spans, (-float(off[furthest]), first + 1 + furthest, first, last))
