from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import IMAGES, Residual, Twice, make_model
from torch import nn

from convolens.errors import ConfigError
from convolens.explain import layer_filters
from convolens.explain.layer_kinds import kind_of
from convolens.explain.networks import (
    find_layer,
    judging,
    last_convolution,
    layers_of,
    network_input,
    pass_through,
)
from convolens.zoo import ARCHITECTURES, build_network


def test_layers_are_found_by_what_they_are() -> None:
    """Not by their names: these lie."""
    network = nn.Sequential()
    network.add_module("relu", nn.Conv2d(3, 4, 3))
    network.add_module("conv", nn.ReLU6())
    network.add_module("linear", nn.AvgPool2d(2))
    network.add_module("pool", nn.InstanceNorm2d(4))
    network.add_module("norm", nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))
    kinds = ["convolution", "activation", "pooling", "normalisation", "other", "dense"]
    assert [kind_of(layer) for layer in layers_of(network).values()] == kinds
    assert list(layers_of(network, "dense", "activation")) == ["conv", "norm.1"]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architectures_layers_have_a_kind(architecture: str) -> None:
    with torch.device("meta"):
        network = build_network(architecture, (32, 32, 3), 4)
    others = {type(layer).__name__ for layer in layers_of(network, "other").values()}
    known = {"Add", "ChannelScale", "Concatenate", "Dropout", "Flatten", "Identity"}
    assert others <= known | {"StochasticDepth", "ZeroPadShortcut"}
    assert layers_of(network, "convolution")
    assert layers_of(network, "activation")


def test_what_pytorch_makes_weights_of_is_no_layer() -> None:
    conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    assert list(layers_of(nn.Sequential(conv, nn.ReLU()))) == ["0", "1"]
    assert list(layers_of(nn.Sequential(conv), "convolution")) == ["0"]


@pytest.mark.parametrize(
    ("name", "kinds", "message"),
    [
        ("laet", (), "unknown layer 'laet'; did you mean 'late'"),
        ("", (), "unknown layer ''"),
        ("laet", ("convolution",), "unknown convolution layer 'laet'; did you mean 'late'"),
        ("head", ("convolution", "pooling"), "'head' is a Linear; allowed is a convolution or"),
        ("late", ("pooling",), "the network has no pooling layer to look at"),
    ],
)
def test_a_wrong_layer_is_said(name: str, kinds: tuple, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find_layer(Residual(), name, *kinds)


def test_of_a_deep_networks_layers_the_likeliest_are_named() -> None:
    network = nn.Sequential(*(nn.Conv2d(1, 1, 1) for _ in range(300)))
    asked = [lambda: find_layer(network, "29b"), lambda: layer_filters(network, "29b")]
    for ask in [*asked, lambda: find_layer(network, "29b", "convolution")]:
        with pytest.raises(ConfigError) as error:
            ask()
        message = str(error.value)
        assert "layer '29b'; did you mean '29'? Allowed: 29, 29" in message
        assert message.endswith("(8 of 300 are named)")
        assert message.count(",") == 8


def test_a_models_pictures_go_through_its_preprocessing(tmp_path: Path) -> None:
    from PIL import Image

    model = make_model("compact")
    expected = model.preprocessing(IMAGES[:2])
    given = network_input(model, IMAGES[:2])
    assert given.shape == (2, 3, 16, 18)
    assert (given.permute(0, 2, 3, 1).numpy() == expected).all()
    Image.fromarray(IMAGES[0]).save(tmp_path / "one.png")
    mixed = network_input(model, [tmp_path / "one.png", Image.fromarray(IMAGES[1])])
    assert torch.equal(mixed, given)


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (np.ones((2, 8, 8, 3), np.uint8), "array of floating point, .* got shape .* of uint8"),
        (np.ones((8, 8, 3)), r"got shape \(8, 8, 3\)"),
        (np.ones((0, 8, 8, 3)), r"got shape \(0, 8, 8, 3\)"),
        (["a.png"], "array of floating point"),
    ],
)
def test_a_bare_network_takes_numbers(pictures: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        network_input(Residual(), pictures)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("pictures", "message"), [("shoe.png", "put it in brackets"), ([], "no picture was given")]
)
def test_a_model_takes_a_list(pictures: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        network_input(make_model("compact"), pictures)  # pyright: ignore[reportArgumentType]


def test_modes_are_as_they_were_after_judging() -> None:
    network = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(3).eval()).train()
    network[1].eval()
    with pytest.raises(ZeroDivisionError), judging(network):
        assert not any(module.training for module in network.modules())
        raise ZeroDivisionError
    assert [module.training for module in network.modules()] == [True, True, False]


def test_a_pass_keeps_what_came_in_and_went_out() -> None:
    """Though the rectifier of this network overwrites what it gets, and a sum what it is added
    to."""
    network = Residual().eval()
    network.norm1.bias.data.fill_(-0.2)
    x = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        passed = pass_through(network, x)
        first = network.norm1(network.early(x))
        rectified = first.clamp(min=0)
        second = network.norm2(network.late(rectified))
    assert torch.equal(passed.outputs["norm1"], first)
    assert torch.equal(passed.outputs["norm2"], second)
    assert torch.equal(passed.inputs["late"], rectified)
    # The rectifier is passed twice: the last counts.
    assert torch.equal(passed.inputs["relu"], second + rectified)
    assert list(passed.outputs) == ["early", "norm1", "late", "norm2", "relu", "head"]
    assert torch.equal(passed.logits, network(x))
    assert last_convolution(network, x) == "late"  # by the pass; it is registered first
    assert not any(module._forward_hooks for module in network.modules())


def test_gradients_of_the_logits_by_a_layers_output() -> None:
    network = Residual().eval()
    x = torch.randn(1, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    passed = pass_through(network, x, ["norm2"])
    (gradient,) = torch.autograd.grad(passed.logits[0, 1], passed.outputs["norm2"])
    rectified = network.relu(network.norm1(network.early(x)))
    alive = (passed.outputs["norm2"] + rectified > 0).float()
    expected = alive * network.head.weight[1][None, :, None, None] / 36
    assert torch.allclose(gradient, expected)


def test_a_pass_that_cannot_be_is_said() -> None:
    x = torch.zeros(1, 3, 6, 6)
    idle = nn.Module()
    with pytest.raises(
        ConfigError, match=r"must give logits \(n, classes\) for 1 pictures; got \("
    ):
        pass_through(nn.Sequential(nn.Conv2d(3, 2, 3)), x)
    network = Twice()
    network.idle = idle
    with pytest.raises(ConfigError, match="layer 'idle' is not passed by a picture"):
        pass_through(network, x, ["idle"])
    with pytest.raises(ConfigError, match="no convolution to look at"):
        last_convolution(nn.Sequential(nn.Flatten()), x)
