from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import SMALL
from torch.nn.functional import cross_entropy

from convolens.errors import ConfigError
from convolens.zoo import ARCHITECTURES, build_network, summarise

RUNNABLE: dict[str, dict[str, Any]] = {"compact": {}, "notes": {}, **SMALL}


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def pictures(n: int, height: int, width: int, channels: int) -> torch.Tensor:
    """As training hands them over: (n, channels, height, width) in ``channels_last`` memory."""
    generator = torch.Generator().manual_seed(n)
    return torch.randn(n, height, width, channels, generator=generator).permute(0, 3, 1, 2)


def test_the_notes_network_has_its_published_size() -> None:
    assert parameters(build_network("notes", (28, 28, 1), 10)) == 1_413_834


def test_the_notes_network_starts_as_keras_would() -> None:
    network = build_network("notes", (28, 28, 1), 10, seed=3)
    for module in network.modules():
        if not isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            continue
        weight = module.weight.detach()
        window = weight[0, 0].numel() if weight.ndim == 4 else 1
        limit = (6 / (window * (weight.shape[0] + weight.shape[1]))) ** 0.5
        assert weight.abs().max() <= limit
        assert weight.abs().max() > 0.95 * limit
        assert abs(weight.mean()) < 0.05 * limit
        assert (module.bias == 0).all()


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        # He et al., 2015: 2 / inputs, whatever the layer
        ("vgg11", lambda inputs, _outputs: 2 / inputs),
        ("resnet18", lambda inputs, _outputs: 2 / inputs),
        ("densenet-bc-100", lambda inputs, _outputs: 2 / inputs),
        # Glorot and Bengio, 2010
        ("lenet5", lambda inputs, outputs: 2 / (inputs + outputs)),
        # Liu et al., 2022: 0.02 squared, cut off at twice the deviation, which narrows it
        ("convnext-atto", lambda _inputs, _outputs: (0.02 * 0.8796) ** 2),
    ],
)
def test_weights_start_as_published(name: str, variance: Any) -> None:
    network = build_network(name, (32, 32, 3), 10)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.weight.numel() > 1000:
            weight = module.weight.detach()
            outputs = len(weight) * weight[0, 0].numel()
            assert weight.var() == pytest.approx(variance(weight[0].numel(), outputs), rel=0.3)
            assert module.bias is None or (module.bias == 0).all()


@pytest.mark.parametrize("name", RUNNABLE)
@given(
    height=st.integers(8, 40),
    width=st.integers(8, 40),
    channels=st.sampled_from([1, 3]),
    n_classes=st.integers(2, 12),
)
@settings(max_examples=6, deadline=None)
def test_any_shape_gives_one_finite_logit_a_class(
    name: str, height: int, width: int, channels: int, n_classes: int
) -> None:
    network = build_network(name, (height, width, channels), n_classes, **RUNNABLE[name]).eval()
    with torch.no_grad():
        logits = network(pictures(2, height, width, channels))
    assert logits.shape == (2, n_classes)
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", RUNNABLE)
@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 26, 3)])
@pytest.mark.parametrize("bfloat16", [False, True])
def test_every_parameter_learns_from_two_pictures(
    name: str, shape: tuple[int, int, int], bfloat16: bool
) -> None:
    network = build_network(name, shape, 3, **RUNNABLE[name]).train()
    torch.manual_seed(3)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        logits = network(pictures(2, *shape))
    assert logits.isfinite().all()
    cross_entropy(logits.float(), torch.tensor([0, 2])).backward()
    for key, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue  # a layer that is computed, not learnt
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        if not bfloat16:
            assert parameter.grad.abs().max() > 0, key


@pytest.mark.parametrize("name", SMALL)
def test_maps_stay_channels_last(name: str) -> None:
    """A layer that fell back to NCHW would make the next convolution copy its input."""
    network = build_network(name, (32, 32, 3), 3, **SMALL[name]).eval()
    strayed: list[str] = []

    def look(key: str) -> Any:
        def keep(_module: torch.nn.Module, _inputs: object, output: torch.Tensor) -> None:
            if output.ndim == 4 and not output.is_contiguous(memory_format=torch.channels_last):
                strayed.append(key)

        return keep

    for key, module in network.named_modules():
        module.register_forward_hook(look(key))
    with torch.no_grad():
        network(pictures(2, 32, 32, 3))
    assert strayed == []


@pytest.mark.parametrize("name", SMALL)
def test_one_picture_is_enough_to_train_on(name: str) -> None:
    """No normalisation ever sees a single value a channel."""
    network = build_network(name, (8, 8, 1), 3, **SMALL[name]).train()
    assert network(pictures(1, 8, 8, 1)).isfinite().all()


def test_a_path_is_dropped_for_some_pictures_while_training_alone() -> None:
    arguments = {**SMALL["convnext"], "drop_path": 0.6}
    network = build_network("convnext", (16, 16, 1), 3, **arguments)
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            if key.endswith("scale.weight"):
                parameter.fill_(1.0)  # from 1e-6, at which nothing of a block would be seen
    one = pictures(1, 16, 16, 1).expand(64, -1, -1, -1)
    torch.manual_seed(0)
    assert len(network.train()(one).round(decimals=3).unique(dim=0)) > 1
    assert len(network.eval()(one).round(decimals=3).unique(dim=0)) == 1


@pytest.mark.parametrize("size", [96, 128, 224])
def test_large_pictures_end_in_few_pixels(size: int) -> None:
    summary = summarise("compact", (size, size, 3), 5)
    last = [layer for layer in summary.layers if layer.kind == "activation"][-1]
    assert 3 <= last.output_shape[0] <= 5
    assert last.output_shape[2] <= 256


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_seed_decides_the_weights_and_leaves_the_global_state(name: str) -> None:
    arguments = RUNNABLE[name]
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = build_network(name, (28, 28, 1), 10, seed=5, **arguments).state_dict()
    again = build_network(name, (28, 28, 1), 10, seed=5, **arguments).state_dict()
    other = build_network(name, (28, 28, 1), 10, seed=6, **arguments).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", sorted(set(ARCHITECTURES) - {"compact"}))
def test_pictures_too_small_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"at least 8 x 8 pixels.*got 7 x 28"):
        build_network(name, (7, 28, 1), 10)


@pytest.mark.parametrize(
    ("name", "shape", "n_classes", "arguments", "message"),
    [
        ("nots", (28, 28, 1), 10, {}, "unknown architecture 'nots'; did you mean 'notes'"),
        ("compact", (3, 28, 1), 10, {}, "at least 4 x 4"),
        ("notes", (28, 28, 1), 1, {}, "at least 2 classes"),
        ("notes", (28, 28, 1), 10, {"dorpout": 0.1}, "did you mean 'dropout'"),
        ("lenet5", (28, 28, 1), 10, {"width": 1}, "has no argument 'width'; it takes none"),
        ("resnet18", (28, 28, 1), 10, {"width": 0}, "width is 0"),
        ("resnet20", (28, 28, 1), 10, {"depth": 21}, "has no argument 'depth'"),
        ("wide_resnet", (28, 28, 1), 10, {"depth": 20}, "depth is 20; allowed: 6 n . 4"),
        ("wide_resnet", (28, 28, 1), 10, {"dropout": 1}, r"dropout must be .* \[0, 1\); got 1"),
        ("densenet", (28, 28, 1), 10, {"depth": 99}, "depth is 99; allowed: 6 n . 4"),
        ("densenet", (28, 28, 1), 10, {"growth": "12"}, "growth is '12'"),
        ("mobilenet_v2", (28, 28, 1), 10, {"width": 9}, "width is 9; .*from 0.1 to 4"),
        ("convnext", (28, 28, 1), 10, {"depths": [1, 1]}, r"depths is \[1, 1\]; .*four whole"),
        ("convnext", (28, 28, 1), 10, {"depths": [1, 1, 1, 0]}, "depth of stage 4 is 0"),
        ("convnext", (28, 28, 1), 10, {"depths": "3393"}, "depths is '3393'"),
        ("vgg11", (28, 28, 1), 10, {"normalised": "no"}, "true or false; got 'no'"),
        ("vgg11", (28, 28, 1), 10, {"hidden": -1}, "hidden is -1"),
    ],
)
def test_what_cannot_be_built_is_said(
    name: str, shape: tuple[int, int, int], n_classes: int, arguments: dict, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build_network(name, shape, n_classes, **arguments)
