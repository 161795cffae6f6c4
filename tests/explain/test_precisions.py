"""Networks that compute in another precision than float32, against the same network in float32."""

import copy
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from small_networks import IMAGES, make_model
from torch import nn

from convolens.bundle import Model
from convolens.explain import (
    activation_statistics,
    deletion_insertion,
    effective_receptive_field,
    explain_picture,
    feature_maps,
    features,
    grad_cam,
    integrated_gradients,
    layer_cam,
    layer_filters,
    nearest_pictures,
    occlusion,
    receptive_field,
    sanity_check,
    strongest_value,
    trace_value,
)
from convolens.explain.networks import Explainable, network_input
from convolens.prediction import input_dtype

FLOATS = np.random.default_rng(0).random((3, 10, 10, 1))

# Each takes a network, pictures for it, and the name of a convolution.
FUNCTIONS: dict[str, Callable[[Explainable, NDArray[Any], str], Any]] = {
    "grad_cam": lambda model, x, layer: grad_cam(model, x, 1, layer=layer),
    "layer_cam": lambda model, x, _: layer_cam(model, x, 1),
    "occlusion": lambda model, x, _: occlusion(model, x, 1, window=5),
    "integrated_gradients": lambda model, x, _: integrated_gradients(model, x, 1, steps=5),
    "features": lambda model, x, _: features(model, x),
    "feature_maps": lambda model, x, layer: feature_maps(model, x[0], layer),
    "layer_filters": lambda model, _, layer: layer_filters(model, layer),
    "effective_receptive_field": effective_receptive_field,
}
ALSO: dict[str, Callable[[Explainable, NDArray[Any], str], Any]] = {
    "activation_statistics": lambda model, x, _: activation_statistics(model, x),
    "deletion_insertion": lambda model, x, _: deletion_insertion(
        model, x[:1], np.zeros((1, *x.shape[1:3])), steps=2, orders=1
    ),
    "explain_picture": lambda model, x, _: explain_picture(model, x[0]),
    "nearest_pictures": lambda model, x, _: nearest_pictures(model, x, x, k=1),
    "receptive_field": lambda model, x, layer: receptive_field(
        model, layer, 0, 0, input_shape=x.shape[1:]
    ),
    "sanity_check": lambda model, x, _: sanity_check(model, x[:1]),
    "strongest_value": lambda model, x, layer: strongest_value(model, x[0], layer),
}


def bare(dtype: torch.dtype) -> tuple[nn.Module, NDArray[Any], str]:
    torch.manual_seed(0)
    maps = (nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3))
    return nn.Sequential(*maps, nn.Flatten(), nn.Linear(16, 3)).to(dtype).eval(), FLOATS, "0"


def mirrored(dtype: torch.dtype) -> tuple[Model, NDArray[Any], str]:
    model = make_model("lenet5")
    network = copy.deepcopy(model.network).to(dtype)
    layer = next(name for name, each in network.named_modules() if isinstance(each, nn.Conv2d))
    return replace(model, network=network, mirrored=True), IMAGES[:3], layer


def values_of(found: Any) -> list[NDArray[Any]]:
    """All arrays of floating point in a result."""
    if is_dataclass(found):
        return [each for one in fields(found) for each in values_of(getattr(found, one.name))]
    return [found] if isinstance(found, np.ndarray) and found.dtype.kind == "f" else []


@pytest.mark.parametrize("make", [bare, mirrored])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_the_same_comes_out_in_any_precision(make: Callable[..., Any], dtype: torch.dtype) -> None:
    (network, pictures, layer), (usual, _, _) = make(dtype), make(torch.float32)
    allowed = {torch.bfloat16: 0.1, torch.float16: 0.02, torch.float64: 1e-4}[dtype]
    for name, function in FUNCTIONS.items():
        found = values_of(function(network, pictures, layer))
        expected = values_of(function(usual, pictures, layer))
        assert [each.dtype for each in found] == [each.dtype for each in expected], name
        for one, other in zip(found, expected, strict=True):
            assert np.abs(one - other).max() <= allowed * max(1.0, np.abs(other).max()), name


@pytest.mark.parametrize("make", [bare, mirrored])
@pytest.mark.parametrize("name", ALSO)
def test_half_precision_is_taken(make: Callable[..., Any], name: str) -> None:
    network, pictures, layer = make(torch.bfloat16)
    for values in values_of(ALSO[name](network, pictures, layer)):
        assert np.isfinite(values).all()


def test_a_value_in_half_precision_is_what_the_network_computed() -> None:
    network, pictures, layer = bare(torch.bfloat16)
    assert trace_value(network, pictures[0], layer, 1, 1, 0).agrees


def test_statistics_are_not_summed_in_half_precision() -> None:
    """65,536 values of about 1: in bfloat16 their mean would be 1 to two digits alone."""
    network = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(256, 2)).to(torch.bfloat16)
    x = np.random.default_rng(0).uniform(1.0, 1.1, (256, 16, 16, 1)).astype(np.float32)
    seen = network_input(network, x).float().numpy()
    (mean,) = activation_statistics(network, x).layers[0].mean
    assert mean == pytest.approx(seen.mean(), abs=1e-5)


def test_a_models_own_answers_are_in_float32() -> None:
    model, pictures, _ = mirrored(torch.float16)
    usual, _, _ = mirrored(torch.float32)
    assert model.predict_proba(pictures).dtype == np.float32
    assert model.logits(pictures) == pytest.approx(usual.logits(pictures), abs=0.02)


def test_what_a_network_computes_in() -> None:
    mixed = nn.Sequential(nn.Conv2d(1, 1, 1).to(torch.bfloat16), nn.Linear(1, 1))
    assert input_dtype(mixed) == input_dtype(nn.ReLU()) == torch.float32
    assert network_input(mixed, FLOATS).dtype == torch.float32
    double = nn.Conv2d(1, 1, 1).double()
    assert (network_input(double, FLOATS).permute(0, 2, 3, 1).numpy() == FLOATS).all()
