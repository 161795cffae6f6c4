"""All that a report on a model tells of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.bundle import Model
from convolens.data import LabelledPictures, picture_digests
from convolens.evaluation import Evaluation, LabelErrors, MatrixIntervals, find_label_errors
from convolens.evaluation.metrics import Labels
from convolens.explain import heat_layer
from convolens.images import fit_image

_STRANGE = 0.5
"""Of the pictures: if so many are unlike those it knows, the model has no say in their labels."""
_KNOWS = 0.5
"""Accuracy below which it has none either."""
_FEW = 0.01
"""Of the pictures: so many may have been trained on, and labels are looked at all the same."""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """How a model was trained, as far as it is told."""

    settings: Mapping[str, Any]
    """Of the recipe, by name; may be nested."""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Seed, times, machine and the like, by what they are called on the page."""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Likewise of the data set."""
    problems: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many problems of each kind the data set had."""
    history: Sequence[Mapping[str, Any]] = ()
    """One entry an epoch, as ``Run.history``."""
    steps: Sequence[Mapping[str, Any]] = ()
    """One entry for some steps each, as ``Run.steps``."""
    note: str = ""
    """What must be said beside the learning curves."""
    comparable: bool = True
    """Whether accuracy on training pictures is that of all of them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """A model that was judged on pictures."""

    model: Model
    evaluation: Evaluation
    pictures: LabelledPictures
    """What it was judged on, in the order of the evaluation."""
    command: str
    """What makes the report again."""
    trained_on: int | None = None
    """How many of the pictures the model learned from; None where that is not known."""
    chosen_by: int = 0
    """How many of them its epoch, temperature and thresholds were chosen by."""
    run: RunFacts | None = None
    """None of a bundle whose run is not at hand."""
    calibrated: bool = True
    """Whether the probabilities are those of the model's temperature; else the network's own."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Of the model."""
        return self.model.classes

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """(n,) the likeliest class of each picture."""
        return self.evaluation.probabilities.argmax(axis=1)

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """(n,) its probability."""
        return self.evaluation.probabilities.max(axis=1).astype(np.float64)

    @cached_property
    def mistakes(self) -> NDArray[np.int64]:
        """(m,) positions of the pictures that are judged wrongly, the surest first."""
        wrong = np.flatnonzero(~self.evaluation.right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    @cached_property
    def strange(self) -> float:
        """The share of the pictures that are unlike all that the model was trained on, 0..1."""
        scores, thresholds = self.evaluation.familiarity, self.model.thresholds
        if scores is None or thresholds is None:
            return 0.0
        return float((scores < thresholds.unknown.threshold).mean())

    @cached_property
    def intervals(self) -> MatrixIntervals:
        """95 %, of precision, recall and F1 of every class."""
        return self.evaluation.intervals()

    @cached_property
    def suspected(self) -> LabelErrors | None:
        """Labels that are probably wrong; None where the model has no say in that.

        It has none on pictures that it was trained on, nor where it hardly knows the classes: most
        labels would be suspected because it is wrong.
        """
        if self.trained_on and self.trained_on > _FEW * self.evaluation.n:
            return None
        if self.strange > _STRANGE or self.evaluation.accuracy < _KNOWS:
            return None
        labels = self.evaluation.labels
        copies = _contrary_pairs(picture_digests(self.pictures.split.images), labels)
        return find_label_errors(self.evaluation.probabilities, labels, copies=copies)

    @cached_property
    def heat_layer(self) -> str | None:
        """The layer whose maps say what speaks for a class; None where none has any."""
        return heat_layer(self.model, [self.picture(0)])

    def name_of(self, place: int) -> str:
        """What a picture is called."""
        own = self.pictures.split.name_of(place)
        return f"picture {place}" if own is None else own

    def picture(self, place: int) -> NDArray[np.uint8]:
        """(height, width, channels) in the model's shape, as the model sees it."""
        image = np.asarray(self.pictures.split.images[place])
        if image.shape == self.model.input_shape:
            return image
        return fit_image(image, *self.model.input_shape, policy=self.model.preprocessing.fit)


def _contrary_pairs(digests: NDArray[np.uint64], labels: Labels) -> NDArray[np.int64]:
    """Positions of each picture that has another label elsewhere, with one of those: (m, 2).

    >>> digests = np.array([5, 5, 7, 5], dtype=np.uint64)
    >>> _contrary_pairs(digests, np.array([0, 0, 1, 2])).tolist()
    [[0, 3], [1, 3], [3, 0]]
    """
    order = np.argsort(digests, kind="stable")
    starts = np.append(0, np.flatnonzero(np.diff(digests[order])) + 1)
    counts = np.diff(np.append(starts, len(order)))
    pairs: list[tuple[int, int]] = []
    for start, n in zip(starts[counts > 1].tolist(), counts[counts > 1].tolist(), strict=True):
        places = order[start : start + n]
        first = places[0]
        others = places[labels[places] != labels[first]]
        if len(others):
            pairs += [(p, others[0] if labels[p] == labels[first] else first) for p in places]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
