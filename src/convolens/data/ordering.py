"""The order in which pictures are seen: a pure function of the seed and the epoch."""

from collections.abc import Iterator

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


def batches(
    order: NDArray[np.int64], batch_size: int, *, drop_last: bool = False
) -> Iterator[NDArray[np.int64]]:
    """Cut an order into batches.

    Args:
        order: (n,) indices.
        batch_size: indices in a batch, at least 1.
        drop_last: leave out a last batch that is smaller than the others.

    Returns:
        An iterator over (batch_size,) indices, views of ``order``; the last may be shorter.

    Raises:
        ConfigError: ``batch_size`` is below 1.

    >>> [batch.tolist() for batch in batches(np.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    check_whole("batch_size", batch_size, 1, 2**63 - 1)
    end = len(order) - len(order) % batch_size if drop_last else len(order)
    return (order[start : start + batch_size] for start in range(0, end, batch_size))


def permutation(n: int, seed: int, stream: int) -> NDArray[np.int64]:
    """A random order of 0 to n - 1 that depends on (n, seed, stream) alone.

    Epochs use the streams below 2**63, splits those from there on.
    """
    check_whole("n", n, 1, 2**63 - 1)
    check_whole("seed", seed, 0, 2**64 - 1)
    generator = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    return np.argsort(generator.random_raw(n), kind="stable").astype(np.int64, copy=False)
