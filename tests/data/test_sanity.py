import json

import numpy as np
import pytest

from convolens.data import Dataset, Split, check_data, load_data


def split(images, labels):
    return Split(np.ascontiguousarray(images), np.asarray(labels, dtype=np.int64))


@pytest.fixture
def distinct():
    return np.random.default_rng(0).integers(0, 256, (12, 4, 4, 1), dtype=np.uint8)


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
    data = Dataset(
        "x", split(distinct[:6], [0, 1] * 3), split(distinct[6:], [0, 1] * 3), None, ("a", "b"), ""
    )
    assert check_data(data).problems == ()
    assert "no problems found" in str(check_data(data))


def test_each_problem_is_found_where_it_is(distinct):
    distinct[2] = 9  # constant
    validation, test = distinct[4:8].copy(), distinct[8:].copy()
    test[1] = distinct[3]  # seen in training, with another label
    test[2] = validation[0]
    data = Dataset(
        "x", split(distinct[:4], [0, 1, 0, 1]), split(validation, [0, 1, 0, 1]),
        split(test, [0, 0, 0, 0]), ("a", "b"), "",
    )  # fmt: skip
    found = [(problem.kind, problem.path, problem.reason) for problem in check_data(data).problems]
    assert found == [
        ("missing_class", "test", "holds no image of class 1 (b)"),
        (
            "duplicate_across_splits",
            "test[1]",
            "is the same picture as train[3], labelled 0 and 1",
        ),
        ("duplicate_across_splits", "test[2]", "is the same picture as validation[0]"),
        ("blank_image", "train[2]", "every pixel is 9"),
    ]
    assert not any(problem.skipped for problem in check_data(data).problems)


def test_the_dictionary_is_what_the_command_line_promises(distinct):
    data = Dataset(
        "x", split(distinct[:6], [0] * 6), split(distinct[6:], [0, 1] * 3), None, ("a", "b"), ""
    )
    found = json.loads(json.dumps(check_data(data).to_dict(), allow_nan=False))
    assert {"n", "splits", "classes", "shape", "problems"} <= set(found)
    assert found["n"] == 12
    assert found["classes"] == ["a", "b"]
    assert found["shape"] == [4, 4, 1]
    assert found["splits"]["validation"]["class_counts"] == [3, 3]
    assert set(found["problems"][0]) == {"kind", "path", "reason", "skipped"}


def test_the_table_is_legible_in_80_columns_however_much_there_is():
    names = tuple(f"class {number} with a long name " + "x" * number for number in range(100))
    images = np.zeros((100, 2, 2, 3), np.uint8)
    part = split(images, np.arange(100))
    text = str(check_data(Dataset("many", part, part, part, names, "")))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 100
    assert "... and 60 more classes" in text
    assert "- and 295 more of the kind blank_image" in text


def test_the_table_lists_the_first_labels_with_their_names():
    text = str(check_data(load_data("digits")))
    labels = load_data("digits").train.labels[:10].tolist()
    assert f"first labels of train: {' '.join(map(str, labels))}\n" in text
