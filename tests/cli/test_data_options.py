"""The options that say how a data set is read: what they do, and how they are refused."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convolens.bundle import load_model
from convolens.data import load_data
from convolens.images import load_sample
from convolens.training import load_run


@pytest.fixture
def photos(tmp_path):
    """Two classes of photographs larger than any model takes, six patients each."""
    for name in ("china", "flower"):
        whole = Image.fromarray(load_sample(name))
        for number in range(24):
            path = tmp_path / "photos" / name / f"patient{number // 4}-{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            left, top = 20 * number, 50 * (number % 4)
            whole.crop((left, top, left + 180, top + 140)).save(path)
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--size x", "--size is 'x'; allowed: such as 64 or 48x64"),
        ("--size 0", "size is 0; allowed: a whole number from 1 to 4096"),
        ("--size 1x2x3", "--size is '1x2x3'"),
        ("--channels 2", "channels is 2; allowed: 1 (grey), 3 (RGB)"),
        ("--fit squash", "unknown fit policy 'squash'; allowed: pad, crop, stretch"),
        ("--fold 6/5", "--fold is '6/5'; allowed: K/N with K from 1 to N"),
        ("--fold 2", "--fold is '2'; allowed: such as 1/5 to 5/5"),
        ("--sample 0", "sample is 0.0; allowed: above 0"),
        ("--validation x", "--validation is 'x'; allowed: a number of pictures"),
        ("--test 1.5", "test_size is 1.5; allowed"),
        ("--test 99999", "test_size is 99999; allowed: a whole number from 1 to"),
        ("--split-file none.csv", "there is no split file 'none.csv'"),
        ("--group (", "which is no regular expression"),
        ("--group doctor", "which is found in no path, such as"),
        ("--max-pixels 0", "pixels is 0; allowed"),
        ("--range 1", "--range is '1'; allowed: LO:HI"),
        ("--shape 3", "--shape is '3'; allowed: such as 28x28 or 32x32x3"),
        ("--images path", "the option images means nothing to a folder of pictures"),
        ("--split-seed -1", "seed is -1"),
        ("--max-pixels 100", "none of 48 files can be used"),
    ],
)
def test_wrong_options_are_one_line(refused, photos, options, message):
    assert message in refused("data", photos, *options.split())


def test_a_run_is_evaluated_on_the_very_division_it_was_trained_on(convolens, photos):
    options = "--size 24x32 --fit crop --fold 2/4 --split-seed 7 --group (patient.)"
    ran = convolens("train", photos, *options.split(), "--epochs", 1, "--run", "run", "--json")
    assert ran.status == 0, ran.err
    assert load_model("run").input_shape == (24, 32, 3)
    record = json.loads(Path("run/run.json").read_text())["data"]
    assert record["options"] == {
        "size": [24, 32],
        "fit": "crop",
        "seed": 7,
        "folds": 4,
        "fold": 1,
        "group": "(patient.)",
    }
    assert (record["seen"], record["used"], record["skipped"]) == (48, 48, [])
    judged = convolens("evaluate", "run", "--json")
    assert judged.json["accuracy"] == ran.json["test_accuracy"]
    data = load_run("run").data()
    patients = [
        {re.search("patient.", name)[0] for name in split.names} for split in data.splits.values()
    ]
    assert judged.json["n"] == len(data.test)
    assert not patients[0] & patients[2]


def test_evaluating_and_predicting_a_file_give_the_same_probabilities(convolens, photos):
    convolens("train", photos, "--size", 20, "--epochs", 1, "--run", "run", "--json")
    model = load_model("run")
    data = load_run("run").data()
    paths = [photos / name for name in data.test.names]
    prepared = model.preprocessing.prepare(paths)
    assert np.array_equal(prepared, model.preprocessing(data.test.images[:]))
    again = load_data(photos, size=20)
    assert np.array_equal(again.test.images[:], data.test.images[:])
    everything = convolens("evaluate", "run", photos, "--split", "all", "--json")
    assert everything.json["n"] == 48


def test_a_split_is_written_and_read_back(convolens, photos):
    convolens("data", photos, "--write-split", "split.csv", "--split-seed", 3)
    again = load_data(photos, split_file="split.csv")
    assert again.fingerprint == load_data(photos, seed=3).fingerprint
    assert again.fingerprint != load_data(photos).fingerprint


def test_too_many_bad_files_stop_the_training_before_it_begins(
    convolens, refused, photos, tmp_path
):
    (photos / "china" / "broken.jpg").write_bytes(b"no picture")
    line = refused("train", photos, "--run", "run")
    assert "1 of 49 files are bad (2 %; allowed: 1 %): 1 not_an_image" in line
    assert "--max-bad" in line
    assert not (tmp_path / "run").exists()
    ran = convolens("train", photos, "--max-bad", 0.05, "--size", 16, "--epochs", 1, "--run", "run")
    assert ran.status == 0
    (skipped,) = json.loads((tmp_path / "run" / "run.json").read_text())["data"]["skipped"]
    assert (skipped["kind"], skipped["path"]) == ("not_an_image", "china/broken.jpg")


def test_balancing_is_an_option_of_training(convolens, refused, photos):
    ran = convolens(
        "train", photos, "--size", 16, "--epochs", 1, "--run", "run", "--sampling", "balanced"
    )
    assert ran.status == 0
    assert json.loads(Path("run/run.json").read_text())["recipe"]["sampling"] == "balanced"
    assert "class_weights must be one of none, balanced" in refused(
        "train", photos, "--class-weights", "heavy"
    )
