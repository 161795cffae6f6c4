"""Class names: their order, which label is which, and names that are suspiciously alike."""

import re
from collections.abc import Iterable, Sequence
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from convolens.config import did_you_mean
from convolens.data.problems import Problem
from convolens.errors import DataError

# ASCII digits alone: what counts as a digit elsewhere changes with the version of Unicode.
_DIGITS = re.compile("[0-9]+")


def natural_key(name: str) -> tuple[str, str]:
    """What :func:`natural_sorted` sorts by, for ``sorted`` and ``list.sort``.

    Args:
        name: any text, half of a surrogate pair (from a file name that is no UTF-8) included.

    Returns:
        A key by which a run of digits counts as one number and capitals as small letters; names
        that are alike then are told apart by their exact text.

    >>> natural_key("img2") < natural_key("IMG10")
    True
    """
    return _DIGITS.sub(_encode_number, name.casefold()), name


def natural_sorted(names: Iterable[str]) -> tuple[str, ...]:
    """Names in the order a person would put them: "2" before "10", "ant" before "Bee".

    Args:
        names: any text; repeated names stay repeated.

    Returns:
        All of them. The order depends on nothing but the names: no locale, no platform.

    >>> natural_sorted(["class 10", "Class 2", "bee", "Ant"])
    ('Ant', 'bee', 'Class 2', 'class 10')
    """
    return tuple(sorted(names, key=natural_key))


def match_classes(
    labels: Sequence[str], class_names: Sequence[str] | None = None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Number labels by the names of their classes, never by where they were met.

    Args:
        labels: (n,) the name of each picture's class.
        class_names: names in the order of their numbers, distinct; None takes those of ``labels``
            in natural order.

    Returns:
        The class names, and (n,) int64: the index of each label among them.

    Raises:
        DataError: class names that are not distinct, or a label that is none of them.

    >>> match_classes(["10", "2", "10"])
    (('2', '10'), array([1, 0, 1]))
    """
    names = natural_sorted(set(labels)) if class_names is None else tuple(class_names)
    index_of = {name: index for index, name in enumerate(names)}
    if len(index_of) < len(names):
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise DataError(f"the class name {twice!r} is given twice; allowed: distinct names")
    unknown = next((label for label in labels if label not in index_of), None)
    if unknown is not None:
        raise DataError(f"label {unknown!r} is no class's name{did_you_mean(unknown, names)}")
    indices = np.fromiter((index_of[label] for label in labels), np.int64, count=len(labels))
    return names, indices


def case_twins(names: Iterable[str]) -> list[Problem]:
    """Class names that differ in nothing but case, white space or the way Unicode spells them.

    Args:
        names: class names; the same name twice is no twin.

    Returns:
        One problem of kind "case_twins" for each group of such names, its path the names joined
        by " / ".

    Source: compatibility caseless matching, The Unicode Standard, section 3.13, D146.

    >>> [twins.path for twins in case_twins(["cat", "dog", "Cat", "ca t"])]
    ['Cat / cat']
    """
    groups: dict[str, list[str]] = {}
    for name in natural_sorted(set(names)):
        groups.setdefault(_without_case(name), []).append(name)
    return [
        Problem(
            kind="case_twins",
            path=" / ".join(twins),
            reason=f"{len(twins)} classes whose names differ only in case, spaces or spelling: "
            + ", ".join(map(repr, twins)),
            skipped=False,
        )
        for twins in groups.values()
        if len(twins) > 1
    ]


def _encode_number(run: re.Match[str]) -> str:
    # Before the digits their number, as one character: the longer number is the larger. It is no
    # int(), which refuses more than 4,300 digits. The "0" keeps numbers where digits sort among
    # other characters.
    digits = run[0].lstrip("0")
    return f"0{chr(min(len(digits), 0x10FFFF))}{digits}"


def _without_case(name: str) -> str:
    # Folding case can undo the normal form (and the reverse), hence twice.
    folded = normalize("NFKC", normalize("NFKC", normalize("NFD", name).casefold()).casefold())
    return " ".join(folded.split())
