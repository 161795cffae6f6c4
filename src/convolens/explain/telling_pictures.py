"""Telling pictures of each class: the most typical, the most uncertain, the most wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole, to_dict
from convolens.errors import ConfigError

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassExamples:
    """Pictures of one class by their indices, those that tell most first; often fewer than k."""

    label: int
    """The class."""
    typical: Indices
    """Of the class and called so, by the highest probability of it."""
    uncertain: Indices
    """Of the class, by the smallest distance between the two likeliest classes."""
    wrong: Indices
    """Of the class and called another, by the highest probability of that other."""
    taken_for_it: Indices
    """Of another class and called this one, by the highest probability of it."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


def class_examples(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], *, k: int = 5
) -> tuple[ClassExamples, ...]:
    """The pictures of each class that say most of how a model sees it.

    Args:
        probabilities: (n, classes).
        labels: (n,) in 0..classes-1.
        k: how many at most of each kind.

    Returns:
        One entry a class. Of equals the picture of the lower index is first. Only what is alike in
        kind is counted: a class that is always judged rightly has no wrong pictures.

    Raises:
        ConfigError: shapes or labels that do not fit, or k below 1.

    >>> found = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    >>> bag, shoe = class_examples(found, np.array([0, 0, 0, 1]))
    >>> bag.typical.tolist(), bag.uncertain.tolist(), bag.wrong.tolist(), bag.taken_for_it.tolist()
    ([0, 1], [1, 2, 0], [2], [3])
    """
    check_whole("k", k, 1, 1_000_000)
    if probabilities.ndim != 2 or 0 in probabilities.shape or labels.shape != (len(probabilities),):
        raise ConfigError(
            "probabilities must have shape (n, classes) and labels (n,); got "
            f"{probabilities.shape} and {labels.shape}"
        )
    n_classes = probabilities.shape[1]
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ConfigError(
            f"labels must be in 0..{n_classes - 1}; got {labels.min()}..{labels.max()}"
        )
    return tuple(_of_each_class(probabilities, labels, k))


def _of_each_class(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], k: int
) -> Iterator[ClassExamples]:
    called = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1)
    margin = sure - _second(probabilities)
    for label in range(probabilities.shape[1]):
        own, so_called = labels == label, called == label
        yield ClassExamples(
            label=label,
            typical=_first(own & so_called, -sure, k),
            uncertain=_first(own, margin, k),
            wrong=_first(own & ~so_called, -sure, k),
            taken_for_it=_first(~own & so_called, -sure, k),
        )


def _second(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Of each picture the probability of the second likeliest class; 0 if there is but one."""
    if probabilities.shape[1] == 1:
        return np.zeros_like(probabilities[:, 0])
    return np.partition(probabilities, -2, axis=1)[:, -2]


def _first(which: NDArray[np.bool_], by: NDArray[np.floating[Any]], k: int) -> Indices:
    """Of the pictures chosen those with the k lowest values."""
    chosen = np.flatnonzero(which)
    return chosen[np.argsort(by[chosen], kind="stable")[:k]]
