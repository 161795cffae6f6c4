"""What is done to pixels before a network sees them: fitted once, stored with the model.

The same object prepares the training pictures and, years later, one photograph of any size: so
both go through the same arithmetic.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole, choose, from_dict
from convolens.data.stored import Images, image_chunks
from convolens.errors import ConfigError, DataError, ImageError
from convolens.images import FIT_POLICIES, ImageSource, describe_source, fit_image

# The notes' guard against division by zero.
_EPSILON = 1e-7

# float64 values that are worked on at a time: 32 MB.
_CHUNK_VALUES = 2**22

# Pictures of so many values a channel are looked up in a table rather than computed: the same
# numbers, in a third of the time.
_TABLE_FROM = 1024

_STATISTICS = {"scale": (), "per_pixel": ("mean", "std"), "per_channel": ("mean", "std")}

PREPROCESSING_KINDS = tuple(_STATISTICS)


@dataclass(frozen=True, eq=False, repr=False)
class Preprocessing:
    """From pictures of 0..255 to what a network takes.

    "scale" divides by 255. "per_pixel" gives (x - mean) / (std + 1e-7) with the mean and standard
    deviation of each pixel over the training pictures, in units of 0..255, as the notes do; a pixel
    that never changed in training is only centred, because dividing by 1e-7 would turn the smallest
    change in a new picture into millions. "per_channel" is the same with one mean and one standard
    deviation for each channel.

    Made by :func:`fit_preprocessing` or, from disk, by :meth:`from_parts`.

    Raises:
        ConfigError: an unknown kind or fit policy, or an impossible shape.
        DataError: statistics that are missing, superfluous, or of a wrong shape, type or value.

    >>> Preprocessing("scale", (1, 3, 1))(
    ...     np.array([0, 51, 255], np.uint8).reshape(1, 1, 3, 1)
    ... ).ravel()
    array([0. , 0.2, 1. ], dtype=float32)
    """

    kind: str
    """"scale", "per_pixel" or "per_channel"."""
    shape: tuple[int, int, int]
    """(height, width, channels) of the pictures that the network takes."""
    mean: NDArray[np.float64] | None = None
    """``shape`` or (channels,), float64, in 0..255; None for "scale"."""
    std: NDArray[np.float64] | None = None
    """Likewise the standard deviation, without the 1e-7; 0 where training never changed."""
    fit: str = "pad"
    """How a picture of another size is made to fit: "pad", "crop" or "stretch"."""

    def __post_init__(self) -> None:
        wanted = choose("preprocessing", self.kind, _STATISTICS)
        choose("fit policy", self.fit, dict.fromkeys(FIT_POLICIES))
        for name, value in zip(("height", "width", "channels"), self.shape, strict=True):
            check_whole(name, value, 1, 2**63 - 1)
        size = self.shape if self.kind == "per_pixel" else self.shape[2:]
        for name, tensor in (("mean", self.mean), ("std", self.std)):
            if (tensor is not None) != (name in wanted):
                needs = " and ".join(wanted) or "no statistics"
                raise DataError(f"{self.kind} preprocessing needs {needs}; {name} disagrees")
            if tensor is not None:
                _check_statistic(name, tensor, size)

    def __repr__(self) -> str:
        return f"Preprocessing({self.kind!r}, shape={self.shape}, fit={self.fit!r})"

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Prepare pictures that have the right size already.

        Args:
            images: (n, height, width, channels) uint8, exactly of ``shape``.

        Returns:
            The same layout, float32, computed in float64; each picture's values do not depend on
            the others.

        Raises:
            ConfigError: another shape or dtype.
        """
        if images.dtype != np.uint8 or images.shape[1:] != self.shape:
            raise ConfigError(
                f"images of shape {images.shape} and dtype {images.dtype}; allowed: "
                f"(n, {', '.join(map(str, self.shape))}) uint8; prepare() takes any picture"
            )
        prepared = np.empty(images.shape, dtype=np.float32)
        if self.kind != "per_pixel" and images.size > _TABLE_FROM * self.shape[2]:
            table = self._table()
            for channel in range(self.shape[2]):
                np.take(table[:, channel], images[..., channel], out=prepared[..., channel])
            return prepared
        step = max(1, _CHUNK_VALUES // int(np.prod(self.shape)))
        for start in range(0, len(images), step):
            chunk = images[start : start + step]
            prepared[start : start + step] = self._standardise(chunk)
        return prepared

    def prepare(self, pictures: Iterable[ImageSource] | NDArray[Any]) -> NDArray[np.float32]:
        """Prepare pictures of any size and mode.

        Args:
            pictures: paths, arrays, Pillow images or whatever else
                :func:`convolens.images.load_image` reads; or one array of four axes.

        Returns:
            (n, height, width, channels) float32.

        Raises:
            ImageError: one of them cannot be read; the message says which.
            ConfigError: one picture instead of several.
        """
        single = isinstance(pictures, str | bytes) or not hasattr(pictures, "__iter__")
        if single or getattr(pictures, "ndim", 4) != 4:
            raise ConfigError(
                f"got {describe_source(pictures)}; allowed: a list of pictures (put a single one "
                "in brackets), or an array (n, height, width, channels)"
            )
        fitted = [self._fit(number, picture) for number, picture in enumerate(pictures, start=1)]
        return self(np.stack(fitted) if fitted else np.empty((0, *self.shape), dtype=np.uint8))

    def to_dict(self) -> dict[str, Any]:
        """All but the statistics, as plain JSON types; ``tensors`` names the statistics."""
        return {
            "kind": self.kind,
            "shape": list(self.shape),
            "fit": self.fit,
            "tensors": list(_STATISTICS[self.kind]),
        }

    def tensors(self) -> dict[str, NDArray[np.float64]]:
        """The statistics by name, float64: {} or "mean" and "std"."""
        named = {"mean": self.mean, "std": self.std}
        return {name: tensor for name, tensor in named.items() if tensor is not None}

    @classmethod
    def from_parts(
        cls, mapping: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]
    ) -> "Preprocessing":
        """The inverse of :meth:`to_dict` and :meth:`tensors`, to the bit.

        Raises:
            ConfigError: ``mapping`` lacks a key, has one too many, or a value that is not allowed.
            DataError: ``tensors`` are not those that ``mapping`` names, or damaged.
        """
        head = from_dict(_Head, mapping, source="preprocessing")
        if sorted(head.tensors) != sorted(tensors):
            raise DataError(
                f"preprocessing: names the tensors {sorted(head.tensors)} but has {sorted(tensors)}"
            )
        unknown = set(tensors) - {"mean", "std"}
        if unknown:
            raise DataError(f"preprocessing: unknown tensors {sorted(unknown)}; allowed: mean, std")
        return cls(head.kind, head.shape, tensors.get("mean"), tensors.get("std"), head.fit)

    def _table(self) -> NDArray[np.float32]:
        """(256, channels): what becomes of every value, where all pixels are treated alike."""
        values = np.arange(256, dtype=np.uint8)[:, None]
        repeated = np.broadcast_to(values, (256, self.shape[2]))
        return self._standardise(repeated).astype(np.float32)

    def _standardise(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        if self.mean is None or self.std is None:
            return images / 255.0
        return (images - self.mean) / np.where(self.std > 0, self.std + _EPSILON, 1.0)

    def _fit(self, number: int, picture: ImageSource) -> NDArray[np.uint8]:
        try:
            return fit_image(picture, *self.shape, policy=self.fit)
        except ImageError as error:
            raise ImageError(f"picture {number}: {error}") from None


@dataclass(frozen=True, kw_only=True)
class _Head:
    kind: str
    shape: tuple[int, int, int]
    fit: str
    tensors: list[str]


def fit_preprocessing(kind: str, images: Images, *, fit: str = "pad") -> Preprocessing:
    """Learn the statistics of the training pictures.

    Args:
        kind: "scale" (nothing to learn), "per_pixel" or "per_channel".
        images: (n, height, width, channels) uint8, n at least 1: the training split alone, or what
            is measured on the other splits is no longer honest.
        fit: how pictures of another size will be made to fit: "pad", "crop" or "stretch".

    Returns:
        The preprocessing, its statistics exact to the last bit of float64.

    Raises:
        ConfigError: an unknown kind or policy, or pictures of another layout or dtype.

    >>> images = np.array([10, 30], np.uint8).reshape(2, 1, 1, 1)
    >>> fitted = fit_preprocessing("per_pixel", images)
    >>> fitted.mean.item(), fitted.std.item(), fitted(images).ravel()
    (20.0, 10.0, array([-1.,  1.], dtype=float32))
    """
    wanted = choose("preprocessing", kind, _STATISTICS)
    if images.ndim != 4 or images.dtype != np.uint8 or images.size == 0:
        raise ConfigError(
            f"images of shape {images.shape} and dtype {images.dtype}; "
            "allowed: (n, height, width, channels) uint8, none of them zero"
        )
    height, width, channels = images.shape[1:]
    shape = (height, width, channels)
    if not wanted:
        return Preprocessing(kind, shape, fit=fit)
    axes = (0,) if kind == "per_pixel" else (0, 1, 2)
    mean, std = _mean_and_std(images, axes)
    return Preprocessing(kind, shape, mean, std, fit)


def _mean_and_std(
    images: Images, axes: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Whole numbers all the way, Python's own where 64 bits may not do: a pixel that never changes
    # gets exactly 0, where floating-point sums would leave some 1e-14 to be divided by.
    total = np.zeros(images.shape[len(axes) :], dtype=np.int64)
    squares = np.zeros_like(total)
    for chunk in image_chunks(images, _CHUNK_VALUES):
        total += chunk.sum(axis=axes, dtype=np.int64)
        squares += np.square(chunk, dtype=np.uint16).sum(axis=axes, dtype=np.int64)
    n = images.size // total.size
    sums, square_sums = total.astype(object), squares.astype(object)
    variance = (n * square_sums - sums * sums) / (n * n)
    mean = (sums / n).astype(np.float64)
    return mean, np.sqrt(variance.astype(np.float64))


def _check_statistic(name: str, tensor: NDArray[Any], size: tuple[int, ...]) -> None:
    if tensor.dtype != np.float64 or tensor.shape != size:
        raise DataError(
            f"preprocessing: {name} has shape {tensor.shape} and dtype {tensor.dtype}; "
            f"should be {size} float64"
        )
    if not (tensor.min() >= 0 and tensor.max() <= 255):  # false for NaN
        raise DataError(
            f"preprocessing: {name} is from {tensor.min():g} to {tensor.max():g}; allowed: 0..255"
        )
