"""Any architecture under any recipe, and each of them learns."""

from typing import Any

import numpy as np
import pytest

from convolens.data import Split, fit_preprocessing, load_data
from convolens.errors import ConfigError
from convolens.recipes import fast, notes
from convolens.recipes.models import with_model
from convolens.training import MuonAdamW, NAdam, fit
from convolens.zoo import ARCHITECTURES, build_network

DIGITS = load_data("digits")
FEW = Split(images=DIGITS.train.images[:96], labels=DIGITS.train.labels[:96])
PREPROCESSING = fit_preprocessing("per_channel", np.asarray(FEW.images))

SMALL: list[tuple[str, dict[str, Any]]] = [
    ("compact", {"width": 8}),
    ("notes", {"dropout": 0.0}),
    ("lenet5", {}),
    ("vgg11", {"width": 16}),
    ("vgg11", {"width": 16, "normalised": False}),
    ("resnet20", {"width": 8}),
    ("resnet18", {"width": 8}),
    ("wide_resnet", {"depth": 10, "width": 1}),
    ("densenet", {"depth": 10, "growth": 8}),
    ("mobilenet_v2", {"width": 0.1}),
    ("convnext", {"width": 16, "depths": [1, 1, 1, 1]}),
]


@pytest.mark.parametrize(("name", "arguments"), SMALL)
def test_every_architecture_learns_under_fast(name: str, arguments: dict[str, Any]) -> None:
    recipe = with_model(fast(epochs=8, batch_size=32, label_smoothing=0.0), name, **arguments)
    network = build_network(name, (8, 8, 1), 10, **recipe.arguments)
    result = fit(network, PREPROCESSING, FEW, FEW, recipe, seed=0)
    first, last = result.epochs[0].train_loss, result.epochs[-1].train_loss
    assert last < 0.85 * first
    assert result.best.val_accuracy > 0.3  # a tenth would be chance


@pytest.mark.parametrize(
    ("name", "arguments", "optimizer"),
    [
        ("resnet56", {}, MuonAdamW()),
        ("resnet34", {}, MuonAdamW()),
        ("wrn-28-10", {"dropout": 0.3}, MuonAdamW()),
        ("densenet-bc-100", {}, MuonAdamW()),
        ("mobilenet_v2", {}, MuonAdamW()),
        ("vgg11", {}, MuonAdamW()),
        ("vgg11", {"normalised": False}, NAdam(learning_rate=1e-3)),
        ("lenet5", {}, NAdam(learning_rate=1e-3)),
        ("notes", {"dropout": 0.1}, NAdam(learning_rate=1e-3)),
        ("convnext", {}, NAdam(learning_rate=1e-3)),
    ],
)
def test_muon_is_kept_where_a_normalisation_follows_every_convolution(
    name: str, arguments: dict[str, Any], optimizer: MuonAdamW | NAdam
) -> None:
    recipe = with_model(fast(), name, **arguments)
    assert recipe.name == f"fast-{name}"
    assert recipe.architecture == name
    assert recipe.arguments == arguments
    assert recipe.optimizer == optimizer
    assert recipe.schedule == fast().schedule


@pytest.mark.parametrize("name", sorted(set(ARCHITECTURES) - {"notes"}))
def test_a_recipe_without_muon_keeps_its_optimiser(name: str) -> None:
    recipe = with_model(notes(), name)
    assert recipe.optimizer == notes().optimizer
    assert recipe.arguments == {}  # the dropout was of the notes' network


def test_a_recipe_with_its_own_architecture_stays_as_it_is() -> None:
    assert with_model(fast(), "compact") == fast()
    assert with_model(notes(), "notes") == notes()
    changed = with_model(notes(), "notes", dropout=0.25)
    assert (changed.name, changed.arguments) == ("notes", {"dropout": 0.25})


def test_what_does_not_exist_is_said() -> None:
    with pytest.raises(ConfigError, match="unknown architecture 'resnet19'; did you mean 'resnet"):
        with_model(fast(), "resnet19")
    with pytest.raises(ConfigError, match="'resnet20' has no argument 'widht'; did you mean"):
        with_model(fast(), "resnet20", widht=3)
    with pytest.raises(ConfigError, match="width is -1"):
        with_model(fast(), "resnet20", width=-1)
