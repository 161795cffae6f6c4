import json
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from heat_networks import PICTURES, VALUES, Awkward, make_model
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import nn

from convolens.errors import ConfigError
from convolens.explain import HeatMaps, grad_cam, layer_cam, sanity_check
from convolens.explain.randomising import rank_correlations


def brightness(model: Any, pictures: Any, target: Any) -> HeatMaps:
    """What looks like a heat map and has nothing to do with the network."""
    maps = grad_cam(model, pictures, target)
    values = np.asarray(pictures).mean(axis=3, dtype=np.float32)
    return HeatMaps(
        method="brightness",
        values=values,
        signed=False,
        targets=maps.targets,
        logits=maps.logits,
    )


def test_maps_that_do_not_look_at_the_network_are_found_out() -> None:
    done = sanity_check(make_model("compact"), PICTURES, brightness)
    assert (done.correlations == 1).all()
    assert done.verdict.startswith("the maps do not follow what was learnt, they would look much")
    assert done.method == "brightness"


def test_grad_cam_follows_what_was_learnt() -> None:
    done = sanity_check(make_model("compact"), PICTURES)
    assert done.follows
    assert done.verdict.startswith("the maps follow what was learnt: with half of the layers")
    assert done.to_dict()["remaining"] == pytest.approx(done.remaining)
    json.dumps(done.to_dict(), allow_nan=False)


def test_layers_forget_from_the_last_to_the_first_and_the_model_does_not() -> None:
    model = make_model("compact", mirrored=True)
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    done = sanity_check(model, PICTURES, partial(layer_cam, layers=["stem"]), target="bag")
    assert all(torch.equal(tensor, before[n]) for n, tensor in model.network.state_dict().items())
    assert (done.layers[0], done.layers[-1]) == ("logits", "stem")
    weighted = {
        name
        for name, module in model.network.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    }
    assert set(done.layers) == weighted
    assert (done.targets == 1).all()
    again = sanity_check(model, PICTURES, partial(layer_cam, layers=["stem"]), target="bag")
    assert (again.correlations == done.correlations).all()


def test_only_the_layers_that_are_passed_are_mixed_up_each_once() -> None:
    done = sanity_check(Awkward(), VALUES, seed=3)
    assert done.layers == ("logits.1", "gate", "ignored", "parts.again", "parts.in")
    with pytest.raises(ConfigError, match="no weights that could be mixed up"):
        sanity_check(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), VALUES, without_layers)
    with pytest.raises(ConfigError, match="seed is -1"):
        sanity_check(Awkward(), VALUES, seed=-1)


def without_layers(model: Any, pictures: Any, target: Any) -> HeatMaps:
    zeros = np.zeros(np.shape(pictures)[:3], np.float32)
    return HeatMaps(
        method="zeros", values=zeros, signed=False, targets=np.zeros(5, int), logits=zeros[:, 0, 0]
    )


@given(st.integers(0, 2**32), st.integers(2, 5))
@settings(max_examples=30)
def test_rank_correlations_are_spearmans(seed: int, different: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, different, (2, 3, 5, 4))
    expected = [
        0.0 if min(np.ptp(one), np.ptp(other)) == 0 else spearmanr(one.ravel(), other.ravel())[0]
        for one, other in zip(first, second, strict=True)
    ]
    assert rank_correlations(first, second) == pytest.approx(expected, abs=1e-12)
