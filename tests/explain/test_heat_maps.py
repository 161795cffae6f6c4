import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from heat_networks import CLASSES, PICTURES, VALUES, Awkward, Quadrant, make_model
from torch import nn

from convolens.errors import ConfigError, ModelError
from convolens.explain import (
    HeatMaps,
    grad_cam,
    integrated_gradients,
    layer_cam,
    occlusion,
)
from convolens.explain.layer_kinds import kind_of
from convolens.explain.networks import find_layer
from convolens.zoo import ARCHITECTURES

METHODS: dict[str, Callable[..., HeatMaps]] = {
    "grad_cam": grad_cam,
    "layer_cam": layer_cam,
    "integrated_gradients": lambda *given, **more: integrated_gradients(*given, steps=4, **more),
    "occlusion": lambda *given, **more: occlusion(*given, window=8, stride=8, **more),
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_can_be_looked_into(architecture: str) -> None:
    """The fused map of all resolutions holds each layer's, so one layer's highest is in it."""
    side = 8 if architecture == "wrn-28-10" else 16  # 36 million weights take their time
    model = make_model(architecture, side=side)
    one = PICTURES[:1, :side, :side]
    coarse, fused = grad_cam(model, one), layer_cam(model, one)
    # Behind the last convolution's normalisation and activation, or its sum with a shortcut.
    assert kind_of(find_layer(model, coarse.layer)) in ("activation", "other")
    assert coarse.values.shape == fused.values.shape == (1, side, side)
    assert coarse.values.min() >= 0
    assert 0 <= fused.values.min() <= fused.values.max() <= 1 + 1e-6
    assert len(set(fused.resolutions)) == len(fused.layers)
    assert coarse.layer in fused.layers
    assert coarse.targets == model.predict_proba(one).argmax()
    small = sum(weights.numel() for weights in model.network.parameters()) < 3e7
    for index, layer in enumerate(fused.layers if small else ()):
        alone = layer_cam(model, one, layers=[layer])
        assert alone.resolutions == (fused.resolutions[index],)
        assert (fused.values >= alone.values - 1e-6).all()


@every_method
def test_what_is_marked_is_where_the_network_looks(method: Callable[..., HeatMaps]) -> None:
    pictures = np.random.default_rng(0).uniform(0.5, 1, (3, 16, 16, 1))
    values = method(Quadrant(), pictures, 1).values
    assert (values[:, :8, :8] > 0).all()
    outside = np.concatenate([values[:, 8:].ravel(), values[:, :, 8:].ravel()])
    assert np.abs(outside).max() < 1e-6


@every_method
def test_nothing_is_left_behind(method: Callable[..., HeatMaps]) -> None:
    network = Awkward()
    network.train()
    network.logits.eval()
    network.gate.weight.grad = torch.ones_like(network.gate.weight)
    modes = [module.training for module in network.modules()]
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    pictures = VALUES.copy()
    method(network, pictures)
    assert np.array_equal(pictures, VALUES)
    assert modes == [module.training for module in network.modules()]
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in network.modules())
    assert (network.gate.weight.grad == 1).all()
    assert all(p.grad is None for n, p in network.named_parameters() if n != "gate.weight")
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(tensor, weights[n]) for n, tensor in network.state_dict().items())


@every_method
def test_no_picture_changes_another_and_modes_of_the_caller_do_not_matter(
    method: Callable[..., HeatMaps],
) -> None:
    network = Awkward()
    many = method(network, np.concatenate([VALUES] * 11))  # more than a batch
    with torch.inference_mode():
        few = method(network, VALUES)
    assert many.values[-5:] == pytest.approx(few.values, abs=1e-5)
    assert (many.targets[-5:] == few.targets).all()
    assert many.logits[-5:] == pytest.approx(few.logits, abs=1e-5)


@every_method
def test_a_mirrored_models_map_is_the_mean_of_both_views(method: Callable[..., HeatMaps]) -> None:
    model, target = make_model("resnet20", mirrored=True), "coat"
    found = method(model, PICTURES, target)
    plain = dataclasses.replace(model, mirrored=False)
    straight = method(plain, PICTURES, target)
    turned = method(plain, PICTURES[:, :, ::-1], target)
    assert found.logits == pytest.approx((straight.logits + turned.logits) / 2, abs=1e-5)
    if found.method != "layer_cam":  # whose maps are scaled, after the mean
        mean = (straight.values + turned.values[:, :, ::-1]) / 2
        assert found.values == pytest.approx(mean, abs=1e-5)
    again = method(model, PICTURES[:, :, ::-1], target)
    assert found.values == pytest.approx(again.values[:, :, ::-1], abs=1e-4)


@every_method
def test_targets(method: Callable[..., HeatMaps]) -> None:
    model = make_model("lenet5")
    likeliest = method(model, PICTURES)
    assert (np.array(CLASSES)[likeliest.targets] == model.predict(PICTURES)).all()
    named = method(model, PICTURES, "shirt")
    numbered = method(model, PICTURES, np.full(5, 3))
    assert named.targets.tolist() == [3] * 5
    assert (named.values == numbered.values).all()
    mixed = method(model, PICTURES, ["bag", "shirt", "bag", "coat", "bag"])
    assert mixed.targets.tolist() == [1, 3, 1, 2, 1]
    assert (mixed.values[1] == named.values[1]).all()
    json.dumps(mixed.to_dict(), allow_nan=False)


WRONG: list[tuple[Any, str]] = [
    (4, "target is 4; allowed: the number of a class, 0 to 3"),
    (-1, "target is -1; allowed: the number of a class, 0 to 3"),
    (1.5, "target is 1.5; allowed: a class's number or name"),
    (True, "target is True; allowed"),
    ("shrit", "unknown class 'shrit'; did you mean 'shirt'"),
    ([0, 1], r"target has shape \(2,\) and there are 5 pictures"),
    (np.zeros((5, 1), int), r"target has shape \(5, 1\)"),
]


@every_method
@pytest.mark.parametrize(("target", "message"), WRONG, ids=[message[:20] for _, message in WRONG])
def test_a_wrong_target_is_said(method: Callable[..., HeatMaps], target: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        method(make_model("lenet5"), PICTURES, target)


@every_method
def test_hostile_input(method: Callable[..., HeatMaps]) -> None:
    model, network = make_model("lenet5"), Awkward()
    broken = np.concatenate([VALUES] * 11)
    broken[52, 3, 3, 0] = np.nan
    with pytest.raises(ConfigError, match="picture 53 has values that are not finite"):
        method(network, broken)
    with pytest.raises(ConfigError, match="no picture was given"):
        method(model, [])
    with pytest.raises(ConfigError, match="takes an array of floating point"):
        method(network, VALUES[:0])
    with pytest.raises(ConfigError, match="put it in brackets"):
        method(model, "shoe.png")
    with pytest.raises(ConfigError, match="target is 9; allowed: the number of a class, 0 to 3"):
        method(network, VALUES, 9)
    with pytest.raises(ConfigError, match="a bare network has no names for its classes"):
        method(network, VALUES, "bag")
    with pytest.raises(ConfigError, match="must give logits"):
        method(nn.Conv2d(3, 2, 3), VALUES)
    network.logits[1].bias[0] = torch.inf
    with pytest.raises(ModelError, match="logits that are not finite"):
        method(network, VALUES)


def test_layers_that_cannot_be_looked_at_are_refused() -> None:
    network = Awkward()
    for layer, message in {
        "gat": "unknown layer 'gat'; did you mean 'gate'",
        "logits.1": r"layer 'logits.1' puts out values of shape \(4,\) for each picture, without "
        "height and width; choose one with maps, such as",
        "pair": "layer 'pair' puts out a tuple",
        "unused": "layer 'unused' is not passed by a picture",
        "ignored": "the logits do not depend on layer 'ignored'",
    }.items():
        with pytest.raises(ConfigError, match=message):
            grad_cam(network, VALUES, layer=layer)
        with pytest.raises(ConfigError, match=message):
            layer_cam(network, VALUES, layers=["parts.in", layer])
    dense = nn.Sequential(nn.Flatten(), nn.Linear(768, 4))
    for method in (grad_cam, layer_cam):
        with pytest.raises(ConfigError, match="the network has no convolution to look at"):
            method(dense, VALUES)
    with pytest.raises(ConfigError, match="layers is empty"):
        layer_cam(network, VALUES, layers=[])


def test_a_network_that_computes_without_gradients_is_said() -> None:
    class Closed(Awkward):
        @torch.no_grad()
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.detach()).detach()

    with pytest.raises(ConfigError, match="or the network computes them without gradients"):
        grad_cam(Closed(), VALUES)
    with pytest.raises(ConfigError, match="computes its logits without gradients"):
        integrated_gradients(Closed(), VALUES)


def test_the_layer_is_chosen_by_what_it_puts_out() -> None:
    """Of those that come later, one is for nothing and one, a gate, shows no place."""
    network = Awkward()
    assert grad_cam(network, VALUES).layer == "first"  # it rectifies what "parts.again" puts out
    assert grad_cam(network, VALUES, layer="first").resolutions == ((14, 14),)


def test_blocks_and_sizes() -> None:
    model = make_model("resnet20")
    assert grad_cam(model, PICTURES, layer="stage1").resolutions == ((16, 16),)
    assert grad_cam(model, PICTURES, size=40).values.shape == (5, 40, 40)
    assert layer_cam(model, PICTURES, size=(3, 50)).values.shape == (5, 3, 50)
    for size in (0, (2, 3, 4), 2.5):
        with pytest.raises(ConfigError, match=r"(size|height) is .*allowed: a whole number"):
            grad_cam(model, PICTURES, size=size)  # pyright: ignore[reportArgumentType]


def test_integrated_gradients_are_complete() -> None:
    """Attributions sum up to the difference of logits, the better the more steps there are."""
    model = make_model("compact", mirrored=True)
    few = integrated_gradients(model, PICTURES, steps=3)
    many = integrated_gradients(model, PICTURES, steps=100)
    gained = many.logits - many.baseline_logits
    assert many.attributions.sum(axis=(1, 2, 3)) - gained == pytest.approx(
        many.completeness_errors, abs=1e-4
    )
    assert np.abs(many.completeness_errors).max() < 0.01 * np.abs(gained).max()
    assert np.abs(many.completeness_errors).mean() < np.abs(few.completeness_errors).mean()
    assert many.values == pytest.approx(many.attributions.sum(axis=3))
    assert many.baseline == "mean training picture"


def test_what_equals_the_baseline_gets_nothing() -> None:
    model = make_model("compact")
    baseline = PICTURES[0].copy()
    baseline[:8] = 0
    found = integrated_gradients(model, PICTURES[:1], steps=4, baseline=baseline)
    assert np.abs(found.attributions[:, 8:]).max() == 0 < np.abs(found.attributions[:, :8]).max()
    assert found.baseline == "given"


def test_covering_with_the_picture_itself_changes_nothing() -> None:
    model = make_model("compact")
    same = occlusion(model, PICTURES[:1], fill=PICTURES[0])
    assert np.abs(same.values).max() < 1e-5
    assert (same.window, same.stride) == ((4, 4), (2, 2))


def test_windows_baselines_and_steps_that_cannot_be() -> None:
    network = Awkward()
    for settings, message in (
        ({"window": 17}, "window is 17; allowed: a whole number from 1 to 16"),
        ({"window": (4, 4, 4)}, "window is .* allowed: a whole number, or"),
        ({"window": 4, "stride": 5}, "stride is 5; allowed: a whole number from 1 to 4"),
        ({"fill": np.zeros((4, 4, 3))}, r"an array of shape \(16, 16, 3\); got ndarray of shape"),
        ({"fill": "black"}, "a bare network's baseline is a number"),
        ({"fill": np.nan}, "the baseline has values that are not finite"),
    ):
        with pytest.raises(ConfigError, match=message):
            occlusion(network, VALUES, **settings)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="steps is 0"):
        integrated_gradients(network, VALUES, steps=0)
