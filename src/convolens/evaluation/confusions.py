"""Which classes are taken for which."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import to_dict
from convolens.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Pictures of one class that were called another."""

    right: str
    """The class that they are of."""
    called: str
    """The class that they were taken for."""
    count: int
    """How many."""
    share: float
    """Of the pictures of the right class, 0..1."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


def most_confused(
    matrix: NDArray[np.int64], class_names: tuple[str, ...], *, top: int | None = 10
) -> tuple[Confusion, ...]:
    """The confusions, those of the most pictures first; of equal ones that of the rarer class.

    Args:
        matrix: (classes, classes) counts, as from :func:`confusion_matrix`.
        class_names: one a row.
        top: how many at most; None for all that happened.

    Raises:
        ConfigError: not as many names as rows.

    >>> [first, *_] = most_confused(np.array([[8, 2], [1, 4]]), ("cat", "dog"))
    >>> first
    Confusion(right='cat', called='dog', count=2, share=0.2)
    """
    if matrix.shape != (len(class_names),) * 2:
        raise ConfigError(
            f"the confusion matrix is {matrix.shape} and there are {len(class_names)} names; "
            "there must be one a row"
        )
    wrong = matrix - np.diag(np.diag(matrix))
    support = matrix.sum(axis=1)
    rows, columns = np.nonzero(wrong)
    counts = wrong[rows, columns]
    order = np.lexsort((columns, rows, support[rows], -counts))[:top]
    return tuple(
        Confusion(
            right=class_names[rows[place]],
            called=class_names[columns[place]],
            count=int(counts[place]),
            share=float(counts[place] / support[rows[place]]),
        )
        for place in order
    )
