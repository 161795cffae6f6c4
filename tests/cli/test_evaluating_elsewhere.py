"""Judging a model on other people's folders: which pictures, and whether it has seen them."""

import shutil
import unicodedata

import pytest
from PIL import Image

from convolens.images import load_sample


@pytest.fixture(scope="module")
def pieces():
    whole = {name: Image.fromarray(load_sample(name)) for name in ("china", "flower")}
    return {
        name: [
            picture.crop((9 * n, 7 * (n % 20), 9 * n + 120, 7 * (n % 20) + 90)) for n in range(50)
        ]
        for name, picture in whole.items()
    }


def write(folder, pieces, numbers, names=("china", "flower"), rename=None):
    for name in names:
        place = folder / (rename or {}).get(name, name)
        place.mkdir(parents=True)
        for number in numbers:
            pieces[name][number].save(place / f"{number}.png")
    return folder


@pytest.fixture
def run(convolens, pieces, tmp_path):
    write(tmp_path / "photos", pieces, range(30))
    ran = convolens("train", "photos", "--size", 16, "--epochs", 2, "--run", "run", "--json")
    assert ran.status == 0, ran.err
    return ran.json


def test_all_pictures_of_a_folder_that_is_not_divided(convolens, run, pieces, tmp_path):
    write(tmp_path / "new", pieces, range(31, 50))
    judged = convolens("evaluate", "run", "new", "--json")
    assert (judged.json["n"], judged.json["trained_on"]) == (38, 0)
    assert "judged on all 38 pictures of new" in judged.err
    part = convolens("evaluate", "run", "new", "--split", "test", "--json")
    assert part.json["n"] == 4


def test_one_class_or_a_test_part_alone_is_enough(convolens, run, pieces, tmp_path):
    write(tmp_path / "one", pieces, range(31, 50), names=["china"])
    assert convolens("evaluate", "run", "one", "--json").json["n"] == 19
    write(tmp_path / "divided" / "test", pieces, range(31, 40))
    judged = convolens("evaluate", "run", "divided", "--json")
    assert (judged.status, judged.json["n"]) == (0, 18)


def test_pictures_that_were_trained_on_are_counted_and_said(convolens, run, pieces, tmp_path):
    write(tmp_path / "mixed", pieces, range(20, 40))
    judged = convolens("evaluate", "run", "mixed", "--json")
    own = {path.relative_to(tmp_path / "photos") for path in (tmp_path / "photos").rglob("*.png")}
    both = [
        p for p in (tmp_path / "mixed").rglob("*.png") if p.relative_to(tmp_path / "mixed") in own
    ]
    assert 0 < judged.json["trained_on"] <= len(both) == 20
    assert f"trained on {judged.json['trained_on']} of these 40 pictures" in judged.err


def test_the_runs_own_folder_means_its_own_division(convolens, run):
    by_run = convolens("evaluate", "run", "--json").json
    assert convolens("evaluate", "run", "photos", "--json").json == by_run
    assert by_run["trained_on"] == 0
    assert by_run["accuracy"] == run["test_accuracy"]
    other = convolens("evaluate", "run", "photos", "--split-seed", 5, "--split", "test", "--json")
    assert other.json["trained_on"] > 0


def test_a_name_in_another_unicode_form_is_the_same_name(convolens, pieces, tmp_path):
    composed, apart = (unicodedata.normalize(form, "fleur né") for form in ("NFC", "NFD"))
    write(tmp_path / "photos", pieces, range(30), rename={"flower": composed})
    assert convolens("train", "photos", "--size", 16, "--epochs", 1, "--run", "run").status == 0
    write(tmp_path / "mac", pieces, range(31, 50), rename={"flower": apart})
    assert convolens("evaluate", "run", "mac", "--json").json["n"] == 38


def test_a_broken_picture_costs_no_prediction_but_its_own(convolens, run, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    ran = convolens(
        "predict", "run", "photos/china/1.png", "broken.png", "photos/china/2.png", "--json"
    )
    assert ran.status == 2
    assert [entry["path"] for entry in ran.json] == [
        "photos/china/1.png", "broken.png", "photos/china/2.png",
    ]  # fmt: skip
    assert ran.json[1]["class"] is None
    assert "not a picture" in ran.json[1]["error"]
    assert ran.json[0]["class"] in ("china", "flower")
    assert ran.err.count("\n") == 1
    alone = convolens("predict", "run", "photos/china/2.png", "--json")
    assert alone.json[0]["probability"] == pytest.approx(ran.json[2]["probability"], abs=1e-5)
    only = convolens("predict", "run", "broken.png")
    assert (only.status, only.out) == (2, "")


def test_training_says_what_it_left_out_and_what_is_wrong(convolens, run, tmp_path):
    shutil.copy(tmp_path / "photos/china/1.png", tmp_path / "photos/flower/copy.png")
    (tmp_path / "photos/china/empty.png").write_bytes(b"")
    ran = convolens("train", "photos", "--size", 16, "--epochs", 1, "--max-bad", 0.1)
    assert "61 of 62 files are used" in ran.err
    assert "1 contradictory_labels, 1 empty_file" in ran.err


def test_training_on_one_class_alone_is_refused(refused, pieces, tmp_path):
    write(tmp_path / "two", pieces, range(3))
    for path in sorted((tmp_path / "two" / "flower").iterdir())[1:]:
        path.unlink()
    write(tmp_path / "d" / "train", pieces, range(9), names=["china"])
    write(tmp_path / "d" / "test", pieces, range(9, 19))
    assert "training images are of one class, 'china'" in refused("train", "d", "--run", "run")
    assert not (tmp_path / "run").exists()


def test_places_that_cannot_be_written_to_are_refused_before_the_work(refused, run, tmp_path):
    assert "is a folder; name a file in it" in refused("data", "photos", "--write-split", "photos")
    assert "is a folder; name a file in it" in refused("data", "photos", "--report", "photos")
    assert "a run cannot be written there" in refused("train", "photos", "--run", "/proc/x")
