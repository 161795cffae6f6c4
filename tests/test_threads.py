"""However pools overlap, PyTorch's count of threads is afterwards what it was."""

import threading
from collections.abc import Iterator

import pytest
import torch

from convolens.threads import thread_pool


@pytest.fixture(autouse=True)
def _three() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def seen_by_a_new_thread() -> int:
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return seen[0]


def test_a_thread_started_later_has_the_count_of_before() -> None:
    with thread_pool(2, each=1, name="test") as pool:
        assert list(pool.map(lambda _: torch.get_num_threads(), range(4))) == [1] * 4
    assert torch.get_num_threads() == seen_by_a_new_thread() == 3


def test_pools_that_overlap_put_it_back_when_the_last_one_closes() -> None:
    opened, closed = threading.Event(), threading.Event()

    def other() -> None:
        with thread_pool(1, each=1, name="other") as pool:
            pool.submit(int).result()
            opened.set()
            closed.wait()

    with thread_pool(1, each=1, name="first") as pool:
        pool.submit(int).result()
        thread = threading.Thread(target=other)
        thread.start()
        opened.wait()
    closed.set()
    thread.join()
    assert seen_by_a_new_thread() == 3


def test_an_error_inside_puts_it_back_too() -> None:
    with pytest.raises(ZeroDivisionError), thread_pool(1, each=2, name="test") as pool:
        pool.submit(lambda: 1 / 0).result()
    assert torch.get_num_threads() == seen_by_a_new_thread() == 3
