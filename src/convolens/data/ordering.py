"""The order in which pictures are seen: a pure function of the seed and the epoch."""

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole


def epoch_order(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of n pictures in one epoch.

    The order that sorts n values of a counter-based generator keyed by (seed, epoch), so it
    depends on nothing that came before: any epoch of a run can be made again alone. NumPy keeps
    the stream of this generator the same from version to version.

    Args:
        n: how many pictures, at least 1.
        seed: 0 to 2**64 - 1.
        epoch: 0 to 2**63 - 1.

    Returns:
        (n,) int64, each of 0 to n - 1 once.

    Raises:
        ConfigError: a number outside its range.

    Source: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011 (Philox).

    >>> epoch_order(5, seed=0, epoch=0), epoch_order(5, seed=0, epoch=1)
    (array([0, 2, 1, 4, 3]), array([3, 2, 4, 1, 0]))
    """
    check_whole("epoch", epoch, 0, 2**63 - 1)
    return permutation(n, seed, epoch)


def permutation(n: int, seed: int, stream: int) -> NDArray[np.int64]:
    """A random order of 0 to n - 1 that depends on (n, seed, stream) alone.

    Epochs use the streams below 2**63, splits those from there on.
    """
    check_whole("n", n, 1, 2**63 - 1)
    check_whole("seed", seed, 0, 2**64 - 1)
    generator = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    return np.argsort(generator.random_raw(n), kind="stable").astype(np.int64, copy=False)
