"""Several seeds: each run is what training alone gives, and the spread is that of the runs."""

import json
import shutil

import numpy as np
import pytest

from convolens.data import load_data
from convolens.errors import ConfigError
from convolens.experiments import repeat_training
from convolens.training import train_recipe


def weights(folder):
    return (folder / "model/weights.safetensors").read_bytes()


@pytest.fixture(scope="module")
def done(arrays, recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    return repeat_training(load_data(arrays), recipe, seeds=3, seed=5, path=folder)


def test_each_run_is_what_training_alone_gives(done, arrays, recipe, tmp_path):
    alone = train_recipe(load_data(arrays), recipe, seed=6, path=tmp_path / "alone")
    assert weights(alone.path) == weights(done.path / "seed-6")
    assert [run.record["seed"] for run in done.runs] == [5, 6, 7]
    assert done.runs[1].results["test_accuracy"] == alone.results["test_accuracy"]


def test_the_spread_is_that_of_the_runs(done):
    result = done.to_dict()
    for name in ("val_accuracy", "test_accuracy"):
        values = [entry[name] for entry in result["runs"]]
        assert result[name]["mean"] == pytest.approx(np.mean(values))
        assert result[name]["deviation"] == pytest.approx(np.std(values, ddof=1))
        assert result[name]["low"] <= result[name]["mean"] <= result[name]["high"]
        assert "Student's t" in result[name]["method"]
    assert (result["status"], result["seeds"]) == ("completed", 3)
    json.dumps(result, allow_nan=False)
    assert str(done).count("seed ") == 3
    assert "validation accuracy: mean " in str(done)


def test_it_goes_on_with_what_is_missing(done, arrays, recipe):
    before = weights(done.path / "seed-6")
    shutil.rmtree(done.path / "seed-6")
    said = []
    again = repeat_training(
        load_data(arrays), recipe, seeds=3, seed=5, path=done.path, resume=True, say=said.append
    )
    assert said[0] == "2 of 3 were done before and are kept"
    assert [line.partition(":")[0] for line in said[1:]] == ["seed 6"]
    assert weights(done.path / "seed-6") == before
    assert again.to_dict()["val_accuracy"] == done.to_dict()["val_accuracy"]


def test_without_a_test_part_there_is_no_test_accuracy(arrays, recipe, tmp_path):
    images, labels = arrays
    data = load_data(
        {"train": (images[:140], labels[:140]), "validation": (images[140:], labels[140:])}
    )
    made = repeat_training(data, recipe, seeds=1, path=tmp_path / "one")
    assert made.to_dict()["test_accuracy"] is None
    assert made.to_dict()["val_accuracy"]["deviation"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 0}, "seeds is 0; allowed: a whole number from 1"),
        ({"seeds": 2, "seed": 5}, "was begun with seeds"),
        ({"seeds": 3, "seed": 5, "epochs": 2}, "was begun with recipe epochs 1 and not epochs 2"),
    ],
)
def test_contradictions_are_refused(done, arrays, recipe, options, message):
    with pytest.raises(ConfigError, match=message):
        repeat_training(load_data(arrays), recipe, path=done.path, **options)


def test_another_division_of_the_same_pictures_is_refused(arrays, recipe, tmp_path):
    begun = {"recipe": recipe, "seeds": 1, "path": tmp_path / "one"}
    repeat_training(arrays, **begun)
    with pytest.raises(ConfigError, match="was begun with division seed null and not seed 7"):
        repeat_training(arrays, **begun, split_seed=7)
    divided = {**begun, "path": tmp_path / "other"}
    repeat_training(load_data(arrays), **divided)
    with pytest.raises(ConfigError, match="is about other data"):
        repeat_training(load_data(arrays, validation_size=0.3), **divided)


def test_runs_with_a_sample_find_their_data_again(recipe, tmp_path):
    made = repeat_training(
        "digits", recipe, seeds=2, epochs=0.1, sample=0.2, at_once=2, path=tmp_path / "two"
    )
    expected = load_data("digits", sample=0.2)
    assert load_data("digits").fingerprint != expected.fingerprint
    assert [run.data().fingerprint for run in made.runs] == [expected.fingerprint] * 2
