"""All usable pictures of a source, before they are divided into splits."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convolens.data.problems import Problem
from convolens.data.stored import Images

UNDIVIDED = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """What every reader ends in."""

    name: str
    """What the data set is called."""
    source: str
    """Where it is from: a page or a path."""
    images: Images
    """(n, height, width, channels) uint8, n at least 1."""
    labels: NDArray[np.int64]
    """(n,), each the index of a class."""
    class_names: tuple[str, ...]
    """The name of each class, by its label."""
    names: Sequence[str] | None = None
    """What each picture is called; None where a picture has no name but its number."""
    labels_as_given: NDArray[np.int64] | None = None
    """(n,), those of the source where ``labels`` are corrected ones; divisions follow them."""
    dropped: NDArray[np.bool_] | None = None
    """(n,), pictures that a list of corrections leaves out after every division."""
    given: NDArray[np.int64]
    """(n,), the split that the source puts a picture into: an index of ``SPLIT_NAMES``, or
    ``UNDIVIDED``."""
    groups: NDArray[np.int64] | None = None
    """(n,), pictures of one number stay on one side of a division."""
    problems: tuple[Problem, ...] = ()
    """What was skipped, and what a user should know."""
    fit: str = "pad"
    """How pictures of other sizes were made to fit."""
    folder: Path | None = None
    """In the cache, where what follows from the pixels alone may be kept."""
    last_is_fair: bool = False
    """Whether the source is known to be shuffled, so that its last pictures are as good a sample
    as any, as the notes take them."""

    @property
    def strata(self) -> NDArray[np.int64]:
        """(n,), the labels by which classes are kept in proportion in a division.

        Those that the source gives: a picture whose label is corrected stays on its side, and so do
        all others, so that what was trained before and after can be compared.
        """
        return self.labels if self.labels_as_given is None else self.labels_as_given

    @property
    def kept(self) -> NDArray[np.bool_]:
        """(n,), all but the dropped ones."""
        return np.ones(len(self.labels), dtype=bool) if self.dropped is None else ~self.dropped
