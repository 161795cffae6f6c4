"""Folders that are wrong as a whole: names, classes, splits, copies, and options."""

import os
import sys
from unicodedata import normalize

import numpy as np
import pytest
from faults import (
    BAD_FILES,
    SIDE,
    encoded,
    judge,
    look,
    picture_of,
    plant_file,
    put,
    put_class,
    put_good,
    snapshot,
    texture,
)
from PIL import Image

from convolens.data import load_data
from convolens.errors import ConfigError, DataError

NAMES = [
    *(normalize(form, "Zoë à Besançon.png") for form in ("NFC", "NFD")),
    *(" begins with a space.png", "line\nbreak.png", "tab\t.png", 'quote".png', "back\\slash.png"),
    *("-rf.png", "%s.png", "#1?.png", "ﾃｽﾄ.png", "🐈.png", "שלום.png", "a" * 240 + ".png", "..png"),
]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow fewer names")
def test_files_of_any_name_are_used(tmp_path):
    root = put_good(tmp_path / "animals")
    names = [*NAMES, os.fsdecode(b"not \xff\xfe UTF-8.png")]
    for number, name in enumerate(names):
        put(root, f"cat/{name}", texture(2_000 + number))
    hidden = [("other_file", "cat/..png", True)]
    judged = judge(root, hidden)
    for number, name in enumerate(names):
        if name != "..png":
            found = picture_of(judged.dataset, f"cat/{name}")
            assert np.array_equal(found, np.asarray(texture(2_000 + number)))
    assert str(judged.summary).isprintable() or "\n" in str(judged.summary)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow fewer names")
def test_classes_of_any_name_are_used(tmp_path):
    labels = ["big cat", "line\nbreak", os.fsdecode(b"\xff dog"), "10", "9", "été", "%d"]
    for number, label in enumerate(labels):
        put_class(tmp_path / "animals", label, 100 * number)
    judged = judge(tmp_path / "animals")
    assert set(judged.dataset.class_names) == set(labels)
    assert judged.dataset.class_names.index("9") < judged.dataset.class_names.index("10")


TWINS = {
    "in case": ("cat", "Cat"),
    "in spaces": ("cat", "cat "),
    "in the way Unicode spells them": (normalize("NFC", "chaté"), normalize("NFD", "chaté")),
}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take them for one name")
@pytest.mark.parametrize("kind", TWINS)
def test_classes_that_differ_only(tmp_path, kind):
    root = tmp_path / "animals"
    for number, label in enumerate(TWINS[kind]):
        put_class(root, label, 100 * number)
    judged = judge(root, [("case_twins", " / ".join(sorted(TWINS[kind])), False)])
    assert len(judged.dataset.class_names) == 2


def test_an_empty_class_is_left_out_and_said(tmp_path):
    root = put_good(tmp_path / "animals")
    (root / "bird" / "below").mkdir(parents=True)
    judged = judge(root, [("empty_class", "bird", False)])
    assert judged.dataset.class_names == ("cat", "dog")


def test_a_class_all_of_whose_files_are_bad_is_left_out_and_said(tmp_path):
    root = put_good(tmp_path / "animals")
    expected = [("empty_class", "bird", False)]
    for fault in ("a JPEG cut at 3 tenths", "a PNG cut in half", "a file of zero bytes"):
        expected += plant_file(root, fault, "bird")
    judged = judge(root, expected)
    assert judged.dataset.class_names == ("cat", "dog")


def test_a_small_class_is_used_and_said(tmp_path):
    root = put_good(tmp_path / "animals")
    put_class(root, "bird", 200, n=7)
    assert judge(root, [("small_class", "bird", False)]).dataset.n_used == 37


def put_divided(root, **splits):
    """Splits with the pictures of each class; (first seed, how many) for each class."""
    for split, labels in splits.items():
        for label, (first, n) in labels.items():
            put_class(root / split, label, first, n)
    return root


def test_splits_whose_classes_differ(tmp_path):
    root = put_divided(
        tmp_path / "animals",
        train={"cat": (0, 15), "dog": (100, 15)},
        val={"cat": (200, 3), "dog": (300, 3)},
        test={"cat": (400, 3), "fox": (500, 3)},
    )
    judged = judge(root, [("missing_class", s, False) for s in ("train", "validation", "test")])
    assert judged.dataset.class_names == ("cat", "dog", "fox")
    assert [sorted(set(split.labels.tolist())) for split in judged.dataset.splits.values()] == [
        [0, 1],
        [0, 1],
        [0, 2],
    ]


def test_classes_have_one_number_in_all_splits_whatever_a_split_lacks(tmp_path):
    root = put_divided(
        tmp_path / "animals",
        train={"ant": (0, 15), "bee": (100, 15), "cow": (200, 15)},
        Valid={"ant": (300, 3), "bee": (400, 3), "cow": (500, 3)},
        testing={"cow": (600, 3)},
    )
    dataset = judge(root, [("missing_class", "test", False)] * 2).dataset
    assert dataset.test is not None
    assert dataset.test.labels.tolist() == [2, 2, 2]


# Copies.


def test_a_copy_in_the_same_class(tmp_path):
    root = put_good(tmp_path / "animals")
    put(root, "cat/copy.png", texture(3))
    judged = judge(root, [("duplicate", "cat/copy.png", False)])
    assert "cat/3.png" in judged.summary.problems[0].reason


def test_a_copy_under_another_label(tmp_path):
    root = put_good(tmp_path / "animals")
    put(root, "dog/copy.png", texture(3))
    judged = judge(root, [("contradictory_labels", "dog/copy.png", False)])
    assert judged.summary.problems[0].reason.endswith(", but labelled dog, not cat")


def test_a_copy_in_another_format_counts_as_a_copy(tmp_path):
    root = put_good(tmp_path / "animals")
    put(root, "cat/copy.bmp", encoded(texture(3), "BMP"))
    judge(root, [("duplicate", "cat/copy.bmp", False)])


def test_a_compressed_copy_is_a_near_duplicate(tmp_path):
    root = put_good(tmp_path / "animals")
    put(root, "cat/copy.jpg", encoded(texture(3), "JPEG", quality=95, subsampling=0))
    judge(root, [("near_duplicate", "cat/copy.jpg", False)])


@pytest.mark.parametrize("near", [False, True])
def test_a_copy_across_given_splits(tmp_path, near):
    root = put_divided(
        tmp_path / "animals",
        train={"cat": (0, 15), "dog": (100, 15)},
        test={"cat": (200, 3), "dog": (300, 3)},
    )
    content = encoded(texture(104), "JPEG", quality=95, subsampling=0) if near else texture(104)
    put(root, "test/dog/copy.jpg", content)
    kind = "near_duplicate_across_splits" if near else "duplicate_across_splits"
    judged = look(root)
    assert set(judged.problems) == {(kind, "test/dog/copy.jpg", False)}
    assert "train/dog/4.png" in judged.summary.problems[0].reason


def test_blank_pictures(tmp_path):
    root = put_good(tmp_path / "animals")
    for colour in ("black", "white", "teal"):
        put(root, f"dog/{colour}.png", Image.new("RGB", (SIDE, SIDE), colour))
    judge(root, [("blank_image", f"dog/{name}.png", False) for name in ("black", "white", "teal")])


# Places.


def test_a_folder_that_cannot_be_written_to(tmp_path):
    root = put_good(tmp_path / "animals")
    folders = [root / "cat", root / "dog", root]
    for folder in folders:
        folder.chmod(0o555)
    try:
        judge(root)
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_long_path_in_many_scripts(tmp_path):
    part = "фото 写真 صور "
    root = tmp_path / (part * 5) / (part * 8) / "pictures of\nAnna"
    assert len(str(root.relative_to(tmp_path))) > 200 - len(str(tmp_path))
    judge(put_good(root))


def test_the_folder_itself_may_be_a_link(tmp_path):
    root = put_good(tmp_path / "animals")
    (tmp_path / "link").symlink_to(root)
    assert load_data(tmp_path / "link").fingerprint == load_data(root).fingerprint


# What is no data set: one clear line.


def one_class(root):
    put_class(root, "cat", 0)


def one_image(root):
    put(root, "cat/1.png", texture(0))


def two_images(root):
    put(root, "cat/1.png", texture(0))
    put(root, "dog/1.png", texture(1))


def nothing(root):
    root.mkdir()


def no_class_folders(root):
    for number in range(4):
        put(root, f"{number}.png", texture(number))


def train_without_classes(root):
    for number in range(4):
        put(root, f"train/{number}.png", texture(number))


def nothing_to_train_on(root):
    put_divided(root, test={"cat": (0, 3), "dog": (100, 3)}, val={"cat": (200, 3)})


def all_bad(root):
    for label in ("cat", "dog"):
        for fault in list(BAD_FILES)[:3]:
            plant_file(root, fault, label)


def one_class_left(root):
    put_class(root, "cat", 0)
    plant_file(root, "a PNG cut in half", "dog")


def one_level_too_high(root):
    put_good(root / "pets")


REFUSED = {
    "of one class": (one_class, "all 15 images are of one class, 'cat'; a classifier needs"),
    "one image": (one_image, "is of one class|are of one class"),
    "two images": (two_images, "2 training images cannot be divided into training and valid"),
    "nothing in it": (nothing, "no files; allowed: FOLDER/<class>/picture.jpg"),
    "no class folders": (no_class_folders, "4 pictures but no class folders; allowed: FOLDER"),
    "train without classes": (train_without_classes, "lie in train without class folders; allow"),
    "nothing to train on": (nothing_to_train_on, "validation and test, but nothing to train on"),
    "bad files alone": (all_bad, "none of 6 files can be used; the first, cat/empty.jpg"),
    "one class left": (one_class_left, "all 15 images are of one class, 'cat'"),
    "one level too high": (
        one_level_too_high,
        "all pictures lie in 'pets', in 2 folders; .*use",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_data_set_is_refused_in_one_line(tmp_path, kind):
    plant, words = REFUSED[kind]
    root = tmp_path / "animals"
    plant(root)
    before = snapshot(root)
    with pytest.raises(DataError, match=words) as caught:
        load_data(root)
    assert "\n" not in str(caught.value)
    assert "animals" in str(caught.value)
    assert snapshot(root) == before


def test_three_images_are_enough_and_that_they_are_few_is_said(tmp_path):
    root = tmp_path / "animals"
    put_class(root, "cat", 0, n=2)
    put_class(root, "dog", 100, n=1)
    judged = look(root)
    assert [len(split) for split in judged.dataset.splits.values()] == [1, 1, 1]
    assert {kind for kind, _, _ in judged.problems} <= {"missing_class", "small_class"}


OPTIONS = {
    "size 0": ({"size": 0}, ConfigError, "size is 0; allowed: a whole number from 1 to 4096"),
    "size of three": ({"size": (8, 8, 3)}, ConfigError, "size"),
    "fit": ({"fit": "squash"}, ConfigError, "unknown fit policy 'squash'; allowed: pad, crop, str"),
    "channels": ({"channels": 2}, ConfigError, r"channels is 2; allowed: 1 \(grey\), 3 \(RGB\)"),
    "sample 0": ({"sample": 0}, ConfigError, "sample is 0.*; allowed: above 0, up to 1"),
    "sample NaN": ({"sample": float("nan")}, ConfigError, "sample is nan; allowed: above 0"),
    "one fold": (
        {"folds": 1, "fold": 0},
        ConfigError,
        "folds is 1; allowed: a whole number from 2",
    ),
    "no fold": ({"folds": 5}, ConfigError, "folds is 5 and fold is None; give both"),
    "too many folds": ({"folds": 99, "fold": 0}, ConfigError, "99"),
    "all for testing": ({"test_size": 30}, ConfigError, "test_size is 30; allowed: .*from 1 to 28"),
    "more than all": ({"test_size": 1.5}, ConfigError, "test_size is 1.5; allowed: a whole number"),
    "an unknown option": ({"sizes": 8}, ConfigError, "unknown option 'sizes'.*; did you mean 'siz"),
    "a group that nothing has": (
        {"group": "patient"},
        DataError,
        "'patient', which is found in no",
    ),
    "no pattern": ({"group": "("}, ConfigError, r"group is '\(', which is no regular expression"),
    "one group": ({"group": "png"}, (ConfigError, DataError), "group"),
    "no split file": ({"split_file": "nowhere.csv"}, DataError, "no split file 'nowhere.csv'"),
    "a seed below 0": ({"seed": -1}, ConfigError, "seed is -1; allowed: a whole number"),
    "a seed of text": ({"seed": "x"}, ConfigError, "seed: input should be a valid integer"),
    "no workers": ({"workers": 0}, ConfigError, "workers is 0; allowed: a whole number"),
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_a_wrong_option_is_refused_in_one_line(tmp_path, kind):
    options, error, words = OPTIONS[kind]
    root = put_good(tmp_path / "animals")
    with pytest.raises(error, match=words) as caught:
        load_data(root, **options)
    assert "\n" not in str(caught.value)
