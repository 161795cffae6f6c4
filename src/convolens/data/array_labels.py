"""Labels of any usual kind as class names and indices, matched by value across splits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.data.array_columns import common_kind, read_column
from convolens.data.array_rows import row_name
from convolens.data.classes import natural_sorted
from convolens.data.problems import Problem
from convolens.errors import DataError

_LARGEST = 2**63 - 1  # beyond it are -1 and its like, once written as unsigned numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchedLabels:
    """The labels of all parts, as indices of the same classes."""

    labels: dict[str | None, NDArray[np.int64]]
    """Part to (n,); -1 where a row has no usable label."""
    class_names: tuple[str, ...]
    """The name of each class, by its index."""
    problems: tuple[Problem, ...]
    """One for each row that is -1, and what a user should know."""


def match_labels(
    parts: Mapping[str | None, Any], class_names: Sequence[str] | None = None
) -> MatchedLabels:
    """Turn labels of any usual kind into indices of classes.

    Args:
        parts: "train", "validation", "test" or None to its labels: whole numbers of any type,
            whole floats, booleans or text, of shape (n,) or (n, 1), or one-hot rows (n, k).
        class_names: of whole numbers, the name of each value from 0; of text, the texts allowed,
            in the order wanted. If the numbers are exactly 1 to k for k names, they count from 1.
            None: the values found, numbers by size and text in natural order. Then numbers that
            begin at 0 or 1 keep a class for each gap, as long as nine in ten are there; every
            column of one-hot rows is a class.

    Returns:
        Indices, names, and a problem for each row without a label (NaN, None, empty text, a one-hot
        row of zeros: "missing_label") or with an impossible one (negative, infinite, beyond the
        names: "label_out_of_range").

    Raises:
        DataError: fractions, several classes a row, mixed kinds, or another shape or type.

    >>> matched = match_labels({"train": ["cat", "dog", ""], "test": ["dog"]})
    >>> matched.class_names, matched.labels["train"].tolist(), matched.labels["test"].tolist()
    (('cat', 'dog'), [0, 1, -1], [1])
    >>> matched.problems[0].path, matched.problems[0].kind
    ('train[2]', 'missing_label')
    """
    columns = {split: read_column(labels, split) for split, labels in parts.items()}
    kind = common_kind(columns)
    names = None if class_names is None else check_class_names(class_names)
    values = {value for column in columns.values() for value in column.distinct}
    if kind == "text":
        classes, notes = _text_classes(values, names), ()
    else:
        classes, notes = _number_classes(kind, values, names)
    labels: dict[str | None, NDArray[np.int64]] = {}
    problems: list[Problem] = []
    for split, column in columns.items():
        table = [classes.index.get(value, -1) for value in column.distinct]
        labels[split] = np.array(table, dtype=np.int64)[column.codes]
        for row in np.flatnonzero(labels[split] < 0).tolist():
            value = column.distinct[column.codes[row]]
            problems.append(_skipped(row_name(split, row), value, classes.allowed))
    return MatchedLabels(labels=labels, class_names=classes.names, problems=(*problems, *notes))


def match_groups(parts: Mapping[str | None, Any]) -> dict[str | None, NDArray[np.int64]]:
    """Number the groups of rows by value; a row without a group is one of its own.

    Args:
        parts: part to (n,) whole numbers or text.

    Returns:
        Part to (n,), 0 or more.

    >>> match_groups({None: ["anna", "bert", None, "anna"]})[None].tolist()
    [0, 1, 2, 0]
    """
    columns = {split: read_column(groups, split, "groups") for split, groups in parts.items()}
    common_kind(columns, "groups")
    numbers: dict[Any, int] = {}
    for column in columns.values():
        for value in column.distinct:
            if value is not None:
                numbers.setdefault(value, len(numbers))
    following = len(numbers)
    found: dict[str | None, NDArray[np.int64]] = {}
    for split, column in columns.items():
        table = [-1 if value is None else numbers[value] for value in column.distinct]
        groups = np.array(table, dtype=np.int64)[column.codes]
        alone = np.flatnonzero(groups < 0)
        groups[alone] = np.arange(following, following + len(alone))
        following += len(alone)
        found[split] = groups
    return found


@dataclass(frozen=True, eq=False)
class _Classes:
    names: tuple[str, ...]
    index: Mapping[Any, int]
    allowed: str


def _text_classes(values: set[Any], names: tuple[str, ...] | None) -> _Classes:
    if names is None:
        names = tuple(natural_sorted(value for value in values if value is not None))
    index = {name: position for position, name in enumerate(names)}
    return _Classes(names, index, "one of the class names")


def _number_classes(
    kind: str, values: set[Any], names: tuple[str, ...] | None
) -> tuple[_Classes, tuple[Problem, ...]]:
    whole = {int(value) for value in values if isinstance(value, int)}  # True is 1 by now
    found = sorted(value for value in whole if 0 <= value <= _LARGEST)
    if names is not None:
        return _named_numbers(found, names)
    if kind == "truth":
        return _Classes(("False", "True"), {False: 0, True: 1}, "True or False"), ()
    if not found:
        return _Classes((), {}, "whole numbers from 0"), ()
    largest, first = found[-1], min(found[0], 1)
    numbers: Sequence[int] = found
    # A class that happens to have no picture is reported as empty, not left out in silence. But
    # with few of the numbers there, as in a choice of two digits, the others are not meant.
    if found[0] == first and (largest + 1 - first - len(found)) * 10 <= largest + 1 - first:
        numbers = range(first, largest + 1)
    classes = _Classes(
        tuple(str(number) for number in numbers),
        {number: position for position, number in enumerate(numbers)},
        "whole numbers from 0",
    )
    if numbers[0] == 0 and len(numbers) == largest + 1:
        return classes, ()
    listed = ", ".join(str(number) for number in numbers[:5])
    listed += f", ... {largest}" if len(numbers) > 5 else ""
    return classes, (_note(f"the labels are {listed}: each is a class of that name"),)


def _named_numbers(
    found: Sequence[int], names: tuple[str, ...]
) -> tuple[_Classes, tuple[Problem, ...]]:
    from_one = list(found) == list(range(1, len(names) + 1))
    index = {position + from_one: position for position in range(len(names))}
    allowed = f"{int(from_one)} to {len(names) - 1 + from_one}, for {len(names)} class names"
    if not from_one:
        return _Classes(names, index, allowed), ()
    note = f"the labels are 1 to {len(names)}: 1 is taken for the first class, {names[0]!r}"
    return _Classes(names, index, allowed), (_note(note),)


def check_class_names(names: Iterable[Any]) -> tuple[str, ...]:
    """Class names as a tuple.

    Raises:
        DataError: one that is no text or empty, or two that are the same.
    """
    found = tuple(names)
    as_text = tuple(name for name in found if isinstance(name, str) and name.strip())
    if isinstance(names, str) or len(set(as_text)) < len(found) or not found:
        raise DataError(
            f"class names are {names!r}; allowed: a text for each class, distinct, none empty"
        )
    return tuple(str(name) for name in as_text)


def _note(reason: str) -> Problem:
    return Problem(kind="labels_not_from_zero", path="labels", reason=reason, skipped=False)


def _skipped(path: str, value: Any, allowed: str) -> Problem:
    if value is None:
        return Problem(kind="missing_label", path=path, reason="has no label", skipped=True)
    reason = f"label {value!r}; allowed: {allowed}"
    return Problem(kind="label_out_of_range", path=path, reason=reason, skipped=True)
