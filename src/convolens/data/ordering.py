"""The order in which pictures are seen: a pure function of the seed and the epoch."""

import numpy as np
from numpy.typing import NDArray

from convolens.config import check_whole

_DECKS = 2**62 - 2  # the stream of the balanced order; see permutation for the others


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


def balanced_order(labels: NDArray[np.int64], seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of one epoch in which every class comes equally often, to one.

    As many pictures as there are, dealt to the classes in turn. Each class keeps a shuffled deck of
    its own: all its pictures come once before any comes again, from one epoch to the next too, so a
    large class shows its pictures over several epochs, and a small one shows them several times
    in each. Like :func:`epoch_order` it depends on nothing that came before.

    Args:
        labels: (n,) int64 of 0 or more, n at least 1.
        seed: 0 to 2**64 - 1.
        epoch: 0 to 2**40: far beyond any run, and the dealing stays within 64 bits.

    Returns:
        (n,) int64: indices of 0 to n - 1, in a shuffled order.

    Raises:
        ConfigError: a number outside its range, or no labels.

    >>> labels = np.array([0, 0, 0, 0, 0, 0, 0, 1])
    >>> orders = [balanced_order(labels, seed=0, epoch=epoch) for epoch in (0, 1)]
    >>> [np.bincount(labels[order]).tolist() for order in orders]
    [[4, 4], [4, 4]]
    >>> orders[0].tolist()
    [0, 5, 6, 7, 7, 3, 7, 7]
    """
    check_whole("epoch", epoch, 0, 2**40)
    n = len(labels)
    mixing = permutation(n, seed, epoch)
    classes = np.unique(labels)
    dealt: list[NDArray[np.int64]] = []
    for turn, label in enumerate(classes.tolist()):
        # Of the deals 0, 1, 2, ... of the whole run, n to an epoch, every k-th is this class's.
        first, last = (-((turn - n * e) // len(classes)) for e in (epoch, epoch + 1))
        members = np.flatnonzero(labels == label)
        dealt.append(members[_deck(len(members), seed, label, first, last)])
    return np.concatenate(dealt)[mixing]


def _deck(n: int, seed: int, label: int, first: int, last: int) -> NDArray[np.int64]:
    """Cards first..last-1 of an endless row of shuffled decks of n cards."""
    start = first // n
    decks = -(-last // n) - start
    # A block of four values for each count, so any place of the row is reached directly; the label
    # is counted in a word of its own, and no row is long enough to reach another's.
    block, skipped = divmod(start * n, 4)
    generator = np.random.Philox(
        key=np.array([seed, _DECKS], dtype=np.uint64),
        counter=np.array([block, 0, label, 0], dtype=np.uint64),
    )
    values = generator.random_raw(skipped + decks * n)[skipped:].reshape(decks, n)
    cards = np.argsort(values, axis=1, kind="stable").astype(np.int64, copy=False).ravel()
    return cards[first - start * n : last - start * n]


def permutation(n: int, seed: int, stream: int) -> NDArray[np.int64]:
    """A random order of 0 to n - 1 that depends on (n, seed, stream) alone.

    Epochs use the streams from 0 on, the decks of a balanced order 2**62 - 2, augmentation those
    from 2**62 - 1 on, splits those from 2**63 on.
    """
    check_whole("n", n, 1, 2**63 - 1)
    check_whole("seed", seed, 0, 2**64 - 1)
    generator = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    return np.argsort(generator.random_raw(n), kind="stable").astype(np.int64, copy=False)
