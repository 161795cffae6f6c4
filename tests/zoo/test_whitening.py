"""Answers of whitening filters are uncorrelated; nothing about them is learnt."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convolens.zoo import build_network, whiten
from convolens.zoo.whitening import WhiteningConv2d


def pictures(n: int, channels: int, size: int, seed: int) -> torch.Tensor:
    """Smooth noise: neighbouring pixels are alike, as in photographs."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(n, channels, size + 4, size + 4, generator=generator)
    smooth = torch.nn.functional.avg_pool2d(noise, 5, stride=1)
    return (smooth - smooth.mean()) / smooth.std()


@given(
    channels=st.integers(1, 3),
    filters=st.sampled_from([8, 12, 32]),
    geometry=st.sampled_from([(3, 1), (4, 2), (8, 4)]),
    seed=st.integers(0, 2**32),
)
def test_strong_components_come_out_uncorrelated_and_of_one_size(
    channels: int, filters: int, geometry: tuple[int, int], seed: int
) -> None:
    size, stride = geometry
    layer = WhiteningConv2d(channels, filters, size, stride)
    layer.padding = (0, 0)  # what it was computed from: whole patches
    given = pictures(200, channels, 24, seed)
    layer.whiten(given)
    half = min(filters // 2, channels * size**2)
    answers = layer(given)[:, :half].transpose(0, 1).flatten(1).double()
    moments = answers @ answers.T / answers.shape[1]
    away = moments - torch.diag(moments.diagonal())
    assert away.abs().max() < 0.01
    # variance / (variance + 0.05): 1 for what matters, falling for what is weak
    assert moments.diagonal().max() <= 1
    assert moments.diagonal()[0] > 0.9
    assert (moments.diagonal().diff() < 0.01).all()


@given(filters=st.integers(2, 40), channels=st.integers(1, 2))
def test_every_filter_has_its_negative(filters: int, channels: int) -> None:
    layer = WhiteningConv2d(channels, filters, 3, 1)
    layer.whiten(pictures(50, channels, 12, filters))
    half = filters // 2
    assert torch.equal(layer.weight[:half], -layer.weight[half : 2 * half])
    assert (layer.weight.flatten(1).norm(dim=1) > 0).all()


def test_constant_pictures_do_no_harm() -> None:
    layer = WhiteningConv2d(1, 32, 4, 2)
    layer.whiten(torch.zeros(10, 1, 8, 8))
    assert layer.weight.isfinite().all()


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 1), (96, 128, 3), (17, 40, 4)])
def test_the_stem_is_frozen_and_everything_else_learns(shape: tuple[int, int, int]) -> None:
    network = build_network("compact", shape, 5)
    given = torch.randn(20, shape[2], shape[0], shape[1])
    whiten(network, given)
    network(given).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert (parameter.grad is None) == name.startswith("stem."), name


def test_whitening_is_the_same_on_any_number_of_threads() -> None:
    given, before = pictures(500, 3, 32, 1), torch.get_num_threads()
    weights: list[torch.Tensor] = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            layer = WhiteningConv2d(3, 32, 4, 2)
            whiten(layer, given)
            weights.append(layer.weight)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(weights[0], weights[2])
