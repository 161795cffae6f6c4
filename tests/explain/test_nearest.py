"""Penultimate features of any network, and the pictures nearest by them."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors
from torch import nn

from convolens.bundle import Model
from convolens.data import fit_preprocessing
from convolens.errors import ConfigError
from convolens.explain import features, nearest_by_features, nearest_pictures
from convolens.zoo import build_network

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 16, 18, 3), dtype=np.uint8)
SMALL: dict[str, dict[str, Any]] = {
    "compact": {},
    "notes": {},
    "lenet5": {},
    "vgg11": {"width": 4},
    "vgg16": {"width": 4, "normalised": False, "hidden": 16},
    "resnet20": {"width": 4},
    "resnet18": {"width": 4},
    "wide_resnet": {"depth": 10, "width": 1},
    "densenet": {"depth": 10, "growth": 4},
    "mobilenet_v2": {"width": 0.1},
    "convnext": {"width": 8, "depths": [1, 1, 2, 1]},
}


def make_model(architecture: str, *, mirrored: bool = False) -> Model:
    arguments = SMALL[architecture]
    return Model(
        network=build_network(architecture, (16, 18, 3), 4, seed=1, **arguments).eval(),
        architecture=architecture,
        arguments=arguments,
        preprocessing=fit_preprocessing("per_channel", IMAGES),
        classes=("a", "b", "c", "d"),
        mirrored=mirrored,
    )


@pytest.mark.parametrize("architecture", SMALL)
def test_the_last_layer_makes_the_logits_of_them(architecture: str) -> None:
    model = make_model(architecture, mirrored=True)
    found = features(model, IMAGES)
    last = [each for each in model.network.modules() if isinstance(each, nn.Linear)][-1]
    with torch.no_grad():
        probabilities = torch.softmax(last(torch.from_numpy(found)), dim=1).numpy()
    assert np.allclose(probabilities, model.predict_proba(IMAGES), atol=1e-4)


def test_many_batches_in_several_threads_give_what_one_gives() -> None:
    pictures = np.random.default_rng(1).random((300, 8, 8, 1))
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 4))
    with torch.no_grad():
        x = torch.from_numpy(pictures).float().permute(0, 3, 1, 2)
        expected = network[:3](x).numpy()
    torch.set_num_threads(2)
    try:
        assert np.allclose(features(network, pictures), expected, atol=1e-6)
    finally:
        torch.set_num_threads(1)
    assert not network[3]._forward_pre_hooks


class Gated(nn.Module):
    """Dense layers inside a gate, and a convolution that gives the logits."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Conv2d(3, 5, 1)
        self.gate = nn.Linear(3, 3)
        self.unused = nn.Linear(3, 5)
        self.stem = nn.Conv2d(1, 3, 3)

    def inside(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.stem(x)
        return maps * self.gate(maps.mean(dim=(2, 3)))[:, :, None, None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits(self.inside(x)).mean(dim=(2, 3))


def test_the_layer_is_found_by_the_order_of_the_pass_and_a_convolution_may_be_it() -> None:
    network = Gated()
    pictures = np.random.default_rng(1).random((3, 6, 7, 1))
    with torch.no_grad():
        x = torch.from_numpy(pictures).float().permute(0, 3, 1, 2)
        expected = network.inside(x).mean(dim=(2, 3)).numpy()
    assert np.allclose(features(network, pictures), expected, atol=1e-6)


def test_of_patches_the_mean_is_taken() -> None:
    class Patches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(x.flatten(2)).mean(dim=1)

    pictures = np.random.default_rng(1).random((3, 2, 2, 5))
    expected = pictures.transpose(0, 3, 1, 2).reshape(3, 5, 4).mean(axis=1)
    assert np.allclose(features(Patches(), pictures), expected, atol=1e-6)


def test_a_network_without_such_a_layer_has_no_features() -> None:
    with pytest.raises(ConfigError, match="no picture passes a dense layer or a convolution"):
        features(nn.Flatten(), np.ones((2, 2, 2, 1)))


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 60), st.integers(1, 9))
def test_the_nearest_are_those_of_scikit_learn(seed: int, n: int, m: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    wanted, among = rng.normal(size=(n, width)), rng.normal(size=(m, width))
    k = int(rng.integers(1, m + 1))
    found = nearest_by_features(wanted.astype(np.float32), among.astype(np.float32), k=k)
    oracle = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(among)
    distances, _ = oracle.kneighbors(wanted)
    assert np.allclose(found.similarities, 1 - distances, atol=1e-5)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (wanted, among)]
    own = np.take_along_axis(unit[0] @ unit[1].T, found.indices, axis=1)
    assert np.allclose(own, found.similarities, atol=1e-5)
    assert all(len(set(row)) == k for row in found.indices.tolist())


def test_of_equally_near_ones_the_lower_index_is_first() -> None:
    rng = np.random.default_rng(0)
    three = rng.normal(size=(3, 70)).astype(np.float32)
    kinds = rng.integers(0, 3, 5000)
    scales = 2.0 ** rng.integers(-3, 4, 5000)  # the direction alone counts
    found = nearest_by_features(three, three[kinds] * scales[:, None].astype(np.float32), k=40)
    for kind in range(3):
        assert found.indices[kind].tolist() == np.flatnonzero(kinds == kind)[:40].tolist()
        assert (found.similarities[kind] == 1).all()


def test_huge_tiny_and_absent_features_are_compared() -> None:
    among = np.array([[1e-30, 0], [0, 1e30], [0, 0]], dtype=np.float32)
    found = nearest_by_features(np.array([[1e30, 0], [0, 0]], dtype=np.float32), among, k=3)
    assert found.indices.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert found.similarities.tolist() == [[1, 0, 0], [0, 0, 0]]


def test_a_picture_that_was_trained_on_finds_itself() -> None:
    model = make_model("resnet20")
    found = nearest_pictures(model, IMAGES[4:6], IMAGES, k=2)
    assert found.indices[:, 0].tolist() == [4, 5]
    assert found.similarities[:, 0] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("wanted", "among", "k", "said"),
    [
        (np.ones((1, 2)), np.ones((3, 2)), 4, "k is 4; allowed: a whole number from 1 to 3"),
        (np.ones((1, 2)), np.ones((3, 5)), 1, r"\(1, 2\) and \(3, 5\): of one network"),
        (np.ones(2), np.ones((3, 2)), 1, r"must be \(n, features\)"),
        (np.ones((1, 2)), np.full((3, 2), np.nan), 1, "some of among are not"),
    ],
)
def test_what_does_not_fit_is_refused(wanted, among, k, said) -> None:
    with pytest.raises(ConfigError, match=said):
        nearest_by_features(wanted, among, k=k)


def test_too_many_neighbours_are_refused_before_anything_is_computed() -> None:
    with pytest.raises(ConfigError, match="k is 10; allowed: a whole number from 1 to 9"):
        nearest_pictures(nn.Identity(), IMAGES, IMAGES, k=10)
