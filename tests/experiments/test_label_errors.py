"""From planted wrong labels to right ones: cross-validation, list, corrections, data set."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from convolens.data import load_data
from convolens.data.corrections import read_corrections
from convolens.errors import ConfigError, ModelError
from convolens.experiments import cross_validate, load_cross_validation
from convolens.experiments.label_errors import suspected, write_list
from convolens.experiments.out_of_fold import OutOfFold

CLASSES = ("=zero", 'one, "1"')
HEADER = ["picture", "label", "suggested", "probability of label", "probability of suggested"]
HEADER += ["reason", "copy", "corrected"]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A folder of zeros and ones, and for each wrong picture in it its right class."""
    bunch = load_digits(n_class=2)
    root = tmp_path_factory.mktemp("photos")
    right = {}
    for number, (image, label) in enumerate(zip(bunch.images, bunch.target, strict=True)):
        given = 1 - label if number in (20, 51, 90, 131, 201, 244, 303) else label
        name = f"{CLASSES[given]}/{number},\n.png" if number == 51 else f"{CLASSES[given]}/{number}"
        if given != label:
            right[name] = CLASSES[label]
        (root / CLASSES[given]).mkdir(exist_ok=True)
        Image.fromarray((image * (255 / 16)).astype(np.uint8)).save(root / name, format="PNG")
    name = f"{CLASSES[1 - bunch.target[7]]}/copy of 7.png"
    (root / name).write_bytes((root / CLASSES[bunch.target[7]] / "7").read_bytes())
    right[name] = CLASSES[bunch.target[7]]
    return root, right


@pytest.fixture(scope="module")
def learner(recipe):
    return replace(recipe, epochs=6, arguments={"width": 8})


@pytest.fixture(scope="module")
def done(planted, learner, tmp_path_factory):
    return cross_validate(planted[0], learner, folds=2, path=tmp_path_factory.mktemp("cv"))


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill_in(path, target, fill=lambda row: row["suggested"]):
    """As a person does it with a spreadsheet that saves semicolons."""
    rows = [{**row, "corrected": fill(row)} for row in rows_of(path)]
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, HEADER, delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return target


def labels_of(data):
    return {
        name: data.class_names[label]
        for split in data.splits.values()
        for name, label in zip(split.names, split.labels.tolist(), strict=True)
    }


def test_what_was_planted_is_found_and_put_right(planted, done, tmp_path):
    root, right = planted
    found, kept = done.label_errors(), done.out_of_fold()
    assert right.keys() <= {kept.names[index] for index in found.indices}
    listed = done.path / "label_errors.csv"
    data = load_data(root, corrections=fill_in(listed, tmp_path / "filled in.csv"))
    truth = {**labels_of(load_data(root)), **right}
    assert labels_of(data) == truth
    assert f"{len(right)} labels corrected by it" in data.problems[-1].reason


def test_the_list(planted, done):
    found, kept = done.label_errors(), done.out_of_fold()
    rows = rows_of(done.path / "label_errors.csv")
    assert list(rows[0]) == HEADER
    assert len(rows) == len(found.indices) == done.to_dict()["label_errors"]
    assert done.to_dict()["label_noise"] == pytest.approx(found.noise)
    assert done.to_dict()["label_errors_file"] == str(done.path / "label_errors.csv")
    assert [row["reason"] for row in rows[:3]] == ["copy with another label"] * 2 + [
        "judged otherwise"
    ]
    one, other = rows[:2]
    assert (one["copy"], other["copy"]) == (other["picture"], one["picture"])
    # Which of the two is right the models say: that one needs no correction.
    assert one["suggested"] == other["suggested"] != one["label"]
    for row, index in zip(rows, found.indices, strict=True):
        given, called = kept.labels[index], kept.probabilities[0, index].argmax()
        assert row["label"].removeprefix("'") == kept.class_names[given]
        assert row["suggested"].removeprefix("'") == kept.class_names[called]
        own = float(row["probability of label"])
        assert own == pytest.approx(kept.probabilities[0, index, given], abs=6e-5)
        assert row["corrected"] == ""
    text = (done.path / "label_errors.csv").read_text(encoding="utf-8-sig")
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    assert text.count("\n") == len(rows) + 1


def test_a_list_that_somebody_filled_in_is_never_replaced(planted, learner, done, tmp_path):
    listed = done.path / "label_errors.csv"
    empty = listed.read_bytes()
    try:
        fill_in(listed, listed)
        filled = listed.read_bytes()
        said = []
        again = cross_validate(planted[0], learner, folds=2, path=done.path, say=said.append)
        assert again.status == "completed"
        assert listed.read_bytes() == filled
        assert any("has corrections in it and is left as it is" in line for line in said)
        with pytest.raises(ConfigError, match="has corrections in it and is not replaced; name"):
            again.write_label_errors()
        listed.write_bytes(b"\x00 somebody's")
        with pytest.raises(ConfigError, match="is not replaced"):
            again.write_label_errors()
        assert again.write_label_errors(tmp_path / "new.csv").read_bytes() == empty
    finally:
        listed.write_bytes(empty)
    assert load_cross_validation(done.path).write_label_errors() == listed
    assert listed.read_bytes() == empty


def test_a_second_round_has_the_first_one_s_corrections(planted, learner, done, tmp_path):
    root, right = planted
    dropped, corrected, *rest = right
    kept_back = rest[-1]
    before = fill_in(
        done.path / "label_errors.csv",
        tmp_path / "first.csv",
        lambda row: "-" if row["picture"].endswith(dropped[-5:]) else row["suggested"],
    )
    first = load_data(root, corrections=before)
    again = cross_validate(root, learner, folds=2, corrections=before, path=tmp_path / "cv")
    fold = dict(zip(done.out_of_fold().names, done.out_of_fold().fold[0], strict=True))
    now = again.out_of_fold()
    assert all(fold[name] == number for name, number in zip(now.names, now.fold[0], strict=True))
    assert len(now.names) == len(fold) - first.left_out
    rows = {row["picture"]: row for row in rows_of(tmp_path / "cv" / "label_errors.csv")}
    assert sum(row["corrected"] != "" for row in rows.values()) >= len(right)
    assert {row["reason"] for row in rows.values()} >= {"corrected before"}
    # The new list alone says all that the first one said.
    second = load_data(root, corrections=tmp_path / "cv" / "label_errors.csv")
    assert second.fingerprint == first.fingerprint
    assert kept_back in labels_of(second)
    assert corrected in labels_of(second)
    run = again.runs[0]
    assert run.evaluate().accuracy == again.record["runs"][0]["accuracy"]


def test_numbers_are_those_of_the_undivided_set(arrays, recipe, tmp_path):
    images, labels = arrays
    options = {"folds": 2, "corrections": tmp_path / "fixed.csv", "sample": 0.9}
    (tmp_path / "fixed.csv").write_text("picture,corrected\n[3],-\n[5],0\n", encoding="utf-8")
    made = cross_validate((images, labels), recipe, path=tmp_path / "cv", **options)
    kept = made.out_of_fold()
    assert "[3]" not in kept.names
    for name, label in zip(kept.names, kept.labels.tolist(), strict=True):
        assert kept.class_names[label] == ("0" if name == "[5]" else str(labels[int(name[1:-1])]))


def test_the_mean_over_repeats_counts(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    probabilities = np.stack([[0.9, 0.1], [0.1, 0.9]])[labels][None].repeat(2, axis=0)
    probabilities += rng.uniform(-0.05, 0.05, (2, 60, 1)) * [1, -1]
    # Wrong by one repeat alone.
    probabilities[:, 7] = [[0.99, 0.01], [0.3, 0.7]]
    probabilities[:, 8] = [[0.02, 0.98], [0.04, 0.96]]
    kept = OutOfFold(
        probabilities=probabilities.astype(np.float32),
        labels=labels,
        fold=np.ones((2, 60), dtype=np.int64),
        names=tuple(f"[{number}]" for number in range(60)),
        class_names=("007", "=A1"),
    )
    found = suspected(kept)
    assert found.quality.argsort()[:2].tolist() == [8, 7]
    write_list(tmp_path / "list.csv", kept, found)
    rows = rows_of(tmp_path / "list.csv")
    assert rows[0]["picture"] == "[8]"
    assert rows[0]["label"] == "'007"
    assert rows[0]["suggested"] == "'=A1"
    assert rows[0]["probability of label"] == "0.0300"


@pytest.mark.parametrize(("label", "probability"), [("a", "0.0200"), ("", ""), ("gone", "")])
def test_of_a_label_that_was_corrected_before_it_is_the_shown_class_s_probability(
    label, probability, tmp_path
):
    """Corrected from a to b, and doubted again: the models say c."""
    labels = np.arange(30) % 3
    probabilities = 0.05 + 0.85 * np.eye(3, dtype=np.float32)[labels]
    labels[8], probabilities[8] = 1, [0.02, 0.08, 0.9]
    kept = OutOfFold(
        probabilities=probabilities[None],
        labels=labels,
        fold=np.ones((1, 30), dtype=np.int64),
        names=tuple(f"{number}.png" for number in range(30)),
        class_names=("a", "b", "c"),
    )
    (tmp_path / "before.csv").write_text(f"picture,label,corrected\n8.png,{label},b\n")
    before = read_corrections(tmp_path / "before.csv")
    write_list(tmp_path / "list.csv", kept, suspected(kept), before)
    (row,) = rows_of(tmp_path / "list.csv")
    assert (row["label"], row["suggested"], row["corrected"]) == (label, "c", "b")
    assert row["probability of label"] == probability
    assert row["probability of suggested"] == "0.9000"


def test_a_folder_of_before_is_read_without_copies(done, tmp_path):
    with np.load(done.path / "out_of_fold.npz") as kept:
        assert kept["copies"].shape == (1, 2)
        np.savez(
            tmp_path / "out_of_fold.npz", **{name: kept[name] for name in kept if name != "copies"}
        )
    (tmp_path / "cv.json").write_bytes((done.path / "cv.json").read_bytes())
    opened = load_cross_validation(tmp_path)
    assert not opened.label_errors().contrary_copy.any()
    assert {row["reason"] for row in rows_of(opened.write_label_errors())} == {"judged otherwise"}


def test_a_folder_that_is_not_complete_has_no_suspected_labels(done, tmp_path):
    (tmp_path / "cv.json").write_bytes((done.path / "cv.json").read_bytes())
    with pytest.raises(ModelError, match=r"out_of_fold.npz does not exist"):
        load_cross_validation(tmp_path).label_errors()
