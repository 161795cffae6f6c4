"""Threads that each compute on so many of PyTorch's own, and leave its settings as they were."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_pools: list[int] = []  # for every open pool, what the count was before the first of them


@contextmanager
def thread_pool(count: int, *, each: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads for operations of PyTorch.

    A thread's own count is also what PyTorch gives every thread that is started later. So when the
    last pool closes the count is put back to what it was before the first one opened.

    Args:
        count: threads in the pool.
        each: PyTorch's threads for an operation, in each of them.
        name: of the threads, for a debugger.

    >>> with thread_pool(2, each=1, name="counting") as pool:
    ...     list(pool.map(lambda _: torch.get_num_threads(), range(2)))
    [1, 1]
    """
    with _lock:
        _pools.append(_pools[0] if _pools else torch.get_num_threads())
    try:
        with ThreadPoolExecutor(
            count, name, initializer=torch.set_num_threads, initargs=(each,)
        ) as pool:
            yield pool
    finally:
        with _lock:
            before = _pools.pop()
            if not _pools:
                torch.set_num_threads(before)
