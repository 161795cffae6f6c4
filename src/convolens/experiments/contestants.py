"""Those that are compared: what each judged rightly, of pictures that are the same for all."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, variance
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.bundle import WEIGHTS, Model, load_model
from convolens.config import choose
from convolens.data import Dataset, DataSource, LabelledPictures, load_pictures, pictures_of
from convolens.data.surveying import OnProgress
from convolens.errors import ConfigError, ModelError
from convolens.evaluation import evaluate_pictures, wilson_interval
from convolens.experiments.intervals import student_t_quantile
from convolens.experiments.repeats import RECORD as SEEDS
from convolens.experiments.repeats import load_repeats
from convolens.training import count_trained_on, load_run
from convolens.training.run import RECORD as RUN

CONFIDENCE = 0.95
Right = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Contestant:
    """One of those that are compared: a model, or several that differ in their seed alone."""

    name: str
    """As it was given."""
    right: Right = field(repr=False)
    """(models, n) whether each model judged each picture rightly."""
    parameters: int
    """Trainable numbers of one model."""
    bytes: int
    """Of one model's weights on disk."""
    train_seconds: float | None
    """Of one model, the mean; None where it is not recorded."""
    images_per_second: float
    """Pictures judged, in this comparison."""
    trained_on: int
    """Of the pictures so many are known to have been trained on, or to have chosen the epoch."""

    @property
    def accuracies(self) -> list[float]:
        """Of each model."""
        return self.right.mean(axis=1).tolist()

    @property
    def accuracy(self) -> float:
        """Of one model, or the mean."""
        return fmean(self.accuracies)

    @property
    def interval(self) -> tuple[float, float]:
        """95 %: Wilson's of one model, Student's t over pictures and seeds of several."""
        if len(self.right) > 1:
            seeds = (variance(self.accuracies) / len(self.right), len(self.right) - 1)
            half = half_width([of_pictures(self.right.mean(axis=0)), seeds], CONFIDENCE)
            return max(0.0, self.accuracy - half), min(1.0, self.accuracy + half)
        return wilson_interval(int(self.right.sum()), self.right.shape[1], CONFIDENCE)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, without what was right of each picture."""
        low, high = self.interval
        return {
            "run": self.name,
            "seeds": len(self.right),
            "accuracy": self.accuracy,
            "accuracy_low": low,
            "accuracy_high": high,
            "accuracies": self.accuracies,
            "parameters": self.parameters,
            "bytes": self.bytes,
            "train_seconds": self.train_seconds,
            "images_per_second": self.images_per_second,
            "trained_on": self.trained_on,
        }


Part = tuple[float, int]
"""Of a variance, and the degrees of freedom with which it is known."""


def of_pictures(values: NDArray[np.float64]) -> Part:
    """Of the mean over pictures, each of which has a value."""
    n = len(values)
    return (float(values.var(ddof=1)) / n if n > 1 else 0.0, max(1, n - 1))


def half_width(parts: Sequence[Part], confidence: float) -> float:
    """Half of the interval of something whose variance is a sum of parts.

    Source: F. Satterthwaite, "An approximate distribution of estimates of variance components",
    1946, for the degrees of freedom.
    """
    total = sum(part for part, _ in parts)
    if total == 0:
        return 0.0
    freedom = total**2 / sum(part**2 / degrees for part, degrees in parts)
    return student_t_quantile(confidence, max(1, math.floor(freedom))) * math.sqrt(total)


class NamedPictures:
    """The pictures of a data set that was named, as each model reads them."""

    def __init__(
        self,
        data: DataSource,
        split: str | None,
        options: Mapping[str, Any],
        on_progress: OnProgress,
    ) -> None:
        self._data, self._split, self._options = data, split, dict(options)
        self._on_progress = on_progress
        self._read: dict[tuple[Any, ...], LabelledPictures] = {}
        self._labels: tuple[str, ...] | None = None
        self.words = ""

    def of(self, model: Model) -> LabelledPictures:
        """In the model's own shape, exactly as it would read them."""
        height, width, channels = model.input_shape
        own = {"size": (height, width), "channels": channels, "fit": model.preprocessing.fit}
        key = tuple(own.values())
        if key not in self._read:
            self._read[key] = load_pictures(
                self._data, self._split, on_progress=self._on_progress, **{**own, **self._options}
            )
        pictures = self._read[key]
        labels = tuple(pictures.class_names[label] for label in pictures.split.labels)
        if self._labels not in (None, labels):
            raise ConfigError(
                f"{pictures.name} is not the same pictures at {height} x {width} and at another "
                "size; see: convolens data"
            )
        self._labels = labels
        self.words = f"{pictures.which} of {pictures.name}"
        return pictures


class OwnPictures:
    """A part of the data set that all runs were trained on."""

    def __init__(self, dataset: Dataset, split: str) -> None:
        choose(f"split of {dataset.name}", split, {**dataset.splits, "all": None})
        self._pictures = pictures_of(dataset, split)
        self.words = f"{self._pictures.which} of {dataset.name}"

    def of(self, model: Model) -> LabelledPictures:  # noqa: ARG002 - as of those above
        """The same for all."""
        return self._pictures


def own_pictures(paths: Sequence[Path], split: str) -> OwnPictures:
    """A part of the data set that all of some runs were trained on.

    Raises:
        ConfigError: one is a bundle without a run, or they were trained on different data.
        DataError: the data cannot be found, or have changed.
    """
    bare = next((path for path in paths if not (path / RUN).is_file()), None)
    if bare is not None:
        load_model(bare)  # says so if it is no model at all
        raise ConfigError(
            f"{bare} is a bundle without a run: name the data set to judge on, with --data DATA"
        )
    runs = [load_run(path) for path in paths]
    first, *others = runs
    for other in others:
        if other.record["data"].get("fingerprint") != first.record["data"].get("fingerprint"):
            raise ConfigError(
                f"{first.path} and {other.path} were trained on different data, or on another "
                "division of them; name the data set to judge on, with --data DATA"
            )
    return OwnPictures(first.data(), split)


def members_of(path: Path) -> list[Path]:
    """The models of a contestant: one, or those of several seeds.

    Raises:
        ModelError: no seed has finished.
    """
    if not (path / SEEDS).is_file():
        return [path]
    finished = [run.path for run in load_repeats(path).runs]
    if not finished:
        raise ModelError(f"{path} has no finished run yet; go on with the command that began it")
    return finished


def enter(name: str, paths: Sequence[Path], source: NamedPictures | OwnPictures) -> Contestant:
    """Judge the models of one contestant.

    Args:
        name: as it was given.
        paths: of its models, at least one.
        source: what they are judged on.

    Raises:
        ModelError: one is no model.
        DataError: the pictures have a class that it does not know.
    """
    right: list[Right] = []
    seconds: list[float | None] = []
    trained_on, judging = 0, 0.0
    model = None
    for path in paths:
        model = load_model(path)
        pictures = source.of(model)
        begin = time.perf_counter()
        right.append(evaluate_pictures(model, pictures).right)
        judging += time.perf_counter() - begin
        trained_on = max(trained_on, count_trained_on(path, pictures.split) or 0)
        seconds.append(_train_seconds(path))
    assert model is not None, "a contestant has a model"
    known = [each for each in seconds if each is not None]
    folder = paths[-1] / "model" if (paths[-1] / RUN).is_file() else paths[-1]
    return Contestant(
        name=name,
        right=np.stack(right),
        parameters=sum(each.numel() for each in model.network.parameters()),
        bytes=(folder / WEIGHTS).stat().st_size,
        train_seconds=fmean(known) if known else None,
        images_per_second=sum(map(len, right)) / judging,
        trained_on=trained_on,
    )


def _train_seconds(path: Path) -> float | None:
    return load_run(path).results.get("train_seconds") if (path / RUN).is_file() else None
