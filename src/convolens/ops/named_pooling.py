"""A pooling by its name, as the command line and a web page write it: ``max:2``."""

import re
from dataclasses import dataclass

from numpy.typing import ArrayLike

from convolens.config import choose, did_you_mean
from convolens.errors import ConfigError
from convolens.ops.arrays import Array
from convolens.ops.padding import whole_number
from convolens.ops.pooling import avg_pool2d, depthwise_max_pool, max_pool2d

_FUNCTIONS = {"max": max_pool2d, "avg": avg_pool2d, "depth": depthwise_max_pool}
_WORDS = {"max": "max pooling", "avg": "average pooling", "depth": "depth-wise max pooling"}


@dataclass(frozen=True)
class Pooling:
    """A pooling and the size of its windows; call it on pictures.

    Args:
        mode: "max", "avg", or "depth" for the largest of neighbouring channels.
        size: height, width and step of a window; for "depth", channels in a run.

    Raises:
        ConfigError: an unknown mode, or a size below 1.

    >>> import numpy as np
    >>> print(Pooling("max", 2), Pooling("max", 2)(np.ones((4, 6, 3))).shape)
    max pooling 2×2 (2, 3, 3)
    """

    mode: str
    size: int

    def __post_init__(self) -> None:
        choose("pooling", self.mode, _FUNCTIONS)
        whole_number("size", self.size)

    def __call__(self, images: ArrayLike) -> Array:
        """Pool (height, width, channels) or (n, height, width, channels) pictures.

        Raises:
            ConfigError: a window larger than the picture, or channels that make no whole runs.
        """
        return _FUNCTIONS[self.mode](images, self.size)

    def __str__(self) -> str:
        size = f"of {self.size}" if self.mode == "depth" else f"{self.size}×{self.size}"
        return f"{_WORDS[self.mode]} {size}"


def named_pooling(name: str) -> Pooling:
    """A pooling by its name, such as "max:2", "avg:3" or "depth:3".

    Raises:
        ConfigError: another mode, or no size of at least 1 behind it.

    >>> named_pooling("depth:3")
    Pooling(mode='depth', size=3)
    >>> named_pooling("max")
    Traceback (most recent call last):
    ...
    convolens.errors.ConfigError: pooling 'max' has no size; write max:2
    """
    mode, colon, size = name.partition(":")
    if mode not in _FUNCTIONS:
        raise ConfigError(f"unknown pooling {name!r}{did_you_mean(mode, _FUNCTIONS)} (as in max:2)")
    if not colon:
        raise ConfigError(f"pooling {name!r} has no size; write {mode}:{_usual(mode)}")
    if not re.fullmatch("0*[1-9][0-9]{0,5}", size):
        raise ConfigError(
            f"pooling {name!r}: {size!r} is not a size; allowed: whole numbers from 1, "
            f"as in {mode}:{_usual(mode)}"
        )
    return Pooling(mode, int(size))


def _usual(mode: str) -> int:
    return 3 if mode == "depth" else 2
