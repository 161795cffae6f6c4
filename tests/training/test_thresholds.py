"""What a trained model doubts by is of its own validation pictures, and survives interruption."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from convolens.bundle import load_model
from convolens.data import Dataset, Split, load_data
from convolens.evaluation import fit_thresholds, unsure_below
from convolens.recipes import fast, train
from convolens.recipes.training import resume
from convolens.training import train_recipe
from convolens.training.events import EpochDone, event_from_dict, event_to_line


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    data = load_data("digits")
    return train_recipe(data, fast(epochs=2), path=tmp_path_factory.mktemp("thresholds") / "run")


def test_they_are_those_of_the_validation_pictures(run):
    validation, model = run.data().validation, run.model()
    outputs = model.outputs(validation.images)
    expected = fit_thresholds(outputs.logits, validation.labels, model.temperature)
    assert model.thresholds.risks.answered[0] == len(validation.labels)
    assert model.thresholds.risks.thresholds == pytest.approx(
        expected.risks.thresholds, rel=1e-4
    )  # training may have judged them in bfloat16
    probabilities = model.predict_proba(validation.images)
    direct = unsure_below(probabilities, validation.labels, 0.1)
    assert model.unsure_below(0.1).threshold == pytest.approx(direct.threshold, rel=1e-4)
    assert 1 <= model.unknown(outputs).sum() <= 0.1 * len(validation.labels)
    assert len(model.neighbours) == len(validation.labels)


def test_noise_is_unknown_and_other_digits_are_not(run):
    model = run.model()
    noise = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), dtype=np.uint8)
    assert model.unknown(model.outputs(noise)).mean() > 0.8
    assert model.unknown(model.outputs(run.data().test.images)).mean() < 0.15


def test_the_log_has_them_for_the_best_epochs_alone(run):
    for epoch in run.history:
        assert (epoch["thresholds"] is not None) == epoch["best"]
    best = next(e for e in run.history if e["epoch"] == run.results["best_epoch"])
    assert best["thresholds"]["unknown"]["score"] == "energy"


def parts(validation: int) -> Dataset:
    rng = np.random.default_rng(0)
    labels = np.arange(100, dtype=np.int64) % 2
    images = (rng.integers(0, 100, (100, 8, 8, 1)) + 100 * labels[:, None, None, None]).astype(
        np.uint8
    )
    first, second = (
        Split(images[rows], labels[rows].copy()) for rows in (slice(40), slice(40, 40 + validation))
    )
    return Dataset("small", first, second, None, ("dark", "bright"), "by a test")


def test_a_run_that_goes_on_has_the_same_to_the_bit(tmp_path: Path) -> None:
    data, settings = parts(40), fast(epochs=3, batch_size=10)
    train(data, settings, path=tmp_path / "whole", progress=False)

    def press(event) -> None:
        if event.event == "steps_done" and event.step == 6:
            os.kill(os.getpid(), signal.SIGINT)

    assert train(data, settings, path=tmp_path / "run", progress=False, on_event=press).status == (
        "interrupted"
    )
    resume(tmp_path / "run", data, progress=False)
    whole, found = load_model(tmp_path / "whole"), load_model(tmp_path / "run")
    assert found.thresholds == whole.thresholds
    assert found.thresholds.unknown.score == "neighbours"
    np.testing.assert_array_equal(found.neighbours, whole.neighbours)


def test_with_few_validation_pictures_the_energy_decides(tmp_path: Path) -> None:
    run = train(parts(10), fast(epochs=1, batch_size=10), path=tmp_path / "run", progress=False)
    model = run.model()
    assert model.neighbours is None
    assert model.thresholds.unknown.score == "energy"
    outputs = model.outputs(run.data().validation.images)
    assert model.unknown(outputs).sum() == 0  # a twentieth of ten is none


def test_an_event_comes_whole_through_json_and_may_lack_them(run):
    (best,) = [each for each in run.history if each["epoch"] == run.results["best_epoch"]]
    event = event_from_dict(json.loads(json.dumps(best)))
    assert isinstance(event, EpochDone)
    assert event.thresholds.risks == run.model().thresholds.risks
    assert json.loads(event_to_line(event)) == best
    before = {key: value for key, value in best.items() if key not in ("thresholds", "temperature")}
    assert event_from_dict(before).thresholds is None
