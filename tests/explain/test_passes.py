import numpy as np
import pytest
import torch
from small_networks import IMAGES, SMALL, Functional, Residual, Twice, make_model
from torch import Tensor, nn

from convolens.explain.networks import network_input, pass_through
from convolens.explain.passes import follow_pass
from convolens.zoo.tracing import follow

X = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 3, 8, 8)).astype(np.float32))


@pytest.mark.parametrize("architecture", SMALL)
def test_a_followed_pass_is_the_networks_graph(architecture: str) -> None:
    """The graph that is found without a picture says the same."""
    model = make_model(architecture)
    passed = follow_pass(model, network_input(model, IMAGES[:1]))
    expected = [(step.name, step.inputs) for step in follow(model.network)]
    assert [(each.name, each.inputs) for each in passed.passes] == expected


@pytest.mark.parametrize("network", [Residual().eval(), Twice().eval(), Functional().eval()])
def test_what_is_kept_is_what_came_and_went(network: nn.Module) -> None:
    passed = follow_pass(network, X)
    kept = pass_through(network, X)
    for name, output in kept.outputs.items():
        last = passed.passes[passed.place(name)]
        assert torch.equal(last.output, output), name
        assert torch.equal(last.given, kept.inputs[name]), name


def test_a_sum_in_place_is_not_taken_for_what_was_added_to() -> None:
    passed = follow_pass(Residual().eval(), X)
    inputs = [(each.name, each.inputs) for each in passed.passes]
    assert inputs[:5] == [
        ("early", (-1,)), ("norm1", (0,)), ("relu", (1,)), ("late", (2,)), ("norm2", (3,)),
    ]  # fmt: skip
    assert inputs[5:] == [("relu", (None,)), ("head", (None,))]
    assert [reader.name for reader in passed.readers(2)] == ["late"]


def test_a_layer_that_is_passed_twice_is_there_twice() -> None:
    passed = follow_pass(Twice(), X)
    inputs = [(each.name, each.inputs) for each in passed.passes]
    assert inputs == [("conv", (-1,)), ("act", (0,)), ("conv", (1,)), ("flat", (2,))]
    assert passed.place("conv") == 2


def test_a_block_is_the_layer_that_gave_its_output() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.act(x) * 2

    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(inplace=True)), Odd())
    assert follow_pass(network, X, ["0", "1"]).blocks == {"0": 1, "1": None}


def test_looking_leaves_the_network_and_the_picture_alone() -> None:
    network = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(3, 2, 3)).train()
    before = X.clone()
    follow_pass(network, X.clone())
    follow_pass(nn.Sequential(nn.Conv2d(3, 2, 3)), X)
    assert torch.equal(X, before)
    assert network.training
    for module in network.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
