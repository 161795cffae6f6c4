"""Comparing runs: the same pictures for all, and a verdict that fits what was seen."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_ind

from convolens.data import load_data
from convolens.errors import ConfigError, DataError, ModelError
from convolens.evaluation import compare_paired
from convolens.experiments import compare, repeat_training
from convolens.experiments.comparison import Comparison, difference
from convolens.experiments.contestants import Contestant
from convolens.training import load_run, train_recipe


@pytest.fixture(scope="module")
def folder(arrays, recipe, tmp_path_factory):
    """Runs on one file: one that learnt, one that hardly did, and two seeds."""
    folder = tmp_path_factory.mktemp("compared")
    np.savez(folder / "digits.npz", images=arrays[0], labels=arrays[1])
    data = load_data(folder / "digits.npz", test_size=60)
    better = replace(recipe, epochs=6, arguments={"width": 8})
    train_recipe(data, better, path=folder / "better", seed=0)
    train_recipe(data, replace(recipe, epochs=0.1), path=folder / "worse", seed=0)
    source = folder / "digits.npz"
    repeat_training(source, better, seeds=2, seed=1, path=folder / "seeds", test_size=60)
    return folder


def test_two_runs_are_compared_picture_by_picture(folder):
    found = compare([folder / "worse", folder / "better"])
    best, other = found.contestants
    assert (best.name, other.name) == (str(folder / "better"), str(folder / "worse"))
    data = load_data(folder / "digits.npz", test_size=60)
    right = [
        load_run(folder / name).model().predict_proba(data.test.images).argmax(axis=1)
        == data.test.labels
        for name in ("better", "worse")
    ]
    expected = compare_paired(*right)
    (gap,) = found.differences
    assert (gap.difference, gap.low, gap.high) == (
        expected.difference, expected.low, expected.high,
    )  # fmt: skip
    assert (gap.only_best, gap.only_other) == (expected.only_one, expected.only_other)
    assert gap.told
    assert found.verdict == f"{best.name} is better than {other.name}."
    assert best.accuracy == load_run(folder / "better").results["test_accuracy"]
    assert (best.trained_on, best.right.shape) == (0, (1, 60))
    assert best.bytes == (folder / "better/model/weights.safetensors").stat().st_size
    assert best.train_seconds == load_run(folder / "better").results["train_seconds"]
    assert "test" in found.pictures
    record = found.to_dict()
    json.dumps(record, allow_nan=False)
    assert record["better"] == best.name
    lines = str(found).splitlines()
    assert lines[1].startswith(best.name)
    assert lines[-1] == found.verdict
    assert len({len(line) for line in lines[:1]}) == 1


def test_a_run_and_its_copy_cannot_be_told_apart(folder, tmp_path):
    shutil.copytree(folder / "better", tmp_path / "copy")
    found = compare([folder / "better", tmp_path / "copy"])
    (gap,) = found.differences
    assert (gap.difference, gap.told, gap.would_tell) == (0, False, None)
    assert found.to_dict()["better"] is None
    assert found.verdict.startswith("It cannot be told whether")
    assert "Both judge the same number of these 60 pictures rightly." in found.verdict


def test_seeds_are_one_contestant_with_their_spread(folder):
    found = compare([folder / "worse", folder / "seeds"])
    best, _ = found.contestants
    assert best.right.shape == (2, 60)
    assert best.accuracies == [
        load_run(folder / f"seeds/seed-{seed}").results["test_accuracy"] for seed in (1, 2)
    ]
    (gap,) = found.differences
    assert gap.p_value is None
    assert "seeds" in gap.method
    assert gap.low < gap.difference < gap.high


def test_of_three_each_difference_is_surer(folder):
    found = compare([folder / name for name in ("seeds", "worse", "better")])
    assert [gap.confidence for gap in found.differences] == pytest.approx([1 - 0.05 / 3] * 2)
    accuracies = [each.accuracy for each in found.contestants]
    assert accuracies == sorted(accuracies, reverse=True)


def test_pictures_that_were_trained_on_are_counted(folder):
    found = compare([folder / "better", folder / "worse"], folder / "digits.npz", split="all")
    assert found.n == 180
    assert [each.trained_on for each in found.contestants] == [120, 120]


def contestant(name, right):
    return Contestant(
        name=name, right=np.array(right, dtype=bool), parameters=1, bytes=1, train_seconds=None,
        images_per_second=1.0, trained_on=0,
    )  # fmt: skip


def test_without_any_doubt_from_the_pictures_it_is_welchs_test():
    """Every picture is as often right in one as in the other: the seeds are all that varies."""
    n = 1000
    shares = {"one": [0.9, 0.8, 0.7, 0.9], "other": [0.5, 0.7, 0.6]}
    both = []
    for name, accuracies in shares.items():
        rows = [np.arange(n) < share * n for share in accuracies]
        both.append(contestant(name, rows))
    found = difference(*both, confidence=0.95)
    expected = ttest_ind(shares["one"], shares["other"], equal_var=False)
    low, high = expected.confidence_interval(0.95)
    # The pictures add a little, and degrees of freedom are rounded down.
    assert found.low < low
    assert found.high > high
    assert found.high - found.low < 1.4 * (high - low)
    assert found.difference == pytest.approx(0.825 - 0.6)


def test_seeds_that_differ_as_much_are_said_to():
    one = contestant("one", [np.arange(1000) < hits for hits in (910, 930, 890)])
    other = contestant("other", [np.arange(1000) < hits for hits in (905, 925, 885)])
    found = difference(one, other, 0.95)
    assert (found.told, found.would_tell) == (False, None)
    single = contestant("single", [np.arange(1000) < 905])
    alone = difference(one, single, 0.95)
    assert not alone.told
    # An interval of several seeds is one of the pictures, too: no narrower than they allow.
    low, high = one.interval
    assert high - low > 2 * 1.96 * (0.91 * 0.09 / 1000) ** 0.5
    # A single model is taken to vary as much as the others, and its mean is over one.
    assert alone.high - alone.low > found.high - found.low


def test_what_cannot_be_compared(folder, arrays, recipe, tmp_path):
    better = folder / "better"
    with pytest.raises(ConfigError, match="a comparison needs at least two runs; got 1"):
        compare([better])
    with pytest.raises(ConfigError, match="better is given twice"):
        compare([better, folder / "worse", folder / ".." / folder.name / "better"])
    with pytest.raises(ConfigError, match="is a bundle without a run"):
        compare([better, folder / "worse/model"])
    with pytest.raises(ConfigError, match="options of a data set need a data set"):
        compare([better, folder / "worse"], size=8)
    for data in (None, folder / "digits.npz"):
        with pytest.raises(ModelError, match="is neither a model bundle"):
            compare([better, tmp_path], data)
        with pytest.raises(ModelError, match="does not exist"):
            compare([better, tmp_path / "missing"], data)
    with pytest.raises(ConfigError, match="split"):
        compare([better, folder / "worse"], split="tset")
    np.savez(tmp_path / "others.npz", images=arrays[0][:90], labels=arrays[1][:90])
    train_recipe(load_data(tmp_path / "others.npz"), recipe, path=tmp_path / "run")
    with pytest.raises(ConfigError, match="were trained on different data, or on another"):
        compare([better, tmp_path / "run"])
    assert compare([better, tmp_path / "run"], folder / "digits.npz", split="all").n == 180
    with pytest.raises(DataError, match="which the model does not know"):
        compare([better, folder / "worse"], (arrays[0], arrays[1] + 3))


def test_models_of_different_sizes_judge_the_same_pictures(folder, recipe, tmp_path):
    larger = load_data(folder / "digits.npz", size=12, test_size=60)
    train_recipe(larger, replace(recipe, epochs=4), path=tmp_path / "larger")
    with pytest.raises(ConfigError, match="another division of them"):
        compare([folder / "better", tmp_path / "larger"])
    found = compare(
        [folder / "better", tmp_path / "larger"], folder / "digits.npz", split="test", test_size=60
    )
    assert found.n == 60
    assert [each.trained_on for each in found.contestants] == [0, 0]


def test_the_verdict_names_what_can_be_told_and_what_cannot():
    entered = [
        contestant(name, [np.arange(1000) < hits])
        for name, hits in (("a", 930), ("b", 929), ("c", 800), ("d", 790))
    ]
    differences = tuple(difference(entered[0], each, 0.99) for each in entered[1:])
    found = Comparison(
        pictures="these", n=1000, contestants=tuple(entered), differences=differences
    )
    assert found.verdict.startswith(
        "It cannot be told whether a is better than b; it is better than c and d. If the difference"
    )
    others = Comparison(
        pictures="these", n=1000, contestants=(entered[0], *entered[2:]),
        differences=differences[1:],
    )  # fmt: skip
    assert others.verdict == "a is better than all others."
    known = replace(others.contestants[1], trained_on=5)
    seen = replace(others, contestants=(others.contestants[0], known, *others.contestants[2:]))
    assert seen.verdict == (
        "a is better than all others on these pictures, some of which c had in training."
    )
