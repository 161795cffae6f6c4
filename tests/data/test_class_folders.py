import os
import shutil
import socket
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data.class_folders import list_class_folders, split_of
from convolens.data.problems import PROBLEM_KINDS
from convolens.errors import DataError

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX file systems")


def put(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content is not looked at")


def summary(root):
    """Entries as (name, label, split), problems as {path: (kind, skipped)}; both are whole."""
    listing = list_class_folders(root)
    problems = {p.path: (p.kind, p.skipped) for p in listing.problems}
    assert len(problems) == len(listing.problems)
    assert {p.kind for p in listing.problems} <= set(PROBLEM_KINDS)
    assert all("\n" not in p.reason for p in listing.problems)
    names = [entry.name for entry in listing.entries]
    assert len(set(names)) == len(names)
    for entry in listing.entries:
        assert Path(listing.path_of(entry)).is_file()
    return [(entry.name, entry.label, entry.split) for entry in listing.entries], problems


def refused(root, text):
    with pytest.raises(DataError, match=text) as caught:
        list_class_folders(root)
    assert str(root) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_classes_and_files_are_in_natural_order(tmp_path):
    put(tmp_path, "10/b2.png", "10/b10.png", "10/a.png", "2/sub dir/x.png", "2/y.png", "é/z.PNG")
    entries, problems = summary(tmp_path)
    assert entries == [
        ("2/y.png", "2", None),
        ("2/sub dir/x.png", "2", None),
        ("10/a.png", "10", None),
        ("10/b2.png", "10", None),
        ("10/b10.png", "10", None),
        ("é/z.PNG", "é", None),
    ]
    assert problems == {}
    listing = list_class_folders(tmp_path)
    assert listing.class_names == ("2", "10", "é")
    assert listing.name == tmp_path.name


def test_splits_by_any_of_their_names(tmp_path):
    put(tmp_path, "Held-Out/b/1.jpg", "TRAINING/a/1.jpg", "TRAINING/b/1.jpg", "valid_set/a/1.jpg")
    entries, problems = summary(tmp_path)
    assert entries == [
        ("TRAINING/a/1.jpg", "a", "train"),
        ("TRAINING/b/1.jpg", "b", "train"),
        ("valid_set/a/1.jpg", "a", "validation"),
        ("Held-Out/b/1.jpg", "b", "test"),
    ]
    assert problems == {}
    assert list_class_folders(tmp_path).class_names == ("a", "b")


@pytest.mark.parametrize(
    ("split", "names"),
    {
        "train": ("train", "Training", "train_set", "training data", "train2017", "TRAIN"),
        "validation": ("val", "valid", "validation", "dev", "val-images", "development"),
        "test": ("test", "testing", "eval", "evaluation", "held_out", "hold-out", "test1"),
        None: ("trains", "tester", "values", "value", "devil", "evaluate", "train/test", "", "1"),
    }.items(),
)
def test_synonyms(split, names):
    assert [split_of(name) for name in names] == [split] * len(names)


def test_a_lone_split_is_one(tmp_path):
    put(tmp_path, "train/cat/1.jpg", "train/dog/1.jpg", "docs/LICENSE", "README.md")
    entries, problems = summary(tmp_path)
    assert {split for _, _, split in entries} == {"train"}
    assert problems == {"docs/LICENSE": ("other_file", True), "README.md": ("other_file", True)}


def test_classes_named_like_splits_beside_others_stay_classes(tmp_path):
    put(tmp_path, "bus/1.jpg", "car/1.jpg", "train/old/1.jpg", "train/2.jpg")
    entries, _ = summary(tmp_path)
    assert Counter(label for _, label, _ in entries) == {"bus": 1, "car": 1, "train": 2}


def test_pictures_beside_splits_are_outside(tmp_path):
    put(tmp_path, "train/cat/1.jpg", "test/cat/1.jpg", "extra/2.jpg", "test/3.jpg", "4.jpg")
    entries, problems = summary(tmp_path)
    assert len(entries) == 2
    outside = ("outside_classes", True)
    assert problems == {"extra/2.jpg": outside, "test/3.jpg": outside, "4.jpg": outside}


def test_splits_without_classes_are_refused(tmp_path):
    put(tmp_path, "train/1.jpg", "test/2.jpg")
    refused(tmp_path, "pictures lie in test, train without class folders; allowed: FOLDER/<class>")


def test_one_level_too_high_is_refused_with_the_way_out(tmp_path):
    put(tmp_path, "pets/cat/1.jpg", "pets/dog/1.jpg", "__MACOSX/pets/cat/._1.jpg")
    refused(tmp_path, f"all pictures lie in 'pets', in 2 folders; .*, use {tmp_path}/pets$")


def test_splits_inside_classes_are_mentioned(tmp_path):
    put(tmp_path, *(f"{label}/{part}/1.jpg" for label in "ab" for part in ("train", "test")))
    entries, problems = summary(tmp_path)
    assert len(entries) == 4
    assert problems == {"train": ("missing_split", False)}


def test_every_file_gets_one_answer(tmp_path):
    put(
        tmp_path,
        *("cat/1.jpg", "cat/deep/er/2.WebP", "cat/no_suffix", "cat/text.jpg", "dog/3.tiff"),
        *("stray.jpg", "LICENSE", "README.md", ".DS_Store", "__MACOSX/cat/._1.jpg"),
        *("cat/.hidden.jpg", "cat/Thumbs.db", "cat/1.xml", "cat/movie.mp4", "cat/photo.HEIC"),
        *(".git/objects/1.jpg", "cat/.cache/2.jpg", "labels.txt", "empty/notes.txt", "cat/end."),
    )
    (tmp_path / "bird" / "nested").mkdir(parents=True)
    entries, problems = summary(tmp_path)
    assert {name for name, _, _ in entries} == {
        *("cat/1.jpg", "cat/deep/er/2.WebP", "cat/no_suffix", "cat/text.jpg", "cat/end."),
        "dog/3.tiff",
    }
    assert problems.pop("stray.jpg") == ("outside_classes", True)
    assert problems.pop("bird") == ("empty_class", False)
    assert problems.pop("empty") == ("empty_class", False)
    assert problems["cat/photo.HEIC"] == ("other_format", True)
    assert set(problems.values()) == {("other_file", True), ("other_format", True)}
    n_files = sum(path.is_file() for path in tmp_path.rglob("*"))
    assert len(entries) + len(problems) + 1 == n_files


def test_a_skipped_suffix_is_named(tmp_path):
    put(tmp_path, "cat/1.jpg", "cat/2.heic")
    (problem,) = list_class_folders(tmp_path).problems
    assert "'.heic'" in problem.reason


def test_an_empty_class_of_one_split_is_named_there(tmp_path):
    put(tmp_path, "train/cat/1.jpg", "train/dog/1.jpg", "val/cat/1.jpg", "val/dog/1.txt")
    _, problems = summary(tmp_path)
    assert problems["val/dog"] == ("empty_class", False)
    assert set(problems) == {"val/dog", "val/dog/1.txt"}


def test_pictures_without_suffixes(tmp_path):
    put(tmp_path, "train/cat/0001", "train/dog/0002", "test/cat/0003", "LICENSE")
    entries, problems = summary(tmp_path)
    assert [split for _, _, split in entries] == ["train", "train", "test"]
    assert problems == {"LICENSE": ("other_file", True)}


def test_case_twins_stay_two_classes(tmp_path):
    put(tmp_path, "train/Cat/1.jpg", "train/dog/1.jpg", "test/cat /1.jpg", "test/dog/1.jpg")
    _, problems = summary(tmp_path)
    assert problems == {"Cat / cat ": ("case_twins", False)}
    assert list_class_folders(tmp_path).class_names == ("Cat", "cat ", "dog")


@pytest.mark.skipif(sys.platform != "linux", reason="file names elsewhere are always Unicode")
def test_names_that_are_not_utf8_survive(tmp_path):
    put(tmp_path, "a/1.jpg")
    folder = os.fsencode(tmp_path) + b"/\xff\xfe cat"
    os.mkdir(folder)  # noqa: PTH102 - bytes
    with open(folder + b"/\x80.jpg", "wb"):  # noqa: PTH123 - bytes
        pass
    entries, _ = summary(tmp_path)
    assert os.fsencode(entries[1][0]) == b"\xff\xfe cat/\x80.jpg"
    assert os.fsencode(entries[1][1]) == b"\xff\xfe cat"


@POSIX
def test_links_are_followed_and_loops_survived(tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    put(root, "cat/1.jpg", "dog/1.jpg")
    put(elsewhere, "fox/1.jpg", "2.jpg")
    (root / "fox").symlink_to(elsewhere / "fox")
    (root / "cat" / "linked.jpg").symlink_to(elsewhere / "2.jpg")
    (root / "cat" / "up").symlink_to("..")
    (root / "cat" / "self").symlink_to(".")
    (root / "dog" / "above").symlink_to(tmp_path)
    (root / "a_cat").symlink_to("cat")
    (elsewhere / "fox" / "back").symlink_to(root)
    entries, problems = summary(root)
    assert [name for name, _, _ in entries] == [
        *("cat/1.jpg", "cat/linked.jpg", "dog/1.jpg", "fox/1.jpg")
    ]
    loops = ("cat/up", "cat/self", "dog/above", "a_cat", "fox/back")
    assert problems == dict.fromkeys(loops, ("link_loop", False))


@POSIX
def test_a_hidden_store_is_read_through_its_links(tmp_path):
    put(tmp_path, ".store/cat/1.jpg", "dog/1.jpg", ".store/notes.jpg")
    (tmp_path / "cat").symlink_to(".store/cat")
    (tmp_path / ".link").symlink_to("dog")
    entries, problems = summary(tmp_path)
    assert [name for name, _, _ in entries] == ["cat/1.jpg", "dog/1.jpg"]
    assert problems == {
        ".store/cat": ("link_loop", False),
        ".store/notes.jpg": ("other_file", True),
        ".link": ("other_file", False),
    }


@POSIX
def test_what_is_no_file_is_never_opened(tmp_path, monkeypatch):
    put(tmp_path, "cat/1.jpg")
    os.mkfifo(tmp_path / "cat" / "pipe.jpg")
    (tmp_path / "cat" / "zeros.jpg").symlink_to("/dev/zero")
    (tmp_path / "cat" / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "cat" / "gone.txt").symlink_to("nowhere.txt")
    (tmp_path / "cat" / "itself.jpg").symlink_to("itself.jpg")
    monkeypatch.chdir(tmp_path)  # a socket's whole path is limited to about a hundred bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("cat/socket.jpg")
        entries, problems = summary(tmp_path)
    assert len(entries) == 1
    assert problems == {
        "cat/pipe.jpg": ("not_an_image", True),
        "cat/zeros.jpg": ("not_an_image", True),
        "cat/socket.jpg": ("not_an_image", True),
        "cat/gone.jpg": ("missing_file", True),
        "cat/itself.jpg": ("missing_file", True),
        "cat/gone.txt": ("other_file", True),
    }


@pytest.fixture
def as_nobody():
    """A folder whose permissions bind: the superuser becomes another user for the test."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    yield root
    if os.getuid() == 0:
        os.seteuid(0)
    for folder in root.rglob("*/"):
        folder.chmod(0o755)
    shutil.rmtree(root)


@POSIX
def test_folders_that_cannot_be_opened_are_reported(as_nobody):
    root = as_nobody
    put(root, "cat/1.jpg", "dog/1.jpg", "dog/locked/2.jpg", "fox/1.jpg")
    (root / "fox").chmod(0)
    (root / "dog" / "locked").chmod(0)
    if os.getuid() == 0:
        os.seteuid(65534)
    entries, problems = summary(root)
    assert [name for name, _, _ in entries] == ["cat/1.jpg", "dog/1.jpg"]
    assert problems == dict.fromkeys(("fox", "dog/locked"), ("unreadable", False))
    refused(root / "fox", "cannot be opened: Permission denied")
    refused(root / "fox" / "below", "cannot be opened: Permission denied")


@pytest.fixture
def deep_folder(tmp_path, monkeypatch):
    """A folder nested deeper than Python recurses, and how deep; nothing else could remove it."""
    depth = sys.getrecursionlimit() + 100
    (tmp_path / "cat").mkdir()
    monkeypatch.chdir(tmp_path / "cat")
    for _ in range(depth):
        os.mkdir("d")  # noqa: PTH102 - step by step: a whole path may be too long for one call
        os.chdir("d")
    yield tmp_path, depth
    for _ in range(depth):
        os.chdir("..")
        os.rmdir("d")  # noqa: PTH106


def test_a_folder_may_be_deeper_than_python_recurses(deep_folder):
    root, depth = deep_folder
    Path("2.jpg").touch()
    names = [entry.name for entry in list_class_folders(root).entries]
    Path("2.jpg").unlink()
    assert names == ["cat/" + "d/" * depth + "2.jpg"]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "no files; allowed"),
        (["1.jpg", "2.jpg"], "2 pictures but no class folders; allowed: FOLDER/<class>/picture"),
        (["cat/a.txt", "b.csv"], "no pictures among 2 files; allowed"),
        ([".cat/1.jpg"], "no pictures among 1 files"),
    ],
)
def test_nothing_to_list(tmp_path, names, text):
    put(tmp_path, *names)
    refused(tmp_path, text)


def test_what_is_no_folder(tmp_path):
    put(tmp_path, "file.jpg")
    refused(tmp_path / "file.jpg", "is no folder")
    refused(tmp_path / "nothing", "is no folder")


PNG = b"\x89PNG\r\n\x1a\n and so on"


def test_content_decides_where_a_name_says_otherwise(tmp_path):
    put(tmp_path, "cat/1.jpg", "cat/notes.txt", "cat/movie.heic", "2.dat")
    for name in ("cat/photo.txt", "cat/scan.heic", "cat/.hidden.dat", "stray.dat"):
        (tmp_path / name).write_bytes(PNG)
    entries, problems = summary(tmp_path)
    assert {name for name, _, _ in entries} == {"cat/1.jpg", "cat/photo.txt", "cat/scan.heic"}
    assert problems["cat/notes.txt"] == ("other_file", True)
    assert problems["cat/movie.heic"] == ("other_format", True)
    assert problems["cat/.hidden.dat"] == problems["stray.dat"] == ("other_file", True)


def test_a_class_that_is_called_like_a_split_is_mentioned(tmp_path):
    put(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "cats/1.jpg")
    entries, problems = summary(tmp_path)
    assert {label for _, label, _ in entries} == {"train", "cats"}
    assert problems["train"] == ("split_as_class", False)


@given(
    st.sets(
        st.tuples(
            st.sampled_from(["", "train/", "val/", "bird/", ".git/"]),
            st.sampled_from(["", "cat/", "Cat/", "2/", "10/x/"]),
            st.sampled_from(["1.jpg", "2.PNG", "a.txt", "none", ".b"]),
        ),
        max_size=12,
    )
)
def test_files_are_used_or_skipped_and_nothing_is_lost(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("root")
    put(root, *("".join(parts) for parts in names))
    try:
        entries, problems = summary(root)
    except DataError:
        return
    skipped = [path for path, (_, skipped) in problems.items() if skipped]
    seen = sorted([*skipped, *(name for name, _, _ in entries)])
    assert seen == sorted("".join(parts) for parts in names)
