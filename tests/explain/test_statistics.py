"""Statistics of layers, against NumPy on all outputs at once."""

import json

import numpy as np
import pytest
import torch
from small_networks import IMAGES, Residual, Twice, make_model
from torch import nn

from convolens.errors import ConfigError
from convolens.explain import activation_statistics
from convolens.explain.networks import network_input, pass_through
from convolens.zoo import summarise


@pytest.mark.parametrize("architecture", ["compact", "densenet", "convnext"])
def test_they_are_those_of_all_outputs_at_once(architecture: str) -> None:
    """130 pictures, so that there are two batches, of which one is small."""
    model = make_model(architecture)
    pictures = np.random.default_rng(0).integers(0, 256, (130, 16, 18, 3), dtype=np.uint8)
    statistics = activation_statistics(model, pictures)
    layers = summarise(model.network, (16, 18, 3)).layers
    assert [entry.layer for entry in statistics.layers] == [layer.name for layer in layers]
    assert statistics.n == 130
    with torch.no_grad():
        outputs = pass_through(model, network_input(model, pictures)).outputs
    for entry, layer in zip(statistics.layers, layers, strict=True):
        values = outputs[entry.layer].double().transpose(0, 1).flatten(1).numpy()
        assert entry.shape in (layer.output_shape, layer.output_shape[2:])
        size = np.abs(values).max()
        assert entry.mean == pytest.approx(values.mean(1), abs=1e-5 * size)
        assert entry.standard_deviation == pytest.approx(values.std(1), abs=1e-5 * size)
        # In batches of other sizes the network's own sums have another order.
        assert entry.minimum == pytest.approx(values.min(1), abs=1e-5 * size)
        assert entry.maximum == pytest.approx(values.max(1), abs=1e-5 * size)
        assert entry.zeros == pytest.approx((values == 0).mean(1), abs=1e-3)
        if entry.cut is not None:
            assert entry.cut == pytest.approx((values <= 0).mean(1), abs=1e-3)
    rectified = {entry.layer for entry in statistics.layers if entry.cut is not None}
    assert bool(rectified) == (architecture != "convnext")  # which has GELU
    if architecture == "compact":
        assert rectified == {"stem", "norm1a", "norm1b"}


def test_dead_channels_are_found() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Flatten()
    ).eval()
    conv, norm, *_ = network
    conv.weight.data[1] = 0.0
    norm.bias.data[:2] = torch.tensor([-99.0, 5.0])
    statistics = activation_statistics(network, IMAGES / 255)
    assert statistics.dead == {"0": (1,), "2": (0,)}
    text = str(statistics)
    assert "2: 1 of 3 channels are 0 for every picture: 0" in text
    assert "0: 1 of 3 channels are one constant: 1" in text
    cut = statistics.layers[1].cut
    assert cut is not None
    assert cut[:2].tolist() == [1.0, 0.0]
    fields = json.loads(json.dumps(statistics.to_dict()))
    assert fields["layers"][0]["dead"] == [1]
    assert len(text.splitlines()[0]) < 110


def test_one_value_alone_is_no_constant() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 16), nn.Flatten())
    assert activation_statistics(network, IMAGES[:1, :16, :16] / 255).dead == {}


def test_a_layer_that_is_passed_twice_has_two_entries() -> None:
    statistics = activation_statistics(Twice(), IMAGES / 255)
    entries = [(entry.layer, entry.use) for entry in statistics.layers]
    assert entries == [("conv", 0), ("act", 0), ("conv", 1), ("flat", 0)]
    assert "conv (2)" in str(statistics)
    shared = activation_statistics(Residual().eval(), IMAGES / 255)
    assert [entry.layer for entry in shared.layers].count("relu") == 2
    assert [entry.layer for entry in shared.layers if entry.cut is not None] == ["norm1"]


def test_no_pictures_and_wrong_ones_are_said() -> None:
    with pytest.raises(ConfigError, match="no picture was given"):
        activation_statistics(make_model("compact"), [])
    with pytest.raises(ConfigError, match="array of floating point"):
        activation_statistics(Twice(), IMAGES)


def test_the_network_is_left_as_it_was() -> None:
    network = Residual().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    activation_statistics(network, IMAGES / 255)
    assert network.training
    assert all(torch.equal(before[name], now) for name, now in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_each_use_of_a_layer_has_its_own_dead_channels() -> None:
    class Reused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.r, self.out = nn.ReLU(), nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            first = self.r(x * torch.tensor([1.0, -1.0]).view(1, 2, 1, 1))
            return self.out(self.r(-1 - first).mean((2, 3)))

    dead = activation_statistics(Reused(), np.ones((5, 4, 4, 2))).dead
    assert dead == {"r": (1,), "r (2)": (0, 1)}
