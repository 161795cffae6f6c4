"""A list of corrected labels gives right labels back, moves nothing, and is guarded."""

import numpy as np
import pytest
from PIL import Image

from convolens.data import Splitting, load_data, load_pictures, write_split_file
from convolens.data.correcting import Correcting
from convolens.data.corrections import corrections_said, read_corrections
from convolens.data.problems import PROBLEM_KINDS
from convolens.errors import ConfigError, DataError
from convolens.experiments.material import open_material, read_material

CLASSES = ("cat", "dog", "fox")
N = 90


@pytest.fixture(scope="module")
def pictures():
    """90 pictures that are all different, and their labels."""
    pixels = np.random.default_rng(0).integers(0, 256, (N, 8, 8), dtype=np.uint8)
    return pixels, np.arange(N) % len(CLASSES)


@pytest.fixture(scope="module")
def folder(pictures, tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for number, (pixels, label) in enumerate(zip(*pictures, strict=True)):
        (root / CLASSES[label]).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(root / CLASSES[label] / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def table(folder, pictures):
    lines = [f"{CLASSES[label]}/{n}.png,{CLASSES[label]}" for n, label in enumerate(pictures[1])]
    path = folder / "table.csv"
    path.write_text("\n".join(["file,label", *lines, ""]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def npz(pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("arrays") / "pets.npz"
    np.savez(path, images=pictures[0], labels=np.array(CLASSES)[pictures[1]])
    return path


@pytest.fixture
def listed(tmp_path):
    """Writes a list of corrections."""

    def write(*rows, header="picture,label,corrected"):
        path = tmp_path / "fixed.csv"
        path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        return path

    return write


def divided(data):
    """Split and label of every picture, by its name."""
    return {
        name: (split_name, data.class_names[label])
        for split_name, split in data.splits.items()
        for name, label in zip(split.names, split.labels.tolist(), strict=True)
    }


@pytest.mark.parametrize("kind", ["folder", "table", "npz", "arrays"])
def test_labels_are_corrected_and_no_picture_changes_sides(kind, request, pictures, listed):
    named = kind in ("folder", "table")
    source = pictures if kind == "arrays" else request.getfixturevalue(kind)
    options = {"class_names": CLASSES} if kind == "arrays" else {}
    one, two = ("cat/3.png", "dog/4.png") if named else ("[3]", "[4]")
    path = listed(f"{one},cat,fox", f"{two},dog,-", "anything,,")
    for division in ({}, {"seed": 3}, {"folds": 3, "fold": 1}, {"sample": 0.5}):
        before = divided(load_data(source, **options, **division))
        data = load_data(source, corrections=path, **options, **division)
        after = divided(data)
        if one in before:
            assert after.pop(one) == (before.pop(one)[0], "fox")
        assert after == {name: where for name, where in before.items() if name != two}
        assert data.n_seen == load_data(source, **options, **division).n_seen
        assert corrections_said(data.problems) == [
            f"{path}: 1 label corrected by it, 1 picture left out"
        ]


def test_a_known_set_is_corrected_by_its_numbers(listed):
    before = load_data("digits")
    names, labels = list(before.test.names), before.test.labels.copy()
    data = load_data("digits", corrections=listed(f"{names[7]},{labels[7]},{(labels[7] + 1) % 10}"))
    labels[7] = (labels[7] + 1) % 10
    np.testing.assert_array_equal(data.test.labels, labels)
    np.testing.assert_array_equal(data.train.labels, before.train.labels)


def test_a_split_file_of_before_still_divides(folder, listed, tmp_path):
    write_split_file(tmp_path / "split.csv", load_data(folder, seed=5))
    path = listed("cat/3.png,,dog", "dog/4.png,,-")
    data = load_data(folder, corrections=path, split_file=tmp_path / "split.csv")
    assert divided(data) == divided(load_data(folder, corrections=path, seed=5))
    assert data.n_seen == load_data(folder).n_seen


def test_pictures_to_judge_on_are_corrected_too(folder, listed):
    path = listed("cat/3.png,cat,dog", "dog/4.png,dog,-")
    judged = load_pictures(folder, corrections=path)
    labels = dict(zip(judged.split.names, judged.split.labels.tolist(), strict=True))
    assert labels["cat/3.png"] == 1
    assert len(labels) == N - 1
    assert "dog/4.png" not in labels
    everything = [f"{c}/{n}.png,,-" for n, c in enumerate(CLASSES * 30)]
    with pytest.raises(DataError, match="leaves out every picture of"):
        load_pictures(folder, corrections=listed(*everything))


def test_the_options_of_a_data_set_read_it_again(folder, listed, tmp_path, monkeypatch):
    path = listed("cat/3.png,cat,dog", "dog/4.png,,")
    monkeypatch.chdir(path.parent)
    data = load_data(folder, corrections=path.name)
    monkeypatch.chdir(folder)
    assert load_data(folder, **data.options).fingerprint == data.fingerprint
    assert data.fingerprint != load_data(folder).fingerprint
    # As a spreadsheet saves it: other signs, the same meaning.
    path.write_text('CORRECTED ;picture\n"dog";cat/3.png\n', encoding="utf-8-sig")
    assert load_data(folder, **data.options).fingerprint == data.fingerprint
    listed("cat/3.png,cat,fox")
    with pytest.raises(DataError, match=r"fixed.csv has changed: it corrects other labels than"):
        load_data(folder, **data.options)
    path.unlink()
    with pytest.raises(DataError, match="there is no list of corrected labels"):
        load_data(folder, **data.options)
    with pytest.raises(ConfigError, match="is the digest of a list: give corrections, too"):
        load_data(folder, corrections_sha256="0" * 64)


def test_other_processes_get_the_corrected_labels_and_the_old_division(folder, listed, tmp_path):
    path = listed("cat/3.png,cat,dog", "dog/4.png,,-")
    material = read_material(folder, corrections=path)
    material.share(tmp_path / "shared")
    opened = open_material(tmp_path / "shared")
    assert opened.fingerprint == material.fingerprint
    assert opened.fingerprint != read_material(folder).fingerprint
    assert opened.part().dataset.fingerprint == load_data(folder, corrections=path).fingerprint
    folds = [opened.part(Splitting(folds=3, fold=fold)).held_out for fold in range(3)]
    assert sorted(np.concatenate(folds)) == opened.candidates.tolist()
    assert len(opened.candidates) == N - 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ["cat/300.png,,dog"],
            r"row 2: unknown picture 'cat/300.png'; did you mean 'cat/30.png'\?",
        ),
        (["old/photos/cat/3.png,,dog"], r"did you mean 'cat/3.png'\? Use the list with the data"),
        (["", "cat/3.png,,dgo"], r"row 3: unknown class 'dgo'; did you mean 'dog'\? Allowed: cat,"),
        (["cat/3.png,,wolf"], "a correction makes no new class, and - leaves the picture out"),
        (["cat/3.png,fox,dog"], "row 2: 'cat/3.png' is 'cat' in the data and 'fox' in the list"),
        (
            ["cat/3.png,,dog", "cat/3.png,,", "cat/3.png,,fox"],
            "row 4 corrects 'cat/3.png' to 'fox', and row 2 to 'dog'; leave one of them empty",
        ),
        ([",,dog"], "row 2 has the correction 'dog', but no picture"),
        (["cat/3.png,cat,dog,fox"], "row 2 has 4 fields; the first row has 3"),
        (
            [f"{c}/{n}.png,,-" for n, c in enumerate(CLASSES * 30)],
            "every picture of the split train",
        ),
    ],
)
def test_every_fault_is_one_line_with_its_row(folder, listed, rows, message):
    path = listed(*rows)
    with pytest.raises(DataError, match=message) as caught:
        load_data(folder, corrections=path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; a list of corrected labels is a CSV file with the columns picture and"),
        ("\n\n", "is empty; a list"),
        ("picture,label\n", r"the column corrected is not in the first row \(picture, label\)"),
        ("name,corrected\n", r"the column picture is not in the first row"),
        ("picture,corrected,Picture\n", "the column picture is twice in the first row"),
    ],
)
def test_files_that_are_no_list(tmp_path, content, message):
    path = tmp_path / "fixed.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_corrections(path)


def test_numbers_that_do_not_exist(pictures, listed):
    with pytest.raises(DataError, match=r"unknown picture '\[90\]'"):
        load_data(pictures, corrections=listed("[90],,1"))


def test_rows_that_say_nothing(folder, listed):
    """Not filled in, cut off by a spreadsheet, the class that it has, or about a damaged file."""
    (folder / "cat" / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    try:
        path = listed("cat/3.png", "gone.png,cat,", "cat/0.png,cat,cat", "cat/damaged.png,,dog")
        data = load_data(folder, corrections=path)
        assert divided(data) == divided(load_data(folder))
    finally:
        (folder / "cat" / "damaged.png").unlink()
    assert corrections_said(data.problems) == [f"{path}: 0 labels corrected by it"]
    data = load_data(folder, corrections=listed("cat/3.png,cat,"))
    assert corrections_said(data.problems)[0].endswith("its column corrected is empty")
    assert not PROBLEM_KINDS["corrected"].bad


def test_a_class_that_is_called_like_the_sign_for_leaving_out(pictures, listed):
    data = load_data(pictures, class_names=("-", "dog", "fox"), corrections=listed("[4],,-"))
    assert divided(data)["[4]"][1] == "-"
    assert read_corrections(listed("[4],,'-")).by_picture["[4]"].corrected == "-"


def test_the_digest_is_of_what_the_list_says(listed):
    digest = read_corrections(listed("a,cat,dog", "b,,fox", "c,cat,")).digest
    assert read_corrections(listed("b,cat,fox", "a,, dog ")).digest == digest
    assert read_corrections(listed("b,cat,fox", "a,,cat")).digest != digest
    assert Correcting().options() == {}
