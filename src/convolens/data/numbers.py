"""What pictures are called that come without names."""

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray


class Numbers(Sequence[str]):
    """The names of pictures that have none but their number: ``[17]``, made when asked for.

    Args:
        numbers: (n,) the number of each picture in the whole set, before it was divided.

    >>> names = Numbers(np.array([17, 4]))
    >>> names[0], list(names), len(names)
    ('[17]', ['[17]', '[4]'], 2)
    """

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __repr__(self) -> str:
        return f"Numbers(n={len(self)})"

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "Numbers": ...
    def __getitem__(self, index: int | slice) -> "str | Numbers":
        if isinstance(index, slice):
            return Numbers(self._numbers[index])
        return f"[{self._numbers[index]}]"
