"""All figures of a model on one split, in one object."""

from dataclasses import dataclass, field, replace
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from convolens.bundle import Model
from convolens.config import choose, to_dict
from convolens.data import Dataset, LabelledPictures, pictures_of
from convolens.errors import DataError
from convolens.evaluation.bootstrap import MatrixIntervals, bootstrap_matrix
from convolens.evaluation.confusions import Confusion, most_confused
from convolens.evaluation.intervals import wilson_interval
from convolens.evaluation.metrics import (
    Averages,
    ClassMetrics,
    Labels,
    Probabilities,
    brier_score,
    class_metrics,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
    macro_average,
    top_k_accuracy,
    weighted_average,
)
from convolens.prediction import to_probabilities


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """How well a model does on one split."""

    n: int
    """Number of pictures."""
    accuracy: float
    """Share of the pictures whose likeliest class is the right one."""
    accuracy_low: float
    """Lower end of its 95 % interval (Wilson)."""
    accuracy_high: float
    """Upper end."""
    log_loss: float
    """Mean of -log(probability of the right class), in nats."""
    ece: float
    """Expected calibration error, 15 bins."""
    per_class: tuple[ClassMetrics, ...]
    """Precision, recall, F1 and support, one entry a class."""
    confusion_matrix: NDArray[np.int64]
    """(classes, classes): row the right class, column the predicted one."""
    probabilities: Probabilities = field(repr=False)
    """(n, classes): what all of this was computed from, in the order of the pictures."""
    labels: Labels = field(repr=False)
    """(n,): and the right class of each, by its number in the model."""
    familiarity: NDArray[np.float64] | None = field(default=None, repr=False)
    """(n,): how like those it knows the model finds each picture; None where it has no threshold,
    or where probabilities were given alone."""

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) whether each picture was judged rightly."""
        return self.probabilities.argmax(axis=1) == self.labels

    @property
    def brier_score(self) -> float:
        """Mean squared distance of the probabilities from the truth, 0..2."""
        return brier_score(self.probabilities, self.labels)

    def top_k_accuracy(self, k: int = 5) -> float:
        """Share of the pictures whose right class is among the k likeliest."""
        return top_k_accuracy(self.probabilities, self.labels, k)

    @property
    def macro(self) -> Averages:
        """Mean over the classes."""
        return macro_average(self.per_class)

    @property
    def weighted(self) -> Averages:
        """Mean over the classes, each weighing as many pictures as it has."""
        return weighted_average(self.per_class)

    def intervals(self, confidence: float = 0.95, *, seed: int = 0) -> MatrixIntervals:
        """Bootstrap intervals of precision, recall and F1 of every class."""
        return bootstrap_matrix(self.confusion_matrix, confidence=confidence, seed=seed)

    def most_confused(self, top: int | None = 10) -> tuple[Confusion, ...]:
        """Which classes were taken for which, those of the most pictures first."""
        names = tuple(entry.name for entry in self.per_class)
        return most_confused(self.confusion_matrix, names, top=top)

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain JSON types; not the probabilities and labels of every picture."""
        none = {"probabilities": self.probabilities[:0], "labels": self.labels[:0]}
        figures = to_dict(replace(self, **none, familiarity=None))
        for name in (*none, "familiarity"):
            del figures[name]
        intervals = self.intervals()
        for name in ("precision", "recall", "f1"):
            bounds = getattr(intervals, name)
            for entry, (low, high) in zip(figures["per_class"], bounds, strict=True):
                entry |= {f"{name}_low": low, f"{name}_high": high}
        return {
            **figures,
            "brier_score": self.brier_score,
            "top_5_accuracy": self.top_k_accuracy(5),
            "macro": self.macro.to_dict(),
            "weighted": self.weighted.to_dict(),
            "most_confused": [each.to_dict() for each in self.most_confused()],
        }

    def __str__(self) -> str:
        """A sentence and a table, for a terminal."""
        width = max(len("class"), *(len(entry.name) for entry in self.per_class))
        lines = [
            (
                f"accuracy {self.accuracy:.2%} (95 % interval {self.accuracy_low:.2%} to "
                f"{self.accuracy_high:.2%}) on {self.n:,} pictures"
            ),
            f"log loss {self.log_loss:.4f}, calibration error {self.ece:.2%}",
            "",
            f"{'class':<{width}}  precision  recall      F1  pictures",
        ]
        lines += [
            f"{entry.name:<{width}}  {entry.precision:9.1%}  {entry.recall:6.1%}  "
            f"{entry.f1:6.1%}  {entry.support:8,}"
            for entry in self.per_class
        ]
        worst = [
            f"  {each.right} taken for {each.called}: {each.count:,} "
            f"({each.share:.1%} of its pictures)"
            for each in self.most_confused(3)
        ]
        return "\n".join([*lines, *(["", "most confused", *worst] if worst else [])])


def evaluate(
    model: Model, data: Dataset, *, split: str = "test", calibrated: bool = True
) -> Evaluation:
    """Judge a model on a split of a data set.

    Args:
        model: as from ``load_model``.
        data: as from ``load_data``; its classes must be among the model's, by name. Pictures of
            another shape go through the model's own preprocessing; read from files in the model's
            shape they lose nothing on the way.
        split: "train", "validation" or "test", or "all" of them.
        calibrated: as for :meth:`convolens.bundle.Model.predict_proba`.

    Raises:
        ConfigError: there is no such split.
        DataError: the data have a class that the model does not know.
    """
    choose(f"split of {data.name}", split, {**data.splits, "all": None})
    return evaluate_pictures(model, pictures_of(data, split), calibrated=calibrated)


def evaluate_pictures(
    model: Model, pictures: LabelledPictures, *, calibrated: bool = True
) -> Evaluation:
    """Judge a model on any labelled pictures, as from ``load_pictures``.

    Raises:
        DataError: they have a class that the model does not know.
    """
    label_of = _labels_by_name(pictures.class_names, model, pictures.name)
    logits, familiarity = model.logits_and_familiarity(pictures.split.images)
    probabilities = to_probabilities(logits, model.temperature if calibrated else 1.0)
    labels = label_of[pictures.split.labels]
    judged = evaluate_probabilities(probabilities, labels, model.classes)
    return replace(judged, familiarity=familiarity)


def _labels_by_name(class_names: tuple[str, ...], model: Model, data: str) -> Labels:
    """For each class of the data its number in the model: by name, never by position.

    A name is the same in every Unicode form: a folder copied from a Mac may spell "e" and its
    accent apart.
    """
    numbers = {normalize("NFC", name): number for number, name in enumerate(model.classes)}
    unknown = tuple(name for name in class_names if normalize("NFC", name) not in numbers)
    if unknown:
        raise DataError(
            f"{data} has the classes {_listed(unknown)}, which the model does not know; it "
            f"knows {_listed(model.classes)}"
        )
    return np.array([numbers[normalize("NFC", name)] for name in class_names], dtype=np.int64)


def evaluate_probabilities(
    probabilities: Probabilities, labels: Labels, class_names: tuple[str, ...]
) -> Evaluation:
    """All figures of predictions that were already made.

    Args:
        probabilities: (n, classes), each row summing to 1.
        labels: (n,) in 0..classes-1.
        class_names: one a class.

    Raises:
        ConfigError: shapes, labels or probabilities that do not fit.

    >>> judged = evaluate_probabilities(
    ...     np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([0, 1]), ("cat", "dog")
    ... )
    >>> judged.accuracy, round(judged.accuracy_low, 2)
    (1.0, 0.34)
    """
    matrix = confusion_matrix(probabilities, labels)
    right, n = int(np.trace(matrix)), len(labels)
    low, high = wilson_interval(right, n)
    return Evaluation(
        n=n,
        accuracy=right / n,
        accuracy_low=low,
        accuracy_high=high,
        log_loss=log_loss(probabilities, labels),
        ece=expected_calibration_error(probabilities, labels),
        per_class=class_metrics(matrix, class_names),
        confusion_matrix=matrix,
        probabilities=probabilities,
        labels=labels,
    )


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown}, … ({len(names)} in all)" if len(names) > 5 else shown
