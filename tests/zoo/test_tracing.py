"""Networks followed layer by layer: shapes, receptive fields and what follows what."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import SMALL
from torch import nn

from convolens.errors import ConfigError
from convolens.zoo import ARCHITECTURES, build_network, length_free, summarise
from convolens.zoo.tracing import follow


def outputs(network: nn.Module, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
    """What each module without parts puts out, in the order in which they really run."""
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: seen.update({name: output})

    handles = [
        module.register_forward_hook(keep(name))
        for name, module in network.named_modules()
        if not list(module.children())
    ]
    with torch.no_grad():
        network(pictures)
    for handle in handles:
        handle.remove()
    return seen


@pytest.mark.parametrize("name", [*SMALL, "notes"])
@given(
    height=st.integers(8, 60),
    width=st.integers(8, 60),
    channels=st.sampled_from([1, 3]),
)
@settings(max_examples=5)
def test_the_summary_says_what_each_layer_really_puts_out(
    name: str, height: int, width: int, channels: int
) -> None:
    network = build_network(name, (height, width, channels), 3, **SMALL.get(name, {})).eval()
    seen = outputs(network, torch.rand(1, channels, height, width))
    layers = summarise(network, (height, width, channels)).layers
    assert [layer.name for layer in layers] == list(seen)
    for layer in layers:
        shape = tuple(seen[layer.name].shape[1:])
        expected = (*shape[1:], shape[0]) if len(shape) == 3 else (1, 1, *shape)
        assert layer.output_shape == expected, layer.name


@pytest.mark.parametrize("name", sorted(set(SMALL) - {"vgg11", "vgg16"}))
def test_a_receptive_field_is_what_a_value_depends_on(name: str) -> None:
    """A row that is not a number spoils exactly the values that see it, along any path."""
    side = {"mobilenet_v2": 32, "convnext": 40}.get(name, 72)  # theirs are slow in float64
    network = build_network(name, (side, 14, 1), 2, **SMALL[name]).double().eval()
    pictures = torch.rand(side, 1, side, 14, dtype=torch.float64)
    pictures[range(side), :, range(side)] = torch.nan
    seen, checked = outputs(network, pictures), set[str]()
    for layer in summarise(network, (side, 14, 1)).layers:
        spoilt = seen[layer.name].isnan()
        if spoilt.ndim != 4 or layer.receptive_field[0] > 0.7 * side:
            continue
        rows = spoilt[:, :, spoilt.shape[2] // 2].flatten(1).any(1).nonzero()
        assert int(rows.max() - rows.min()) + 1 == layer.receptive_field[0], layer.name
        checked.add(layer.kind)
    assert {"conv", "activation"} <= checked
    if name != "lenet5":
        assert checked & {"add", "concatenate"}


def test_where_paths_meet_the_wider_view_counts() -> None:
    layers = {layer.name: layer for layer in summarise("resnet18", (224, 224, 3)).layers}
    assert layers["stage2.0.shortcut.norm"].receptive_field == (43, 43)
    assert layers["stage2.0.body.norm2"].receptive_field == (67, 67)
    assert layers["stage2.0.add"].receptive_field == (67, 67)
    # By hand along the bodies: 7 x 7 and the pooling see 11, then four convolutions of each stage,
    # whose steps double within the first of them.
    by_hand = 11 + 4 * 8 + (8 + 3 * 16) + (16 + 3 * 32) + (32 + 3 * 64)
    assert layers["stage4.1.act"].receptive_field == (by_hand, by_hand)
    assert layers["stage4.1.act"].jump == (32, 32)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (224, 160, 3)])
def test_every_architecture_takes_small_and_large_pictures(
    name: str, shape: tuple[int, int, int]
) -> None:
    summary = summarise(name, shape, 7)
    assert summary.layers[-1].output_shape == (1, 1, 7)
    lines = str(summary).splitlines()
    assert len(lines) == len(summary.layers) + 2
    assert len({len(line[: line.rindex("  ")]) for line in lines[:-1]}) == 1  # columns align


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("compact", {}, True),
        ("lenet5", {}, False),
        ("notes", {}, False),
        ("vgg11", {}, True),
        ("vgg11", {"normalised": False}, False),
        ("resnet20", {}, True),
        ("resnet18", {}, True),
        ("wrn-16-4", {"dropout": 0.3}, True),
        ("densenet-bc-100", {"dropout": 0.2}, True),
        ("mobilenet_v2", {}, True),
        ("convnext-atto", {}, False),
    ],
)
def test_filters_are_free_of_length_where_a_normalisation_follows(
    name: str, arguments: dict, expected: bool
) -> None:
    network = build_network(name, (32, 32, 1), 3, **arguments).train()
    assert length_free(network) is expected
    if name in ("lenet5", "resnet20", "vgg11"):  # what it claims is so: three times as long, alike
        pictures = torch.rand(4, 1, 32, 32)
        torch.manual_seed(0)
        before = network(pictures)
        with torch.no_grad():
            for module in network.modules():
                if isinstance(module, nn.Conv2d):
                    module.weight.mul_(3)
        torch.manual_seed(0)
        assert torch.allclose(network(pictures), before, rtol=0.02, atol=0.02) is expected


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) if x.sum() > 0 else x


class Loose(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) + x


class Idle(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.idle = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.used(x)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Branching(), "Branching cannot be followed layer by layer .*must not depend on"),
        (Loose(), "Loose computes 'add' outside of its layers; make that operation a module"),
        (Idle(), "have 84 parameters and the network has 168; each layer must be used, once"),
        (nn.Sequential(nn.PReLU()), "PReLU, which a summary cannot count"),
        (nn.Linear(3, 3), "Linear computes .* outside of its layers"),
    ],
)
def test_what_cannot_be_followed_is_said(network: nn.Module, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        summarise(network, (8, 8, 3))
    if isinstance(network, Branching | Loose):
        assert not length_free(network)


def test_padding_by_name_is_counted() -> None:
    """Any stack of layers may be summarised, with padding as PyTorch names it, too."""
    network = nn.Sequential(
        nn.Conv2d(1, 2, 4, padding="same", dilation=2), nn.Conv2d(2, 2, 3, padding="valid")
    )
    layers = summarise(network, (12, 11, 1)).layers
    assert layers[0].output_shape == (12, 11, 2)
    assert layers[1].output_shape == (10, 9, 2)
    assert layers[1].receptive_field == (9, 9)
    assert [step.inputs for step in follow(network)] == [(-1,), (0,)]
