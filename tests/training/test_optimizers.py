import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convolens.errors import ConfigError
from convolens.training import Muon, MuonAdamW, NAdam, orthogonalise


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_the_update_keeps_the_singular_vectors_and_evens_the_values(
    rows: int, columns: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(rows, columns, generator=generator)
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    if values[-1] < 0.05 * values[0]:
        return  # such directions grow to 1 only with more steps
    inside = left.T @ orthogonalise(matrix, steps=5) @ right.T
    diagonal = inside.diagonal()
    assert (diagonal > 0.5).all()
    assert (diagonal < 1.5).all()
    assert (inside - torch.diag(diagonal)).abs().max() < 0.1  # bfloat16 has 8 bits


def test_muon_keeps_the_length_of_the_weights() -> None:
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(8, 4, 3, 3))
    optimizer = Muon([weight], lr=0.01, momentum=0.6)
    for _ in range(20):
        (weight * torch.randn_like(weight)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        assert weight.detach().norm().item() == pytest.approx(8**0.5, rel=0.05)


def test_muon_follows_the_gradient_downhill() -> None:
    torch.manual_seed(0)
    target = torch.randn(8, 4, 3, 3)
    target *= 8**0.5 / target.norm()
    weight = torch.nn.Parameter(torch.randn(8, 4, 3, 3))
    optimizer = Muon([weight], lr=0.05, momentum=0.6)
    distances = []
    for _ in range(60):
        loss = (weight - target).square().sum()
        distances.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert distances[-1] < 0.1 * distances[0]


def test_every_parameter_has_exactly_one_optimiser() -> None:
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.Linear(4, 2)
    )
    for settings_ in (NAdam(), MuonAdamW()):
        held = [
            id(parameter)
            for optimizer in settings_.build(network)
            for group in optimizer.param_groups
            for parameter in group["params"]
        ]
        assert sorted(held) == sorted(id(parameter) for parameter in network.parameters())


def test_nadam_agrees_with_keras_formula() -> None:
    """Twenty steps of Keras 3's NAdam, written out; PyTorch keeps part of it in float32."""
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    module = torch.nn.Module()
    module.weight = weight
    (optimizer,) = NAdam(learning_rate=0.01).build(module)
    expected, first, second, product = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2), 1.0
    rng = np.random.default_rng(0)
    for t in range(1, 21):
        gradient = rng.normal(size=2)
        weight.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
        now, following = (0.9 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
        product *= now
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        mean = following * first / (1 - product * following) + (1 - now) * gradient / (1 - product)
        expected = expected - 0.01 * mean / (np.sqrt(second / (1 - 0.999**t)) + 1e-7)
    assert weight.detach().numpy() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NAdam(learning_rate=0), "learning_rate must be positive"),
        (lambda: MuonAdamW(adam_learning_rate=-1), "adam_learning_rate must be positive"),
        (lambda: MuonAdamW(momentum=1), "momentum must be in"),
        (lambda: NAdam(learning_rate=float("nan")), "learning_rate must be positive"),
    ],
)
def test_impossible_rates_are_refused(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
