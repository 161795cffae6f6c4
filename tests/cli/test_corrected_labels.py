"""``--labels FILE.csv``: from the list of a cross-validation to a run with right labels."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_digits


@pytest.fixture
def pictures(tmp_path):
    """Zeros and ones as an archive, of which one label is wrong."""
    bunch = load_digits(n_class=2)
    labels = bunch.target.copy()
    labels[4] = 1 - labels[4]
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    np.savez(tmp_path / "pets.npz", images=images, labels=np.array(["no", "yes"])[labels])
    return tmp_path / "pets.npz", ["no", "yes"][1 - labels[4]]


def test_from_suspicion_to_a_run(pictures, convolens, refused, tmp_path):
    path, right = pictures
    ran = convolens("cv", path, "--folds", 2, "--epochs", 2, "--run", "cv", "--json")
    result = ran.json
    assert result["label_errors"] >= 1
    assert 0 < result["label_noise"] < 0.05
    listed = tmp_path / result["label_errors_file"]
    text = listed.read_text(encoding="utf-8-sig")
    assert text.splitlines()[1].startswith("[4],")
    again = convolens("cv", path, "--folds", 2, "--epochs", 2, "--run", "cv")
    assert " suspected, " in again.out
    assert " of all estimated to be wrong: cv/label_errors.csv" in again.out

    lines = text.splitlines()
    filled = "\n".join([lines[0], lines[1] + right, *lines[2:], ""])
    listed.write_text(filled, encoding="utf-8-sig")
    train = ("train", path, "--labels", "cv/label_errors.csv", "--epochs", 0.2, "--run", "run")
    ran = convolens(*train)
    assert "cv/label_errors.csv: 1 label corrected by it" in ran.err
    options = json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))["data"]["options"]
    assert options["corrections"] == str(listed)
    assert len(options["corrections_sha256"]) == 64
    assert convolens("evaluate", "run", "--json").json["n"] == 36
    elsewhere = convolens("evaluate", "run", path, "--labels", listed, "--split", "all", "--json")
    assert elsewhere.json["n"] == 360
    assert "1 label corrected by it" in elsewhere.err
    problems = convolens("data", path, "--labels", listed, "--json").json["problems"]
    assert [problem["kind"] for problem in problems].count("corrected") == 1

    listed.write_text(text, encoding="utf-8-sig")
    assert "has changed: it corrects other labels than when" in refused("evaluate", "run")
    assert "has changed" in refused("train", path, "--labels", listed, "--resume", "--run", "run")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("none.csv",), "there is no list of corrected labels 'none.csv'"),
        (("a.csv", "b.CSV"), "--labels names two lists of corrected labels, a.csv and b.CSV"),
        (("one", "two"), "--labels names two columns of labels, one and two; allowed: one NAME"),
    ],
)
def test_wrong_lists_are_one_line(given, message, refused):
    options = [part for value in given for part in ("--labels", value)]
    assert message in refused("data", "digits", *options)


def test_a_column_and_a_list_together(convolens, pictures, tmp_path):
    (tmp_path / "fixed.csv").write_text("picture,corrected\n[0],-\n", encoding="utf-8")
    ran = convolens(
        "data",
        pictures[0],
        "--images",
        "images",
        "--labels",
        "labels",
        "--labels",
        "fixed.csv",
        "--json",
    )
    assert ran.status == 0, ran.err
    assert ran.json["n"] == 359
