"""The optimisers of a captured step give the numbers of those of the CPU, to rounding."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from convolens.training import MuonAdamW
from convolens.training.step_updates import StaticUpdates


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 1, bias=False), nn.Linear(4, 3)
    ).double()


def give_gradients(weights: list[nn.Parameter], step: int, *, without: int | None = None) -> None:
    generator = torch.Generator().manual_seed(step)
    for index, weight in enumerate(weights):
        gradient = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        weight.grad = None if index == without else gradient


def close(first: nn.Module, second: nn.Module) -> None:
    for mine, theirs in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


@given(
    rate=st.floats(1e-4, 0.3),
    decay=st.floats(0, 0.5),
    factors=st.lists(st.floats(0, 1), min_size=1, max_size=8),
)
@settings(max_examples=30)
def test_weights_are_those_of_the_optimisers_of_the_cpu(
    rate: float, decay: float, factors: list[float]
) -> None:
    optimizer_of = MuonAdamW(learning_rate=rate, adam_learning_rate=rate, weight_decay=decay)
    mine, theirs = network(), network()
    ours, reference = optimizer_of.build_static(mine), optimizer_of.build(theirs)
    for step, factor in enumerate(factors):
        for both, weights in ((ours, mine), (reference, theirs)):
            give_gradients(list(weights.parameters()), step)
            for optimizer in both:
                for group in optimizer.param_groups:
                    group["lr"] = rate * factor
                optimizer.step()
                optimizer.zero_grad()
    close(mine, theirs)


@pytest.mark.parametrize("to_static", [True, False])
def test_a_checkpoint_goes_from_one_kind_to_the_other(to_static: bool) -> None:
    """One of a GPU can be taken up on a CPU, and the other way round."""
    optimizer_of = MuonAdamW()
    mine, theirs = network(), network()
    first, second = optimizer_of.build(mine), optimizer_of.build(theirs)
    builders = (optimizer_of.build, optimizer_of.build_static)
    before, after = builders if to_static else reversed(builders)
    first = before(mine)
    for step in range(6):
        if step == 3:
            saved = [optimizer.state_dict() for optimizer in first]
            first = after(mine)
            for optimizer, state in zip(first, saved, strict=True):
                optimizer.load_state_dict(state)
        for both, weights in ((first, mine), (second, theirs)):
            give_gradients(list(weights.parameters()), step)
            for optimizer in both:
                optimizer.step()
    close(mine, theirs)


def test_planning_alone_changes_no_weight_and_applying_reads_what_was_planned() -> None:
    weights = network()
    optimizers = MuonAdamW().build_static(weights)
    before = [weight.detach().clone() for weight in weights.parameters()]
    give_gradients(list(weights.parameters()), 0)
    for optimizer in optimizers:
        assert isinstance(optimizer, StaticUpdates)
        optimizer.plan()
    assert all(torch.equal(a, b) for a, b in zip(before, weights.parameters(), strict=True))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = 1e9  # too late for this step
        optimizer.apply()
    moved: list[Tensor] = [weight.detach() for weight in weights.parameters()]
    assert all(not torch.equal(a, b) for a, b in zip(before, moved, strict=True))
    assert all(bool((weight.abs() < 10).all()) for weight in moved)


def test_a_parameter_without_a_gradient_is_left_alone() -> None:
    weights = network()
    optimizers = MuonAdamW().build_static(weights)
    for index, weight in enumerate(weights.parameters()):
        before = weight.detach().clone()
        give_gradients(list(weights.parameters()), 0, without=index)
        for optimizer in optimizers:
            optimizer.step()
        assert torch.equal(weight, before)
