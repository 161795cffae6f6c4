"""What a model carries to doubt: tables of risks, familiarity, and how they stay on disk."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from tests.test_bundle import SMALL, change, make_model

from convolens.bundle import Model, load_model
from convolens.data import LabelledPictures, Split
from convolens.doubt import (
    RiskTable,
    Thresholds,
    UnknownBelow,
    least_risk,
    neighbourhood,
    pick_threshold,
)
from convolens.errors import ConfigError, ModelError
from convolens.evaluation import evaluate_pictures, fit_neighbours
from convolens.prediction import outputs_in_parts, predict_outputs, to_probabilities

TABLE = RiskTable(thresholds=(0.3, 0.6, 0.9), answered=(300, 200, 100), wrong=(60, 10, 0))
features = arrays(np.float32, st.tuples(st.integers(4, 30), st.just(3)),
                  elements=st.floats(-50, 50, width=32))  # fmt: skip


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (40, 12, 10, 1), dtype=np.uint8)


def doubting(pictures: np.ndarray, **options: Any) -> Model:
    model = make_model(**options)
    seen = model.outputs(pictures).features
    unknown = fit_neighbours(seen)
    assert unknown is not None
    return replace(model, thresholds=Thresholds(risks=TABLE, unknown=unknown), neighbours=seen)


@pytest.mark.parametrize("architecture", SMALL)
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_last_layer_makes_the_logits_of_the_features(architecture, mirrored, pictures) -> None:
    model = replace(make_model(architecture, **SMALL[architecture]), mirrored=mirrored)
    found = model.outputs(pictures)
    np.testing.assert_array_equal(found.logits, model.logits(pictures))
    last = [each for each in model.network.modules() if isinstance(each, torch.nn.Linear)][-1]
    with torch.no_grad():
        expected = last(torch.from_numpy(found.features)).numpy()
    np.testing.assert_allclose(expected, found.logits, atol=1e-4)
    assert not last._forward_hooks


@pytest.mark.parametrize("calibrated", [False, True])
def test_probabilities_are_the_softmax_of_the_logits(pictures, calibrated) -> None:
    model = replace(make_model(), temperature=1.7)
    made = to_probabilities(model.logits(pictures), 1.7 if calibrated else 1.0)
    np.testing.assert_array_equal(made, model.predict_proba(pictures, calibrated=calibrated))


class NoLinear(torch.nn.Module):
    """Its logits are made elsewhere than in its only linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1))[:, :3]


def test_logits_made_elsewhere_have_no_features() -> None:
    batch = np.ones((5, 2, 2, 1), np.float32)
    for network in (NoLinear(), torch.nn.Sequential(torch.nn.Conv2d(1, 3, 2), torch.nn.Flatten())):
        found = predict_outputs(network, [batch])
        assert found.features is None
        assert found.logits.shape == (5, 3)


class Watched(Model):
    """Notes how many pictures are scored at a time, and with features of how many."""

    def outputs(self, pictures: Any) -> Any:
        raise AssertionError(f"asked for the features of all {len(pictures)} pictures at once")

    def familiarity(self, outputs: Any) -> Any:
        kept = 0 if outputs.features is None else len(outputs.features)
        self.metrics[f"part {len(self.metrics)}"] = kept
        return super().familiarity(outputs)


@pytest.mark.parametrize(
    ("score", "mirrored"),
    [("neighbours", False), ("neighbours", True), ("energy", False), (None, False)],
)
def test_many_pictures_are_judged_in_bounded_memory(score: str | None, mirrored: bool) -> None:
    many = np.random.default_rng(2).integers(0, 256, (1_300, 12, 10, 1), dtype=np.uint8)
    model = replace(doubting(many[:40]), mirrored=mirrored)
    assert model.thresholds is not None
    if score == "energy":
        by_energy = UnknownBelow(threshold=0.5, kept=0.95, score="energy")
        model = replace(model, thresholds=replace(model.thresholds, unknown=by_energy))
    elif score is None:
        model = replace(model, thresholds=None, neighbours=None)
    watched = Watched(**{each.name: getattr(model, each.name) for each in fields(model)})
    object.__setattr__(watched, "metrics", {})
    split = Split(many, np.zeros(len(many), np.int64))
    pictures = LabelledPictures(
        name="many", which="all", split=split, class_names=model.classes, problems=()
    )
    judged = evaluate_pictures(watched, pictures)
    features_of = {"neighbours": [1000, 300], "energy": [0], None: []}[score]
    assert list(watched.metrics.values()) == features_of

    outputs = model.outputs(many)
    made = to_probabilities(outputs.logits, model.temperature)
    np.testing.assert_array_equal(judged.probabilities, made)
    if score is None:
        assert judged.familiarity is None
    else:
        np.testing.assert_array_equal(judged.familiarity, model.familiarity(outputs))


def test_parts_leave_a_network_as_it_was() -> None:
    model = make_model()
    last = [each for each in model.network.modules() if isinstance(each, torch.nn.Linear)][-1]
    model.network.train()
    parts = outputs_in_parts(model.network, [np.ones((3, 12, 10, 1), np.float32)] * 9)
    assert len(next(parts).logits) == 3
    parts.close()
    assert model.network.training
    assert not last._forward_hooks


@given(features, features, st.integers(1, 4))
def test_the_distance_is_that_of_scipy(some, others, nearest) -> None:
    expected = -np.sort(cdist(some.astype(float), others.astype(float)), axis=1)[:, nearest - 1]
    found = neighbourhood(some, others, nearest=nearest)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_familiar_is_kept_and_the_strange_is_flagged() -> None:
    rng = np.random.default_rng(0)
    images = rng.normal(128, 10, (200, 12, 10, 1)).astype(np.uint8)
    model = doubting(images[:100], kind="scale")
    kept = model.unknown(model.outputs(images[100:]))
    assert kept.mean() < 0.2
    strange = np.zeros((5, 12, 10, 1), np.uint8)
    strange[:, ::2] = 255
    assert model.unknown(model.outputs(strange)).all()


def test_what_a_model_doubts_stays_on_disk(tmp_path: Path, pictures: np.ndarray) -> None:
    model = doubting(pictures)
    model.save(tmp_path / "model")
    opened = load_model(tmp_path / "model")
    assert opened.thresholds == model.thresholds
    outputs = opened.outputs(pictures)
    np.testing.assert_array_equal(opened.unknown(outputs), model.unknown(outputs))
    assert opened.unsure_below(0.2) == pick_threshold(TABLE, 0.2)
    assert opened.least_risk() == least_risk(TABLE)
    surest = np.array([[0.1, 0.9], [0.41, 0.59]])
    assert opened.unsure(surest, 0.2).tolist() == [False, True]
    assert opened.unsure(surest, 0.001).all()


def test_models_of_before_open_and_say_what_they_lack(tmp_path, pictures) -> None:
    make_model().save(tmp_path / "model")
    described = json.loads((tmp_path / "model/model.json").read_text())
    del described["thresholds"]
    (tmp_path / "model/model.json").write_text(json.dumps(described))
    model = load_model(tmp_path / "model")
    outputs = model.outputs(pictures)
    for ask in (
        lambda: model.unsure_below(0.1),
        lambda: model.unsure(outputs.logits, 0.1),
        lambda: model.unknown(outputs),
    ):
        with pytest.raises(ModelError, match=r"has no thresholds .* Train it again"):
            ask()


RISKS = TABLE.to_dict()
UNKNOWN = {"threshold": 1.0, "kept": 0.95, "score": "energy"}


@pytest.mark.parametrize(
    ("risks", "unknown", "message"),
    [
        ({"thresholds": [0.6, 0.3, 0.9]}, {}, "a table of risks has 1 to 20 rising thresholds"),
        ({"thresholds": [0.3, 0.6]}, {}, "a table of risks"),
        ({"thresholds": [0.3, 0.6, float("nan")]}, {}, "a table of risks"),
        ({"answered": [100, 200, 300]}, {}, "a table of risks"),
        ({"wrong": [60, 10, 101]}, {}, "a table of risks"),
        ({"wrong": [60, 10, -1]}, {}, "a table of risks"),
        ({"thresholds": [], "answered": [], "wrong": []}, {}, "a table of risks"),
        ({"wrong": ["a", 10, 1]}, {}, "thresholds.risks.wrong.0: input should be a valid integer"),
        ({}, {"threshold": float("inf")}, "a threshold for the unknown is a finite number"),
        ({}, {"kept": 2}, "a threshold for the unknown"),
        ({}, {"score": "enregy"}, "unknown score of familiarity 'enregy'; did you mean 'energy'"),
        ({}, {"score": "neighbours"}, "neighbours that thresholds are about are missing"),
    ],
)
def test_broken_thresholds_are_one_clear_line(tmp_path, risks, unknown, message) -> None:
    make_model().save(tmp_path / "model")
    change(tmp_path / "model", thresholds={"risks": RISKS | risks, "unknown": UNKNOWN | unknown})
    with pytest.raises(ModelError, match=message) as caught:
        load_model(tmp_path / "model")
    assert "\n" not in str(caught.value)
    assert "model.json" in str(caught.value)


def test_neighbours_without_a_threshold_are_refused(tmp_path, pictures) -> None:
    doubting(pictures).save(tmp_path / "model")
    change(tmp_path / "model", thresholds=None)
    with pytest.raises(ModelError, match="are superfluous in its weights"):
        load_model(tmp_path / "model")


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ConfigError, match=r"got \(2, 3\) and \(4, 5\)"):
        neighbourhood(np.zeros((2, 3)), np.zeros((4, 5)))
    with pytest.raises(ConfigError, match="nearest must be from 1 to 4; got 5"):
        neighbourhood(np.zeros((2, 3)), np.zeros((4, 3)), nearest=5)
    assert fit_neighbours(np.zeros((19, 3))) is None
    assert fit_neighbours(np.full((30, 3), np.inf)) is None
    with pytest.raises(ConfigError, match="confidence must be between 0 and 1; got 1"):
        least_risk(TABLE, confidence=1)
