"""Pictures that stay on disk: an array that is read where it is indexed."""

import mmap
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from convolens.data.cache import GIGABYTE, gigabytes
from convolens.errors import DataError
from convolens.images.reading_pool import count_cores

_T = TypeVar("_T")

IN_PASSING = 256 * 2**20
"""Bytes read from a mapping in order before its pages are handed back to the system.

They count as this process's memory until then, though the system keeps a copy of its own and can
take them at any time. What is read in passing is not needed again soon. Pictures drawn at random
are, and handing them back costs a third of the rate at the next use: see :func:`memory_limit`.
"""

_CHUNK_BYTES = 32 * 2**20
_MOST_THREADS = 4  # each works on a chunk of its own


def memory_limit() -> int:
    """Bytes of pictures on disk that stay mapped while they are drawn at random.

    ``CONVOLENS_MEMORY_GB`` in gigabytes; an eighth of the machine's memory if it is not set.

    Raises:
        ConfigError: the variable is not a number above 0.
    """
    text = os.environ.get("CONVOLENS_MEMORY_GB")
    if text is None:
        if not hasattr(os, "sysconf"):
            return 2 * GIGABYTE
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 8
    return gigabytes("CONVOLENS_MEMORY_GB", text)


class StoredImages:
    """Some pictures of a memory-mapped array, in an order of their own.

    Indexing is what reads: ``images[3]`` is one picture, ``images[10:20]``, ``images[indices]`` and
    ``images[mask]`` are NumPy arrays of several. ``np.asarray(images)`` reads all of them, and
    :func:`image_chunks` all of them in bounded memory. What is read cannot be written to.

    Args:
        pixels: (m, height, width, channels) uint8, C-contiguous, usually mapped from a file.
        rows: (n,) which of them, int64 in 0..m-1; all of them in order if None.
        mapping: the mapping that ``pixels`` lies in, so that its pages can be handed back.

    Raises:
        DataError: an array of another layout or type, or rows that do not exist.

    >>> images = StoredImages(np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1), np.array([2, 0]))
    >>> len(images), images.shape, images[0].ravel()
    (2, (2, 2, 2, 1), array([ 8,  9, 10, 11], dtype=uint8))
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        rows: NDArray[np.int64] | None = None,
        *,
        mapping: mmap.mmap | None = None,
    ) -> None:
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or not pixels.flags.c_contiguous:
            raise DataError(
                f"stored images of shape {pixels.shape} and dtype {pixels.dtype}; "
                "allowed: (n, height, width, channels) uint8, C-contiguous"
            )
        chosen = np.arange(len(pixels)) if rows is None else np.asarray(rows, dtype=np.int64)
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < len(pixels)):
            raise DataError(f"rows up to {chosen.max()}; allowed: 0 to {len(pixels) - 1}")
        self._pixels = pixels
        self._rows = chosen
        self._mapping = mapping
        self._touched = 0
        self._most = memory_limit()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"StoredImages(shape={self.shape})"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(n, height, width, channels)."""
        height, width, channels = self._pixels.shape[1:]
        return len(self._rows), height, width, channels

    @property
    def size(self) -> int:
        """How many values there are."""
        return int(np.prod(self.shape))

    @property
    def nbytes(self) -> int:
        """Bytes of all of them on disk."""
        return self.size

    def __getitem__(self, index: Any) -> NDArray[np.uint8]:
        """One picture (height, width, channels), or several (k, height, width, channels)."""
        rows = self._rows[index]
        # A tenth faster than an index on small pictures; it copies a single one, too.
        picked = self._pixels.take(rows, axis=0)
        picked.flags.writeable = False
        self._release_after(picked.nbytes, in_passing=isinstance(index, slice))
        return picked

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for chunk in image_chunks(self):
            yield from chunk

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[np.uint8]:
        if copy is False:
            raise ValueError("stored images cannot become an array without being read")
        everything = self._pixels[self._rows]
        return everything if dtype is None else everything.astype(dtype)

    def select(self, indices: NDArray[Any] | slice) -> "StoredImages":
        """The pictures at some positions, still on disk."""
        return StoredImages(self._pixels, self._rows[indices], mapping=self._mapping)

    def joined_with(self, others: "Sequence[StoredImages]") -> "StoredImages":
        """These pictures and those of other selections of the same array, still on disk."""
        assert all(other._pixels is self._pixels for other in others), "of one array"  # noqa: SLF001
        rows = np.concatenate([self._rows, *(other._rows for other in others)])  # noqa: SLF001
        return StoredImages(self._pixels, rows, mapping=self._mapping)

    def _release_after(self, n_bytes: int, *, in_passing: bool) -> None:
        if self._mapping is None or not hasattr(mmap, "MADV_DONTNEED"):
            return
        with self._lock:
            # The pages around a picture come with it: the system maps 64 KiB at a fault.
            self._touched += n_bytes + 65_536
            if self._touched < (IN_PASSING if in_passing else self._most):
                return
            self._touched = 0
        self._mapping.madvise(mmap.MADV_DONTNEED)


Images = NDArray[np.uint8] | StoredImages
"""Pictures (n, height, width, channels), uint8: in memory, or on disk."""


def select(images: Images, indices: NDArray[Any] | slice) -> Images:
    """The pictures at some positions: a NumPy array stays one, stored pictures stay on disk."""
    return images.select(indices) if isinstance(images, StoredImages) else images[indices]


def image_chunks(images: Images, n_bytes: int = _CHUNK_BYTES) -> Iterator[NDArray[np.uint8]]:
    """All pictures in order, as arrays of at most ``n_bytes`` (and of at least one picture).

    >>> [len(chunk) for chunk in image_chunks(np.zeros((5, 2, 2, 1), np.uint8), n_bytes=8)]
    [2, 2, 1]
    """
    step = _step(images, n_bytes)
    for start in range(0, len(images), step):
        yield images[start : start + step]


def map_chunks(
    function: Callable[[NDArray[np.uint8]], _T], images: Images, n_bytes: int = _CHUNK_BYTES
) -> Iterator[_T]:
    """What a function gives for each chunk of all pictures, in order; several at a time.

    NumPy's arithmetic lets other threads run, so this uses the cores.

    >>> list(map_chunks(len, np.zeros((5, 2, 2, 1), np.uint8), n_bytes=8))
    [2, 2, 1]
    """
    step = _step(images, n_bytes)
    n_threads = min(_MOST_THREADS, count_cores())

    def at(start: int) -> _T:
        return function(images[start : start + step])

    waiting: deque[Future[_T]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        for start in range(0, len(images), step):
            if len(waiting) > n_threads:  # so that what is done does not pile up
                yield waiting.popleft().result()
            waiting.append(pool.submit(at, start))
        while waiting:
            yield waiting.popleft().result()


def _step(images: Images, n_bytes: int) -> int:
    return max(1, n_bytes // max(1, int(np.prod(images.shape[1:]))))
