"""Why did it say so: the pictures that a network sees as most like a given one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole, to_dict
from convolens.errors import ConfigError
from convolens.explain.networks import AnyPictures, Explainable
from convolens.explain.penultimate import features

_PRODUCTS_AT_ONCE = 2**24  # 64 MiB
_ROUNDING = 1e-5  # more than single precision is ever off by, and far less than what is seen

Features = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class NearestPictures:
    """For each of n pictures the k that are most like it, the likest first."""

    indices: NDArray[np.int64]
    """(n, k): their places among the pictures that were searched."""
    similarities: NDArray[np.float64]
    """(n, k): cosines between the features, at most 1; never rising."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


def nearest_pictures(
    model: Explainable, pictures: AnyPictures, among: AnyPictures, *, k: int = 5
) -> NearestPictures:
    """The pictures, such as those trained on, that a network sees as most like some others.

    By the cosine between their penultimate features (:func:`features`). A picture that is itself
    among those searched is its own nearest.

    Args:
        model: as from ``load_model``, or any ``nn.Module``.
        pictures: those to be explained, as for :func:`features`.
        among: those to be searched, likewise.
        k: how many for each.

    Raises:
        ConfigError: as :func:`features`; or k below 1 or above the number of pictures searched.
        ImageError: a picture cannot be read.

    >>> import torch
    >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    >>> known = np.eye(4).reshape(4, 2, 2, 1)
    >>> nearest_pictures(network, known[2:3] + 0.1, known, k=1).indices.tolist()
    [[2]]
    """
    if hasattr(among, "__len__") and len(among):  # before the long part; others are refused there
        check_whole("k", k, 1, len(among))
    return nearest_by_features(features(model, pictures), features(model, among), k=k)


def nearest_by_features(wanted: Features, among: Features, *, k: int = 5) -> NearestPictures:
    """As :func:`nearest_pictures`, of features that are at hand.

    The search is exact. Of equally near pictures the one of the lower index is first, whatever the
    number of threads: those that single precision cannot tell apart are compared in double.

    Args:
        wanted: (n, features). One without any feature, all zero, is like nothing: cosine 0.
        among: (m, features).
        k: 1..m.

    Raises:
        ConfigError: shapes that do not fit, features that are not finite, or k out of range.

    >>> found = nearest_by_features(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [2.0, 0.0]]), k=2)
    >>> found.indices.tolist(), found.similarities.tolist()
    ([[1, 0]], [[1.0, 0.0]])
    """
    _check(wanted, among)
    check_whole("k", k, 1, len(among))
    rows, columns = _directions(wanted, np.float32), _directions(among, np.float32)
    indices = np.empty((len(rows), k), dtype=np.int64)
    similarities = np.empty((len(rows), k))
    step = max(1, _PRODUCTS_AT_ONCE // len(columns))
    for start in range(0, len(rows), step):
        products = rows[start : start + step] @ columns.T
        for place, cosines in enumerate(products, start):
            least = np.partition(cosines, len(cosines) - k)[len(cosines) - k]
            candidates = np.flatnonzero(cosines >= least - _ROUNDING)
            exact = _cosines(wanted[place], among, candidates)
            first = np.argsort(-exact, kind="stable")[:k]
            indices[place], similarities[place] = candidates[first], exact[first]
    return NearestPictures(indices=indices, similarities=similarities)


def _cosines(one: Features, among: Features, candidates: NDArray[np.int64]) -> NDArray[np.float64]:
    """Between one and each of some others, every one computed in the same way."""
    direction = _directions(one[None, :], np.float64)
    parts = [
        (_directions(among[candidates[start : start + 4096]], np.float64) * direction).sum(axis=1)
        for start in range(0, len(candidates), 4096)
    ]
    # To 12 digits: what differs by rounding alone is equal, and ranked by its index.
    return np.clip(np.concatenate(parts).round(12), -1.0, 1.0)


def _directions(rows: Features, dtype: type[np.floating[Any]]) -> Features:
    """Each row made of length 1; a row of zeros is left as it is."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    # First to at most 1, so that no square overflows or vanishes.
    scaled = (rows / np.where(largest > 0, largest, 1)).astype(dtype)
    lengths = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    return scaled / np.where(lengths > 0, lengths, 1).astype(dtype)


def _check(wanted: Features, among: Features) -> None:
    shapes = f"{wanted.shape} and {among.shape}"
    if wanted.ndim != 2 or among.ndim != 2 or 0 in wanted.shape or 0 in among.shape:
        raise ConfigError(f"features must be (n, features) and (m, features); got {shapes}")
    if wanted.shape[1] != among.shape[1]:
        raise ConfigError(f"both must have as many features; got {shapes}: of one network?")
    for name, rows in (("wanted", wanted), ("among", among)):
        if not np.isfinite(rows).all():
            raise ConfigError(f"features must be finite; some of {name} are not")
