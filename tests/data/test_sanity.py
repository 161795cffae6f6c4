import json

import numpy as np
import pytest

from convolens.data import (
    PROBLEM_KINDS,
    Dataset,
    Problem,
    Split,
    StoredImages,
    check_data,
    load_data,
)


def split(images, labels, names=None):
    return Split(np.ascontiguousarray(images), np.asarray(labels, dtype=np.int64), names)


@pytest.fixture
def distinct():
    """Eighty pictures of noise: no two alike, none blank."""
    return np.random.default_rng(0).integers(0, 256, (80, 9, 9, 1), dtype=np.uint8)


def dataset(images, *, problems=(), names=None):
    """Forty to train, twenty to validate, twenty to test, of two classes in turn."""
    labels = np.arange(80) % 2
    parts = [
        split(images[part], labels[part], None if names is None else names[part])
        for part in (slice(0, 40), slice(40, 60), slice(60, 80))
    ]
    return Dataset("x", *parts, ("a", "b"), "", problems=problems)


def test_the_figures_agree_with_numpy():
    data = load_data("digits")
    summary = check_data(data)
    for name, part in data.splits.items():
        found = summary.splits[name]
        assert found.n == len(part)
        assert (found.minimum, found.maximum) == (part.images.min(), part.images.max())
        assert found.mean == pytest.approx(part.images.mean(), rel=1e-12)
        assert found.standard_deviation == pytest.approx(part.images.std(), rel=1e-12)
        assert list(found.class_counts) == np.bincount(part.labels).tolist()
        assert list(found.first_labels) == part.labels[:10].tolist()
    assert summary.n == 1797


def test_clean_data_has_no_problems(distinct):
    data = dataset(distinct)
    assert check_data(data).problems == ()
    assert check_data(data).kinds == {}
    assert str(check_data(data)).startswith("seen 80 = used 80 + skipped 0\n")
    assert "no problems found" in str(check_data(data))


def test_the_dictionary_is_what_the_command_line_promises(distinct):
    distinct[3] = 9
    skipped = Problem(kind="damaged", path="a/3.png", reason="is cut off", skipped=True)
    found = check_data(dataset(distinct, problems=(skipped,))).to_dict()
    found = json.loads(json.dumps(found, allow_nan=False))
    assert set(found) == {
        "name", "n", "seen", "used", "skipped", "splits", "classes", "shape", "dtype",
        "problems", "kinds",
    }  # fmt: skip
    assert (found["n"], found["seen"], found["used"], found["skipped"]) == (80, 81, 80, 1)
    assert found["classes"] == ["a", "b"]
    assert found["shape"] == [9, 9, 1]
    assert found["splits"]["validation"]["class_counts"] == [10, 10]
    assert found["problems"][0] == {
        "kind": "damaged", "path": "a/3.png", "reason": "is cut off", "skipped": True,
    }  # fmt: skip
    assert list(found["kinds"]) == ["damaged", "blank_image"]
    assert found["kinds"]["damaged"]["count"] == 1
    assert found["kinds"]["damaged"]["title"] == PROBLEM_KINDS["damaged"].title


def test_what_matters_most_is_said_first(distinct):
    distinct[45] = distinct[3]
    distinct[7] = 200
    problems = tuple(
        Problem(kind=kind, path=f"a/{n}.png", reason="is so", skipped=kind == "damaged")
        for n, kind in enumerate(["animation", "damaged", "other_file"])
    )
    text = str(check_data(dataset(distinct, problems=problems)))
    titles = ["duplicate_across_splits", "damaged", "other_file", "blank_image", "animation"]
    places = [text.index(f"\n{PROBLEM_KINDS[kind].title}: 1\n") for kind in titles]
    assert places == sorted(places)
    assert text.startswith("seen 81 = used 80 + skipped 1\n")
    told = " ".join(text.split())
    for kind in titles:
        assert f"What to do: {PROBLEM_KINDS[kind].advice}" in told


def test_the_text_is_legible_in_80_columns_however_much_there_is():
    names = tuple(f"class {number} with a long name " + "x" * number for number in range(100))
    images = np.zeros((100, 2, 2, 3), np.uint8)
    part = split(images, np.arange(100), [f"{'very/' * 60}long/{n}.png" for n in range(100)])
    text = str(check_data(Dataset("many", part, part, part, names, "")))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 120
    assert "... and 60 more classes" in text
    assert "- and 297 more\n" in text


def test_names_that_would_move_the_cursor_are_made_harmless(distinct):
    data = dataset(distinct, names=[f"\x1b[2J\r{n}\n.png" for n in range(80)])
    data.train.images[5] = 0
    text = str(check_data(data))
    assert "every pixel is 0" in text
    assert not set("\x1b\r") & set(text)


def test_pictures_on_disk_give_the_same_summary(distinct):
    distinct[45] = distinct[3]
    distinct[7] = 200
    data = dataset(distinct)
    order = np.random.default_rng(1).permutation(80)
    back = np.argsort(order)
    parts = [
        Split(StoredImages(distinct[order], back[part]), data.splits[name].labels)
        for name, part in zip(
            data.splits, (slice(0, 40), slice(40, 60), slice(60, 80)), strict=True
        )
    ]
    stored = Dataset("x", *parts, ("a", "b"), "")
    assert check_data(stored) == check_data(data)


def test_the_table_lists_the_first_labels_with_their_names():
    text = str(check_data(load_data("digits")))
    labels = load_data("digits").train.labels[:10].tolist()
    assert f"first labels of train: {' '.join(map(str, labels))}\n" in text
