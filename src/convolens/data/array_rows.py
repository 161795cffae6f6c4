"""What rows of arrays are called."""

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray


def row_name(split: str | None, row: int) -> str:
    """What to call a row of arrays: ``train[17]``, or ``[17]`` where there are no splits."""
    return f"{split or ''}[{row}]"


def of(split: str | None) -> str:
    """The start of a message about a part: "train ", or nothing where there are no splits."""
    return "" if split is None else f"{split} "


class RowNames(Sequence[str]):
    """Names of rows such as ``train[17]``, made when they are asked for.

    Args:
        splits: whose rows these are, part by part.
        rows: (k,) int64 for each part: which of its rows.

    >>> names = RowNames(["train", None], [np.array([0, 7]), np.array([3])])
    >>> list(names), names[-1], len(names)
    (['train[0]', 'train[7]', '[3]'], '[3]', 3)
    """

    def __init__(self, splits: Sequence[str | None], rows: Sequence[NDArray[np.int64]]) -> None:
        self._splits = list(splits)
        self._part: NDArray[np.int8] = np.repeat(
            np.arange(len(rows), dtype=np.int8), [len(part) for part in rows]
        )
        self._rows: NDArray[np.int64] = np.concatenate(rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        return row_name(self._splits[int(self._part[index])], int(self._rows[index]))

    def __repr__(self) -> str:
        return f"RowNames(n={len(self)})"
