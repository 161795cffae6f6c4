"""Columns of labels or groups: a list of distinct values, and which of them each row has."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from convolens.data.array_rows import of
from convolens.data.array_values import to_numpy
from convolens.errors import DataError

_ALLOWED = "allowed: whole numbers, text, booleans or one-hot rows"


@dataclass(frozen=True, eq=False)
class Column:
    """Values as a list of distinct ones and the number of one for each row."""

    kind: str
    """"number", "truth" (booleans), "one-hot" or "text"."""
    distinct: list[Any]
    """int, bool, str, None where missing, or an infinite float."""
    codes: NDArray[np.int64]


def read_column(values: Any, split: str | None, what: str = "labels") -> Column:
    """Read one value a row from whatever holds them.

    Args:
        values: an array, a tensor, a list, a column of a data frame, of shape (n,) or (n, 1); of
            labels also one-hot rows (n, k).
        split: whose they are, for messages.
        what: "labels" or "groups".

    Raises:
        DataError: another shape, fractions, values of several kinds, several classes a row.

    >>> column = read_column(np.array([7.0, np.nan, 7.0]), "train")
    >>> column.kind, column.distinct, column.codes.tolist()
    ('number', [7, None], [0, 1, 0])
    """
    # Through objects: NumPy would turn the numbers of a mixed list into text.
    if isinstance(values, list | tuple):
        values = _objects(cast("Sequence[Any]", values))
    array = to_numpy(values, f"{of(split)}{what}")
    found = f"{of(split)}{what} of shape {array.shape} and dtype {array.dtype}"
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or array.size == 0 or (array.ndim == 2 and what == "groups"):
        rows = " or (n, classes)" if what == "labels" else ""
        raise DataError(f"{found}; allowed: (n,) or (n, 1){rows}, none of them zero")
    if array.ndim == 2:
        return _one_hot(array, found)
    if array.dtype.kind in "OSTU":
        return _from_objects(array.astype(object).tolist(), found)
    if array.dtype.kind not in "buif":
        raise DataError(f"{found}; {_ALLOWED}")
    kind = "truth" if array.dtype.kind == "b" else "number"
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
    distinct, codes = np.unique(array, return_inverse=True)
    numbers = [_whole(value, found) for value in distinct.tolist()]
    return Column(kind, numbers, codes.astype(np.int64, copy=False))


def common_kind(columns: Mapping[str | None, Column], what: str = "labels") -> str:
    """The kind of all parts together; columns without a single value have none.

    Raises:
        DataError: text in one part and numbers in another.
    """
    seen = {
        column.kind for column in columns.values() if any(v is not None for v in column.distinct)
    }
    if "text" in seen and len(seen) > 1:
        kinds = ", ".join(f"{of(split)}{column.kind}" for split, column in columns.items())
        raise DataError(f"{what} of different kinds ({kinds}); allowed: one kind in all splits")
    # The number 1 and the column 1 are the same class, and so is True beside them.
    return next(iter(seen)) if len(seen) == 1 else "number"


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    first = values[0] if values else None
    if isinstance(first, list | tuple) or getattr(first, "ndim", 0):
        return to_numpy(values, "labels")
    array = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):
        array[position] = value
    return array


def _one_hot(array: NDArray[Any], found: str) -> Column:
    if array.dtype.kind not in "buif":
        raise DataError(f"{found}; {_ALLOWED}")
    numbers = array.astype(np.float64)
    missing = np.isnan(numbers).any(axis=1)
    numbers[missing] = 0
    ones = (numbers == 1).sum(axis=1)
    if not ((numbers == 0) | (numbers == 1)).all():
        raise DataError(f"{found} are not one-hot: they hold more than 0 and 1; {_ALLOWED}")
    if (ones > 1).any():
        raise DataError(
            f"{found}: row {int((ones > 1).argmax())} has {int(ones.max())} classes; allowed: one "
            "class a row (several at once cannot be learnt here)"
        )
    width = array.shape[1]
    codes = numbers.argmax(axis=1).astype(np.int64)
    codes[ones == 0] = width
    return Column("one-hot", [*range(width), None], codes)


def _from_objects(values: list[Any], found: str) -> Column:
    number_of: dict[Hashable, int] = {}
    distinct: list[Any] = []
    codes = np.empty(len(values), dtype=np.int64)
    kinds: set[str] = set()
    for row, value in enumerate(values):
        # NumPy's and torch's single values know how to become Python's.
        if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
            value = value.item()  # noqa: PLW2901
        try:
            # 1 and True are one key to Python, and so are 1 and 1.0: kinds are told apart here.
            key: Hashable = (cast("type[Any]", type(value)), value)
            code = number_of.get(key, -1)
        except TypeError:
            raise DataError(f"{found}: row {row} is a {type(value).__name__}; {_ALLOWED}") from None
        if code < 0:
            code = number_of[key] = len(distinct)
            kind, plain = _plain(value, f"{found}: row {row}")
            kinds |= {kind} - {""}
            distinct.append(plain)
        codes[row] = code
    if len(kinds) > 1:
        raise DataError(f"{found} mix {' and '.join(sorted(kinds))}; {_ALLOWED}, all of one kind")
    return Column(next(iter(kinds), "text"), distinct, codes)


def _plain(value: Any, found: str) -> tuple[str, Any]:
    """The kind of one value and the value itself; a missing one has no kind."""
    absent = value is None or type(value).__name__ in ("NAType", "NaTType")
    if absent or (isinstance(value, float) and math.isnan(value)):
        return "", None
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            raise DataError(
                f"{found} is {value!r}, no UTF-8 text; decode the labels first"
            ) from None
    if isinstance(value, str):
        return ("text", value) if value.strip() else ("", None)
    if isinstance(value, bool):
        return "truth", value
    if isinstance(value, int | float):
        return "number", _whole(value, found)
    raise DataError(f"{found} is a {type(value).__name__}; {_ALLOWED}")


def _whole(value: float, found: str) -> float | bool | None:
    if isinstance(value, int) or math.isinf(value):
        return value
    if math.isnan(value):
        return None
    if not value.is_integer():
        raise DataError(f"{found}: {value!r} is a fraction, as in a regression; {_ALLOWED}")
    return int(value)
