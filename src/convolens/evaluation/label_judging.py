"""How probably labels are right, by Bayes' rule, from what a model says and how labels go wrong."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convolens.evaluation.metrics import Labels, Probabilities

_STEPS = 20
"""Of rectification. Five give the same F1 to 0.002, and a tenth less noise."""
_LIKELIEST = 24
"""Classes, at most, that a picture is judged by, beside all others as one. With 8, 16, 32 and all,
the same of 10,000 labels of 100 made-up classes, and of 6,000 of 300, are suspected but for 10."""
_BINS, _LARGEST = 4096, 14.0
"""Of log odds from minus to plus the largest, by which probabilities are calibrated."""
_ROWS, _CHUNK = 256, 2**13
"""Pictures, at least, and probabilities worked on together: they fit a processor's cache, and for a
product of so few BLAS starts no threads, which on a busy machine took ten times as long."""
_TINY = 1e-30

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class JudgedLabels:
    """How probably each label is right."""

    right: Values
    """(n,) by the probabilities as they are given."""
    right_calibrated: Values
    """(n,) by probabilities that are calibrated on the labels."""
    joint: Values
    """(classes, classes) by these, summing to 1: row the label, column the true class."""


def judge_labels(probabilities: Probabilities, labels: Labels, noise: Values) -> JudgedLabels:
    """How probably each label is right.

    What a picture truly is follows from the label that a model expects, and how probably its label
    is right from both. Work grows with the square of the classes that take part: of many classes
    these are each picture's 24 likeliest, with its label among them; all others count as one, of
    which each is as likely as the next.

    Args:
        probabilities: (n, classes), each by a model that was not trained on the picture.
        labels: (n,) in 0..classes-1.
        noise: (classes, classes), how often pictures of each class (rows) have each label.

    >>> noise = np.array([[0.9, 0.1], [0.0, 1.0]])
    >>> said = np.array([[0.9, 0.1], [0.9, 0.1], [0.0, 1.0]])
    >>> judge_labels(said, np.array([0, 1, 1]), noise).right.round(2).tolist()
    [1.0, 0.05, 1.0]
    """
    calibrated = _calibration(probabilities, labels)
    n, n_classes = probabilities.shape
    right, joint = np.empty((2, n)), np.zeros((n_classes, n_classes))
    of_label = noise.sum(axis=0)
    for part in _parts(probabilities):
        given, own = probabilities[part].astype(np.float64), labels[part]
        both, places = (given, calibrated[_bins(given)]), own
        if n_classes <= _LIKELIEST + 1:
            first, last = (_true_classes(said, noise, noise.T[own]) for said in both)
            np.add.at(joint, own, last)
        else:
            few = _few(given, own, noise, of_label)
            first, last = (_true_classes(few.said(x), few.noise, few.of_own) for x in both)
            others, places = last[:, -1:] / (n_classes - _LIKELIEST), few.places
            np.add.at(joint, own, others)
            np.add.at(joint, (own[:, None], few.classes), last[:, :-1] - others)
        rows = np.arange(len(own))
        right[:, part] = first[rows, places], last[rows, places]
    # What is spread over the other classes is taken back from those that took part.
    joint = np.maximum(joint, 0) / n
    return JudgedLabels(right=right[0], right_calibrated=right[1], joint=joint)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Few:
    """Of each picture those classes that take part, and last all others together."""

    classes: NDArray[np.int64]
    """(n, k)."""
    noise: Values
    """(n, k + 1, k + 1)."""
    places: NDArray[np.int64]
    """(n,) of its label among them."""

    @property
    def of_own(self) -> Values:
        """(n, k + 1): how often each has the picture's label."""
        return self.noise[np.arange(len(self.places)), :, self.places]

    def said(self, probabilities: Values) -> Values:
        """(n, k + 1) of (n, classes)."""
        own = np.take_along_axis(probabilities, self.classes, axis=1)
        others = probabilities.sum(axis=1, keepdims=True) - own.sum(axis=1, keepdims=True)
        return np.concatenate([own, np.maximum(others, 0)], axis=1)


def _few(probabilities: Values, own: Labels, noise: Values, of_label: Values) -> _Few:
    """The likeliest classes of each picture, its label among them.

    Args:
        probabilities: (n, classes).
        own: (n,) the labels.
        noise: (classes, classes).
        of_label: (classes,) its sums over the true classes.
    """
    k, n_classes = _LIKELIEST, len(noise)
    order = -probabilities
    order[np.arange(len(own)), own] = -np.inf
    classes = np.argpartition(order, k - 1, axis=1)[:, :k]
    among = np.empty((len(own), k + 1, k + 1))
    inside = noise[classes[:, :, None], classes[:, None, :]]
    among[:, :k, :k] = inside
    among[:, :k, k] = 1 - inside.sum(axis=2)
    # Of the others, each as likely as the next, the mean.
    among[:, k, :k] = (of_label[classes] - inside.sum(axis=1)) / (n_classes - k)
    among[:, k, k] = 1 - among[:, k, :k].sum(axis=1)
    places = (classes == own[:, None]).argmax(axis=1)
    return _Few(classes=classes, noise=np.maximum(among, 0), places=places)


def _true_classes(said: Values, noise: Values, of_own: Values) -> Values:
    """How probably pictures are of each class, from the labels that a model expects and their own.

    Args:
        said: (n, classes), what a model expects, of any sum.
        noise: (classes, classes), or such a matrix for each picture.
        of_own: (n, classes), how often each class has the picture's own label.
    """
    said = said / said.sum(axis=1, keepdims=True)
    truth, back = said.copy(), np.swapaxes(noise, -1, -2)
    for _ in range(_STEPS):
        truth *= _mixed(said / np.maximum(_mixed(truth, noise), _TINY), back)
        truth /= np.maximum(truth.sum(axis=1, keepdims=True), _TINY)
    truth *= of_own
    truth /= np.maximum(truth.sum(axis=1, keepdims=True), _TINY)
    return truth


def _mixed(values: Values, noise: Values) -> Values:
    return values @ noise if noise.ndim == 2 else (values[:, None] @ noise)[:, 0]


def _parts(probabilities: Probabilities) -> Iterator[slice]:
    step = max(_ROWS, _CHUNK // probabilities.shape[1])
    return (slice(start, start + step) for start in range(0, len(probabilities), step))


def _calibration(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """For each bin of probabilities how often a class of such a probability is the label.

    Isotonic: never less for a higher probability. Where labels are wrong at random, a model's
    probabilities of 0.001 and of 0.02 may mean the same.
    """
    counts, hits = np.zeros(_BINS), np.zeros(_BINS)
    for part in _parts(probabilities):
        bins, own = _bins(probabilities[part].astype(np.float64)), labels[part]
        counts += np.bincount(bins.ravel(), minlength=_BINS)
        hits += np.bincount(bins[np.arange(len(own)), own], minlength=_BINS)
    return np.maximum(_isotonic(hits, counts), 1e-6)


def _bins(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    inside = np.clip(probabilities, 1e-9, 1 - 1e-9)
    share = (np.log(inside / (1 - inside)) + _LARGEST) / (2 * _LARGEST)
    return np.clip(share * _BINS, 0, _BINS - 1).astype(np.int64)


def _isotonic(hits: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hits / counts, pooled where it falls: the adjacent violators of Ayer et al., 1955."""
    pooled: list[tuple[float, float, int]] = []
    for hit, count in zip(hits.tolist(), counts.tolist(), strict=True):
        block = (hit, count, 1)
        # An empty bin belongs to the one before it.
        while pooled and pooled[-1][0] * block[1] >= block[0] * pooled[-1][1]:
            before = pooled.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        pooled.append(block)
    rates = [hit / max(count, 1) for hit, count, _ in pooled]
    return np.repeat(rates, [length for _, _, length in pooled])
