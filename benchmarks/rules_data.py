"""The data sets on which ``rules.py`` trains: real pictures at several sizes and numbers.

Each is divided anew for every seed, from what is not a test picture. Small sets keep a quarter for
validation, where the package's own tenth would be too few to tell settings apart; and since the
photographs of hands are nearly all judged rightly even so, there is a set of few of them, which
leaves most for validation.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from convolens.data import Dataset, Split, data_directory, load_data, select, stratified_split

VALIDATION = 0.25  # of a small set
FEW = 400  # training pictures, 40 a class
ENLARGED = 12_000  # pictures of those that are made here, to bound the time
CHUNK = 500  # pictures enlarged at a time
HANDS = "sign-language-digits"

NAMES = (
    "digits",
    *(f"hands-{size}" for size in (32, 64, 96, 128)),
    *(f"fewhands-{size}" for size in (32, 64, 96, 128)),
    "fashion-2000",
    "fashion-10000",
    "coloured-56",
    "coloured-96",
    "fashion",
)
"""In the order in which they are trained on: the quick ones first. The number behind "fashion" is
that of training pictures, behind the others the side in pixels."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Division:
    """What one run learns from and is judged on."""

    train: Split
    validation: Split
    n_classes: int
    mirrors: bool
    """Whether the package knows that a mirrored picture is of the same class."""
    flips: bool
    """Whether it is."""


@lru_cache(maxsize=1)
def divide(name: str, seed: int) -> Division:
    """The training and the validation part of a data set, the same for every change of a seed.

    Args:
        name: one of :data:`NAMES`.
        seed: of the division, or of the sample.
    """
    kind, _, number = name.partition("-")
    if kind in ("digits", "hands", "fewhands"):
        data = _read(kind, int(number or 0))
        learnt = _learnt(data)
        share = FEW / len(learnt) if kind == "fewhands" else 1 - VALIDATION
        train, validation = stratified_split(learnt, (share, 1 - share), seed)
        # The other hand signs the same number, which only a person knows.
        return _division(data, train, validation, mirrors=False, flips=kind != "digits")
    data = _read("fashion", 0)
    train = data.train
    n = {"coloured": ENLARGED}.get(kind, int(number or len(train)))
    if n < len(train):
        train, _ = stratified_split(train, (n / len(train), 1 - n / len(train)), seed)
    if kind == "fashion":
        return _division(data, train, data.validation, mirrors=True, flips=True)
    validation, _ = stratified_split(data.validation, (0.5, 0.5), 0)
    train, validation = (
        Split(coloured(part.images[:], int(number), seed=stream), part.labels)
        for stream, part in ((2 * seed, train), (2 * seed + 1, validation))
    )
    return _division(data, train, validation, mirrors=True, flips=True)


def coloured(images: NDArray[np.uint8], size: int, *, seed: int) -> NDArray[np.uint8]:
    """Grey pictures in two random colours each, enlarged.

    Black becomes one colour and white another that differs by 64 to 191 in each channel, upwards or
    downwards: the colours say nothing about the class, and nor does which of them is the brighter.

    Args:
        images: (n, height, width, 1) uint8.
        size: side of the new pictures, in pixels; bilinear interpolation.
        seed: the colours of a picture depend on it and on the picture's position alone.

    Returns:
        (n, size, size, 3) uint8.
    """
    generator = np.random.Philox(key=np.array([seed, len("colours")], dtype=np.uint64))
    draws = generator.random_raw(6 * len(images)).reshape(-1, 6) >> np.uint64(56)
    black = draws[:, :3].astype(np.float32)
    white = ((draws[:, :3] + 64 + draws[:, 3:] // np.uint64(2)) % np.uint64(256)).astype(np.float32)
    enlarged = np.empty((len(images), size, size, 3), dtype=np.uint8)
    for start in range(0, len(images), CHUNK):
        some = slice(start, start + CHUNK)
        grey = torch.from_numpy(images[some]).permute(0, 3, 1, 2).float() / 255
        share = F.interpolate(grey, (size, size), mode="bilinear").permute(0, 2, 3, 1).numpy()
        low, high = (colour[some, None, None, :] for colour in (black, white))
        enlarged[some] = np.rint(low + share * (high - low)).astype(np.uint8)
    return enlarged


@lru_cache(maxsize=2)
def _read(kind: str, size: int) -> Dataset:
    if kind.endswith("hands"):
        return load_data(data_directory() / HANDS / "images", size=size)
    return load_data("digits" if kind == "digits" else "fashion-mnist")


def _learnt(data: Dataset) -> Split:
    """All pictures but the test pictures, in memory."""
    parts = (data.train, data.validation)
    images = [np.asarray(select(part.images, np.arange(len(part)))) for part in parts]
    return Split(np.concatenate(images), np.concatenate([part.labels for part in parts]))


def _division(data: Dataset, train: Split, validation: Split, **mirrored: bool) -> Division:
    return Division(train=train, validation=validation, n_classes=data.n_classes, **mirrored)
