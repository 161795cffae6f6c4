"""Cross-validation: who is held out, what is kept, and going on after anything."""

import json
from dataclasses import replace

import numpy as np
import pytest
from filelock import FileLock
from sklearn.metrics import accuracy_score, log_loss

from convolens.data import load_data
from convolens.errors import ConfigError, DataError, ModelError
from convolens.experiments import cross_validate, load_cross_validation
from convolens.files import sha256
from convolens.training import load_run


@pytest.fixture(scope="module")
def done(arrays, recipe, tmp_path_factory):
    """Three folds, twice."""
    path = tmp_path_factory.mktemp("cv")
    return cross_validate(arrays, recipe, folds=3, repeats=2, seed=7, path=path)


def everything_in(folder):
    """Content of each file that is to be the same however a folder came about."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".npz", ".safetensors"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_every_picture_is_held_out_once_a_repeat(done, arrays):
    kept = done.out_of_fold()
    n = len(arrays[1])
    assert kept.probabilities.dtype == np.float32
    assert kept.probabilities.shape == (2, n, 5)
    np.testing.assert_allclose(kept.probabilities.sum(2), 1, atol=1e-5)
    np.testing.assert_array_equal(kept.labels, arrays[1])
    assert kept.names == tuple(f"[{number}]" for number in range(n))
    assert kept.class_names == tuple("01234")
    assert [np.bincount(fold).tolist() for fold in kept.fold] == [[0, 60, 60, 60]] * 2
    assert (kept.fold[0] != kept.fold[1]).any()


def test_the_kept_probabilities_are_those_of_the_fold_s_own_model(done, arrays):
    kept = done.out_of_fold()
    for entry, run in zip(done.record["runs"], done.runs, strict=True):
        own = kept.fold[entry["repeat"] - 1] == entry["fold"]
        expected = run.model().predict_proba(arrays[0][own][..., None])
        np.testing.assert_array_equal(kept.probabilities[entry["repeat"] - 1, own], expected)
        assert entry["accuracy"] == accuracy_score(arrays[1][own], expected.argmax(1))
        assert entry["n_test"] == own.sum()


def test_the_summary_agrees_with_scikit_learn(done):
    kept, summary = done.out_of_fold(), done.to_dict()
    pooled = [accuracy_score(kept.labels, each.argmax(1)) for each in kept.probabilities]
    assert summary["pooled_accuracy"] == pytest.approx(np.mean(pooled))
    assert summary["pooled_low"] < summary["pooled_accuracy"] < summary["pooled_high"]
    doubles = kept.probabilities.astype(np.float64)
    doubles /= doubles.sum(axis=2, keepdims=True)
    losses = [log_loss(kept.labels, each) for each in doubles]
    assert summary["log_loss"] == pytest.approx(np.mean(losses), rel=1e-4)
    folds = [entry["accuracy"] for entry in summary["per_fold"]]
    assert summary["accuracy"] == done.accuracy == pytest.approx(np.mean(folds))
    assert summary["accuracy_deviation"] == pytest.approx(np.std(folds, ddof=1))
    assert "Nadeau and Bengio" in summary["interval"]
    assert done.evaluate(2).accuracy == pooled[1]
    assert [entry["seed"] for entry in summary["per_fold"]] == [7, 8, 9, 10, 11, 12]
    json.dumps(summary, allow_nan=False)


def test_the_interval_counts_what_was_trained_on_and_not_what_validated(done):
    entries, summary = done.record["runs"], done.to_dict()
    accuracies = [entry["accuracy"] for entry in entries]
    ratio = sum(entry["n_test"] for entry in entries) / sum(entry["n_train"] for entry in entries)
    assert ratio > 1 / (3 - 1)
    variance = (1 / len(entries) + ratio) * np.var(accuracies, ddof=1)
    quantile = 2.5705818356363  # of Student's t, 97.5 %, five degrees of freedom, from a table
    low = np.mean(accuracies) - quantile * variance**0.5
    assert summary["accuracy_low"] == pytest.approx(low)


def test_a_fold_is_the_one_that_load_data_makes(recipe, arrays, tmp_path):
    np.savez(tmp_path / "digits.npz", images=arrays[0], labels=arrays[1])
    made = cross_validate(tmp_path / "digits.npz", recipe, folds=2, path=tmp_path / "cv")
    kept = made.out_of_fold()
    for fold, run in enumerate(made.runs):
        expected = load_data(tmp_path / "digits.npz", folds=2, fold=fold)
        assert run.record["data"]["fingerprint"] == expected.fingerprint
        predicted = load_run(run.path).model().predict_proba(expected.test.images)
        np.testing.assert_array_equal(kept.probabilities[0][kept.fold[0] == fold + 1], predicted)
        assert load_run(run.path).evaluate().accuracy == made.record["runs"][fold]["accuracy"]


def test_held_out_pictures_change_nothing_in_their_own_fold(recipe, arrays, tmp_path):
    options = {"folds": 2, "keep_duplicates_together": False}
    before = cross_validate(arrays, recipe, path=tmp_path / "a", **options)
    held_out = before.out_of_fold().fold[0] == 1
    pixels = arrays[0].copy()
    pixels[held_out] = 255 - pixels[held_out]
    after = cross_validate((pixels, arrays[1]), recipe, path=tmp_path / "b", **options)

    def weights(result, fold):
        return sha256(result.runs[fold].path / "model/weights.safetensors")

    assert weights(before, 0) == weights(after, 0)
    assert weights(before, 1) != weights(after, 1)


def test_groups_stay_together_and_have_no_interval_that_counts_pictures(recipe, arrays, tmp_path):
    groups = np.arange(len(arrays[1])) // 6
    made = cross_validate(arrays, recipe, folds=2, groups=groups, path=tmp_path / "cv")
    fold = made.out_of_fold().fold[0]
    assert all(len(set(fold[groups == group])) == 1 for group in set(groups))
    assert made.to_dict()["pooled_interval"] is None
    assert made.to_dict()["pooled_low"] is None


def test_a_given_test_part_stays_apart(recipe, arrays, tmp_path):
    data = load_data({"train": (arrays[0][:120], arrays[1][:120]), "test": arrays})
    made = cross_validate(data, recipe, folds=2, path=tmp_path / "cv")
    assert made.to_dict()["n"] == len(data.train) + len(data.validation) == 120


def test_the_same_command_trains_nothing_twice(done, recipe, arrays):
    before = everything_in(done.path)
    times = {path: path.stat().st_mtime_ns for path in done.path.rglob("run.json")}
    said = []
    again = cross_validate(
        arrays, recipe, folds=3, repeats=2, seed=7, path=done.path, resume=True, say=said.append
    )
    assert said == ["6 of 6 were done before and are kept"]
    assert {path: path.stat().st_mtime_ns for path in done.path.rglob("run.json")} == times
    assert everything_in(done.path) == before
    assert again.to_dict() == done.to_dict() == load_cross_validation(done.path).to_dict()


def test_what_is_missing_or_damaged_is_made_again_to_the_bit(recipe, arrays, tmp_path):
    options = {"folds": 3, "path": tmp_path / "cv"}
    cross_validate(arrays, recipe, **options)
    before = everything_in(tmp_path / "cv")
    folder = tmp_path / "cv"
    weights = bytearray((folder / "fold-1-of-3/model/weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "fold-1-of-3/model/weights.safetensors").write_bytes(weights)
    (folder / "fold-2-of-3/held_out.npz").write_bytes(b"PK damaged")
    record = json.loads((folder / "fold-3-of-3/run.json").read_text())
    (folder / "fold-3-of-3/run.json").write_text(json.dumps({**record, "status": "running"}))
    (folder / "out_of_fold.npz").unlink()
    with pytest.raises(ModelError, match="does not exist; it is written when the last fold"):
        load_cross_validation(folder).out_of_fold()
    said = []
    cross_validate(arrays, recipe, **options, say=said.append)
    assert said[0] == "1 of 3 were done before and are kept"
    assert [line.partition(":")[0] for line in said[1:]] == ["fold 1 of 3", "fold 3 of 3"]
    assert everything_in(folder) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": 4}, "was begun with folds 3 and not 4"),
        ({"repeats": 1}, "was begun with repeats 2 and not 1"),
        ({"seed": 8}, "was begun with seed 7 and not 8"),
        ({"split_seed": 1}, "was begun with division seed null and not seed 1"),
        ({"epochs": 2}, "was begun with recipe epochs 1 and not epochs 2"),
        ({"at_once": 2}, "was begun with at_once 1 and not 2"),
    ],
)
def test_other_settings_in_the_same_folder_are_refused(done, recipe, arrays, changes, message):
    before = (done.path / "cv.json").read_bytes()
    with pytest.raises(ConfigError, match=message):
        cross_validate(
            arrays,
            recipe,
            **{"folds": 3, "repeats": 2, "seed": 7, "path": done.path, **changes},
        )
    assert (done.path / "cv.json").read_bytes() == before


def test_other_data_or_another_process_in_the_same_folder_are_refused(done, recipe, arrays):
    options = {"folds": 3, "repeats": 2, "seed": 7, "path": done.path}
    with pytest.raises(ConfigError, match="is about other data: arrays in memory as it was then"):
        cross_validate((255 - arrays[0], arrays[1]), recipe, **options)
    with (
        FileLock(done.path / ".lock"),
        pytest.raises(ConfigError, match="is in use by another process"),
    ):
        cross_validate(arrays, recipe, **options)


def test_a_fold_that_is_another_run_is_refused(recipe, arrays, tmp_path):
    cross_validate(arrays, recipe, folds=2, path=tmp_path)
    (tmp_path / "fold-1-of-2").rename(tmp_path / "aside")
    (tmp_path / "fold-2-of-2").rename(tmp_path / "fold-1-of-2")
    with pytest.raises(ConfigError, match="with another seed and another data; move it away"):
        cross_validate(arrays, recipe, folds=2, path=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "folds is 1; allowed: a whole number from 2"),
        ({"folds": 2.0}, "folds is 2.0"),
        ({"repeats": 0}, "repeats is 0; allowed: a whole number from 1"),
        ({"seed": -1}, "seed is -1"),
        ({"at_once": 0}, "at_once is 0"),
        ({"folds": 100}, r"folds is 100, but the class '4' has \d+ pictures.*; use at most"),
        ({"recipe": "fsat"}, "unknown recipe 'fsat'; did you mean 'fast'"),
        ({"recipe": 3}, "recipe must be a name, a .json file or a Recipe"),
        ({"recipe": "none.json"}, "none.json does not exist"),
        ({"epochs": 0}, "epochs must be above 0"),
        ({"fold": 1}, "fold and a cross-validation both say what the test part is"),
        ({"test_size": 0.1}, "test_size and a cross-validation both say"),
        ({"resume": True}, "there is nothing to go on with: .* has no cv.json"),
        ({"resume": True, "path": None}, "there is nothing to go on with: no folder is named"),
        ({"foldz": 3}, "unknown option 'foldz' of a data set"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    arrays, recipe, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        cross_validate(arrays, **{"recipe": recipe, "path": tmp_path / "cv", **options})
    assert not list(tmp_path.rglob("*.json"))


def test_folders_that_are_not_ours_are_left_alone(arrays, recipe, tmp_path):
    (tmp_path / "file").write_text("words")
    with pytest.raises(ConfigError, match="is a file; an experiment needs a folder"):
        cross_validate(arrays, recipe, path=tmp_path / "file")
    with pytest.raises(ConfigError, match=r"is not empty and has no cv\.json to go on with"):
        cross_validate(arrays, recipe, path=tmp_path)
    (tmp_path / "later").mkdir()
    (tmp_path / "later/cv.json").write_text('{"format_version": 99}')
    with pytest.raises(ConfigError, match="has format version 99"):
        cross_validate(arrays, recipe, path=tmp_path / "later")
    with pytest.raises(ModelError, match=r"cv\.json lacks data, runs, settings, status"):
        load_cross_validation(tmp_path / "later")


def test_classes_that_cannot_be_tested_or_trained_are_refused(arrays, recipe, tmp_path):
    labels = np.array(["cat", "dog", "dog", "emu"] * 10)
    labels[labels == "emu"] = ["emu"] + ["dog"] * 9
    images = arrays[0][:40]
    with pytest.raises(ConfigError, match=r"the class 'emu' has 1 picture, so .* add pictures of"):
        cross_validate((images, labels), recipe, folds=2, path=tmp_path / "cv")
    labels[labels == "emu"] = "dog"
    labels[:6] = "emu"
    groups = np.arange(40) // 6
    with pytest.raises(DataError, match="leaves no picture of emu to train on"):
        cross_validate((images, labels), recipe, folds=2, path=tmp_path / "cv", groups=groups)


def test_a_data_set_that_was_read_must_not_be_read_otherwise(arrays, recipe, tmp_path):
    data = load_data(arrays)
    with pytest.raises(ConfigError, match="size: these say how data are read, but"):
        cross_validate(data, recipe, path=tmp_path / "cv", size=16)
    grouped = load_data(arrays, groups=np.arange(len(arrays[1])) // 3)
    with pytest.raises(ConfigError, match="was read with groups, which a data set does not keep"):
        cross_validate(grouped, recipe, path=tmp_path / "cv")


def test_a_sample_is_taken_before_the_division(arrays, recipe, tmp_path):
    made = cross_validate(arrays, recipe, folds=2, sample=0.5, path=tmp_path / "cv")
    kept = made.out_of_fold()
    assert kept.probabilities.shape == (1, 90, 5)
    numbers = [int(name[1:-1]) for name in kept.names]
    np.testing.assert_array_equal(kept.labels, arrays[1][numbers])


def test_a_failing_fold_names_itself(arrays, recipe, tmp_path):
    wild = replace(recipe, optimizer=replace(recipe.optimizer, adam_learning_rate=1e30))
    with pytest.raises(ConfigError, match=r"^fold 1 of 2: "):
        cross_validate(arrays, wild, folds=2, path=tmp_path / "cv")
    assert json.loads((tmp_path / "cv/cv.json").read_text())["status"] == "failed"
