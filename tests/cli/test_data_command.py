"""``data`` on a folder of faults; training, judging and predicting beside bad files."""

import contextlib
import io
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from convolens.bundle import load_model
from convolens.cli.main import main
from convolens.data import PROBLEM_KINDS, load_data

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
# pyright: reportMissingImports=false
from faults import BAD_FILES, encoded, plant_file, put, put_good, snapshot, texture
from planted import plant_everything

TRAINING = ("--epochs", "1", "--size", "12", "--fit", "crop", "--max-bad", "0.5")


def found(problems):
    return Counter((each["kind"], each["path"], each["skipped"]) for each in problems)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    root = tmp_path_factory.mktemp("planted") / "animals"
    return root, plant_everything(root)


def test_data_finds_every_planted_fault_and_nothing_else(convolens, planted):
    root, expected = planted
    before = snapshot(root)
    ran = convolens("data", root, "--json")
    assert snapshot(root) == before
    assert ran.status == 0
    assert ran.json.keys() >= {
        *("n", "splits", "classes", "shape", "problems", "seen", "used", "skipped")
    }
    assert found(ran.json["problems"]) == Counter(expected)
    assert ran.json["seen"] == ran.json["used"] + ran.json["skipped"]
    assert ran.json["n"] == ran.json["used"] == sum(s["n"] for s in ran.json["splits"].values())
    assert ran.json["skipped"] == sum(skipped for _, _, skipped in expected)
    assert {kind: each["count"] for kind, each in ran.json["kinds"].items()} == Counter(
        kind for kind, _, _ in expected
    )


def test_data_says_it_to_people_and_on_a_page(convolens, planted, tmp_path):
    root, expected = planted
    before = snapshot(root)
    ran = convolens("data", root, "--report", "page.html")
    assert snapshot(root) == before
    assert ran.status == 0
    kinds = {kind for kind, _, _ in expected}
    n_skipped = sum(skipped for _, _, skipped in expected)
    assert f"skipped {n_skipped}" in ran.out.splitlines()[0]
    words = " ".join(ran.out.split())
    assert all(PROBLEM_KINDS[kind].title in words for kind in kinds)
    assert max(map(len, ran.out.splitlines())) <= 80
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert all(PROBLEM_KINDS[kind].title in page for kind in kinds)


def test_a_folder_that_is_all_right_has_no_problems(convolens, tmp_path):
    ran = convolens("data", put_good(tmp_path / "animals"), "--json")
    assert (ran.json["n"], ran.json["seen"], ran.json["skipped"]) == (30, 30, 0)
    assert ran.json["problems"] == []
    assert ran.json["shape"] == [24, 24, 3]


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        (lambda root: root.mkdir(), "no files; allowed: FOLDER/<class>/picture.jpg"),
        (lambda root: put(root, "1.png", texture(0)), "1 pictures but no class folders"),
        (lambda root: put(root, "cat/1.png", texture(0)), "of one class, 'cat'"),
        (lambda root: plant_file(root, "a file of zero bytes"), "none of 1 files can be used"),
    ],
    ids=["nothing", "no class", "one picture", "a bad file alone"],
)
@pytest.mark.parametrize("command", ["data", "train"])
def test_what_is_no_data_set_is_one_line_and_status_2(refused, tmp_path, command, plant, message):
    plant(tmp_path / "animals")
    assert message in refused(command, tmp_path / "animals")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--size 0", "size is 0; allowed: a whole number from 1 to 4096"),
        ("--size large", "--size is 'large'; allowed: "),
        ("--fit squash", "unknown fit policy 'squash'; allowed: pad, crop, stretch"),
        ("--channels 2", "channels is 2; allowed: 1 (grey), 3 (RGB), None"),
        ("--sample 0", "sample is 0.0; allowed: above 0, up to 1 (all)"),
        ("--fold 1/1", "folds is 1; allowed: a whole number from 2"),
        ("--fold 6/5", "--fold is '6/5'; allowed: K/N with K from 1 to N"),
        ("--test 30", "test_size is 30; allowed: a whole number from 1 to 28"),
        ("--test all", "--test is 'all'; allowed: a number of pictures"),
        ("--group patient", "group is 'patient', which is found in no path"),
        ("--split-file nowhere.csv", "there is no split file 'nowhere.csv'"),
        ("--max-pixels 0", "pixels is 0; allowed: a whole number of at least 1"),
        ("--range bright", "--range is 'bright'; allowed: LO:HI, such as 0:16"),
        ("--sizes 8", "No such option: --sizes"),
    ],
)
def test_a_wrong_option_is_one_line_and_status_2(refused, tmp_path, options, message):
    root = put_good(tmp_path / "animals")
    assert message in refused("data", root, *options.split())


def test_more_than_one_bad_file_in_a_hundred_stops_a_training(refused, tmp_path):
    root = put_good(tmp_path / "animals")
    plant_file(root, "a JPEG cut at 5 tenths")
    plant_file(root, "a file of zero bytes", "dog")
    plant_file(root, "a text file among the pictures")  # which is no bad picture
    before = snapshot(tmp_path)
    line = refused("train", root)
    assert line.startswith(
        "animals: 2 of 32 files are bad (6.2 %; allowed: 1 %): 1 empty_file, 1 damaged; the first "
        "is dog/empty.jpg: the file is empty (0 bytes); see all with `convolens data "
    )
    assert line.endswith("raise --max-bad")
    assert snapshot(tmp_path) == before  # no run was begun, and none of its folders


@pytest.mark.parametrize("limit", [-0.1, 1.5, "nan"])
def test_a_limit_that_is_no_share(refused, tmp_path, limit):
    line = refused("train", put_good(tmp_path / "animals"), "--max-bad", limit)
    assert "allowed: a share, 0 to 1" in line


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    """JPEG files larger than a model's input, and one of every bad file."""
    root = tmp_path_factory.mktemp("bad") / "animals"
    for number in range(40):
        picture = encoded(texture(70_000 + number, 60 + number, 90 - number), "JPEG")
        put(root, f"{('cat', 'dog')[number % 2]}/{number}.jpg", picture)
    chosen = ("a PNG bomb", "a PNG cut in half", "text named as a picture", "a hidden file")
    assert set(chosen) < set(BAD_FILES)
    return root, [problem for fault in chosen for problem in plant_file(root, fault)]


@pytest.fixture(scope="module")
def run(animals, tmp_path_factory):
    """A run on them, and what training it printed."""
    root, _ = animals
    folder, before, out = tmp_path_factory.mktemp("runs") / "run", snapshot(root), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        status = main(["train", str(root), *TRAINING, "--run", str(folder), "--json"])
    assert status == 0
    assert snapshot(root) == before
    return folder, json.loads(out.getvalue())


def test_training_beside_bad_files_records_each(animals, run):
    folder, _ = run
    record = json.loads((folder / "run.json").read_text())
    assert found(record["data"]["skipped"]) == Counter(animals[1])
    assert all(problem["reason"] for problem in record["data"]["skipped"])


def test_one_picture_is_one_input_in_training_judging_and_predicting(convolens, animals, run):
    root, _ = animals
    folder, results = run
    model = load_model(folder)
    dataset = load_data(root, size=12, fit="crop")
    assert model.preprocessing.fit == "crop"
    for split in dataset.splits.values():
        paths = [root / name for name in split.names or ()]
        trained_on = model.preprocessing(np.asarray(split.images))
        assert model.preprocessing.prepare(paths).tobytes() == trained_on.tobytes()
    by_run = convolens("evaluate", folder, "--json").json
    by_name = convolens("evaluate", folder, root, "--json").json
    assert by_run == by_name
    assert by_run["accuracy"] == results["test_accuracy"]
    assert dataset.test is not None
    paths = [str(root / name) for name in dataset.test.names or ()]
    said = convolens("predict", folder, *paths, "--json").json
    right = [
        each["class"] == dataset.class_names[label]
        for each, label in zip(said, dataset.test.labels.tolist(), strict=True)
    ]
    assert np.mean(right) == by_run["accuracy"]


def test_a_bad_file_is_refused_by_predict_too(refused, animals, run):
    for _, path, _ in animals[1][:3]:
        assert f"{Path(path).name}: " in refused("predict", run[0], animals[0] / path)
