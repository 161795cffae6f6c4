import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convolens.errors import ConfigError
from convolens.zoo import ARCHITECTURES, build_network, summarise


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


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


@pytest.mark.parametrize("name", ARCHITECTURES)
@given(
    height=st.integers(8, 40),
    width=st.integers(8, 40),
    channels=st.sampled_from([1, 3]),
    n_classes=st.integers(2, 12),
)
@settings(max_examples=10, deadline=None)
def test_any_shape_gives_one_logit_a_class_and_the_summary_agrees(
    name: str, height: int, width: int, channels: int, n_classes: int
) -> None:
    network = build_network(name, (height, width, channels), n_classes).eval()
    shapes: dict[str, tuple[int, ...]] = {}
    for child, module in network.named_children():
        module.register_forward_hook(
            lambda _m, _i, output, child=child: shapes.update({child: tuple(output.shape)})
        )
    with torch.no_grad():
        logits = network(torch.rand(2, channels, height, width))
    assert logits.shape == (2, n_classes)
    assert logits.isfinite().all()
    for layer in summarise(network, (height, width, channels)).layers:
        seen = shapes[layer.name]
        if len(seen) == 4:
            assert (seen[2], seen[3], seen[1]) == layer.output_shape
        else:
            assert (1, 1, seen[1]) == layer.output_shape


@pytest.mark.parametrize("size", [96, 128, 224])
def test_large_pictures_end_in_few_pixels(size: int) -> None:
    summary = summarise("compact", (size, size, 3), 5)
    last = [layer for layer in summary.layers if layer.kind == "activation"][-1]
    assert 3 <= last.output_shape[0] <= 5
    assert last.output_shape[2] <= 256


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_seed_decides_the_weights_and_leaves_the_global_state(name: str) -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = build_network(name, (28, 28, 1), 10, seed=5).state_dict()
    again = build_network(name, (28, 28, 1), 10, seed=5).state_dict()
    other = build_network(name, (28, 28, 1), 10, seed=6).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize(
    ("name", "shape", "n_classes", "arguments", "message"),
    [
        ("nots", (28, 28, 1), 10, {}, "unknown architecture 'nots'; did you mean 'notes'"),
        ("notes", (7, 28, 1), 10, {}, "at least 8 x 8"),
        ("compact", (3, 28, 1), 10, {}, "at least 4 x 4"),
        ("notes", (28, 28, 1), 1, {}, "at least 2 classes"),
        ("notes", (28, 28, 1), 10, {"dorpout": 0.1}, "did you mean 'dropout'"),
    ],
)
def test_what_cannot_be_built_is_said(
    name: str, shape: tuple[int, int, int], n_classes: int, arguments: dict, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build_network(name, shape, n_classes, **arguments)


def test_a_network_that_is_no_stack_has_no_summary() -> None:
    with pytest.raises(ConfigError, match="follow one another"):
        summarise(torch.nn.Linear(2, 2), (1, 1, 2))
    with pytest.raises(ConfigError, match="PReLU, which a summary cannot count"):
        summarise(torch.nn.Sequential(torch.nn.PReLU()), (1, 1, 2))
