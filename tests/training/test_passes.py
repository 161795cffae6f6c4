"""Passes in parts give the gradient of the batch, the same bits on any number of threads."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from convolens.training import MuonAdamW
from convolens.training.passes import Passes, parts_of_batch
from convolens.zoo import build_network


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def plain_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3))


def batch(n: int, size: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, size, size, 1, generator=generator).permute(0, 3, 1, 2)
    return images, torch.randint(0, classes, (n,), generator=generator)


@given(n=st.integers(2, 40), parts=st.integers(1, 4), threads=st.integers(1, 3))
def test_without_normalisation_the_parts_give_the_gradient_of_the_whole(
    n: int, parts: int, threads: int
) -> None:
    parts = min(parts, n)
    torch.set_num_threads(threads)
    images, targets = batch(n, 8, 3)
    network, whole = plain_network(), plain_network()
    loss = F.cross_entropy(whole(images), targets)
    loss.backward()
    with Passes(network, parts=parts, loss=F.cross_entropy, bfloat16=False) as passes:
        found, logits = passes.gradients(images, targets)
    assert torch.get_num_threads() == threads
    torch.testing.assert_close(found, loss.detach())
    torch.testing.assert_close(logits, whole(images).detach())
    for mine, theirs in zip(network.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)


def trained(threads: int) -> dict[str, Tensor]:
    torch.set_num_threads(threads)
    network = build_network("compact", (28, 28, 1), 10, seed=1)
    optimizers = MuonAdamW().build(network)
    with Passes(network, parts=2, loss=F.cross_entropy, bfloat16=True) as passes:
        for step in range(4):
            passes.gradients(*batch(71, 28, 10, seed=step))
            passes.update(optimizers)
    return network.state_dict()


def test_one_thread_gives_the_same_bits_as_one_for_each_part() -> None:
    first, second = trained(1), trained(2)
    for name, value in first.items():
        assert torch.equal(value, second[name])


def test_running_statistics_are_the_mean_of_those_of_the_parts() -> None:
    images, targets = batch(64, 28, 10)
    network = build_network("compact", (28, 28, 1), 10)
    halves = [build_network("compact", (28, 28, 1), 10) for _ in range(2)]
    for half, some in zip(halves, images.chunk(2), strict=True):
        half(some)
    with Passes(network, parts=2, loss=F.cross_entropy, bfloat16=False) as passes:
        passes.gradients(images, targets)
    buffers = zip(network.named_buffers(), *(half.buffers() for half in halves), strict=True)
    for (name, mine), first, second in buffers:
        if mine.is_floating_point():
            torch.testing.assert_close(mine, (first + second) / 2, msg=name)


def test_an_error_in_any_part_comes_out_and_gives_the_threads_back() -> None:
    torch.set_num_threads(2)
    images, targets = batch(8, 8, 3)
    targets[-1] = 7  # a class that is none: in the last part, which another thread computes
    with (
        pytest.raises(IndexError, match="out of bounds"),
        Passes(plain_network(), parts=2, loss=F.cross_entropy, bfloat16=False) as passes,
    ):
        passes.gradients(images, targets)
    assert torch.get_num_threads() == 2


def test_what_draws_random_numbers_and_what_is_too_small_is_not_divided() -> None:
    compact = build_network("compact", (28, 28, 1), 10)
    assert parts_of_batch(compact, 256) == 2
    assert parts_of_batch(compact, 63) == 1
    assert parts_of_batch(build_network("notes", (28, 28, 1), 10), 256) == 1
