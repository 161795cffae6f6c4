import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data import Dataset, Split
from convolens.data.manifest import assign_splits, read_split_file, write_split_file
from convolens.data.numbers import Numbers
from convolens.errors import DataError

# Lone surrogates stand for the bytes of file names that are not UTF-8.
hostile = st.text(st.characters(exclude_categories=()), max_size=12)
escapes = st.text(st.sampled_from('\\u005cdf8,"\r\n a\udcff\ud800'), max_size=12)


def dataset_of(*names, classes=("cat", 'dog, or "hound"')):
    """One Split for each list of names; None for pictures without."""
    splits = [
        Split(np.zeros((n, 1, 1, 1), np.uint8), np.arange(n) % 2, own)
        for own in names
        for n in [3 if own is None else len(own)]
    ]
    return Dataset("toys", *splits, *[None] * (3 - len(splits)), classes, "by hand")


@given(st.lists(st.one_of(hostile, escapes), min_size=3, max_size=20, unique=True), st.data())
def test_any_name_survives(tmp_path_factory, names, data):
    path = tmp_path_factory.mktemp("split") / "split.csv"
    first = data.draw(st.integers(1, len(names) - 2))
    second = data.draw(st.integers(first + 1, len(names) - 1))
    parts = names[:first], names[first:second], names[second:]
    write_split_file(path, dataset_of(*parts))
    expected = {
        name: split
        for split, part in zip(("train", "validation", "test"), parts, strict=True)
        for name in part
    }
    assert list(read_split_file(path).items()) == list(expected.items())


def test_the_file_is_plain_csv_that_others_read(tmp_path):
    write_split_file(tmp_path / "split.csv", dataset_of(["a/1.png", 'é, "2"\n.png'], ["3.png"]))
    assert (tmp_path / "split.csv").read_bytes().decode().splitlines()[:2] == [
        "name,class,split",
        "a/1.png,cat,train",
    ]
    with (tmp_path / "split.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {"name": 'é, "2"\n.png', "class": 'dog, or "hound"', "split": "train"}
    assert rows[2] == {"name": "3.png", "class": "cat", "split": "validation"}


def test_names_of_backslashes_are_written_as_they_are(tmp_path):
    write_split_file(tmp_path / "split.csv", dataset_of([r"photos\users\1.png"], [r"a\udc.png"]))
    text = (tmp_path / "split.csv").read_text(encoding="utf-8")
    assert r"photos\users\1.png,cat,train" in text
    assert r"a\udc.png,cat,validation" in text


def test_pictures_without_names_are_numbered(tmp_path):
    numbers = Numbers(np.array([4, 0, 2]))
    write_split_file(tmp_path / "split.csv", dataset_of(numbers, None))
    assert read_split_file(tmp_path / "split.csv") == {
        "[4]": "train",
        "[0]": "train",
        "[2]": "train",
        "validation[0]": "validation",
        "validation[1]": "validation",
        "validation[2]": "validation",
    }
    assert (numbers[-1], list(numbers[1:]), "[0]" in numbers) == ("[2]", ["[0]", "[2]"], True)


def test_the_same_name_twice_is_not_written(tmp_path):
    path = tmp_path / "split.csv"
    path.write_text("precious", encoding="utf-8")
    with pytest.raises(DataError, match=r"two images are called 'a'; a split file needs distinct"):
        write_split_file(path, dataset_of(["a", "b"], ["a"]))
    assert [entry.name for entry in tmp_path.iterdir()] == ["split.csv"]
    assert path.read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the column name is not in the first line"),
        (b"\n\n", "the column name is not in the first line"),
        (b"name,class,split\n", "names no image"),
        (b"name,class\na,cat\n", "the column split is not in the first line"),
        (b"name;class;split\na;cat;train\n", "the column name is not in the first line"),
        (b"name,split,name\na,train,b\n", "the column name is twice in the first line"),
        (
            b"name,split\na,trian\n",
            r"line 2: unknown split 'trian'; did you mean 'train'\? Allowed",
        ),
        (b"name,split\na,\n", "line 2: unknown split ''"),
        (b"name,split\na,train\n\na,test\n", "line 4: 'a' is named for the second time"),
        (b"name,split\na,train,more\n", "line 2 has 3 fields; the first line has 2"),
        (b"name,split\na\n", "line 2 has 1 fields"),
        (b'name,split\n"a,train\n', "line 2 is not CSV"),
        (b'name,split\n"a"b,train\n', "line 2 is not CSV"),
        (b"name,split\n" + b"a" * 200_000 + b",train\n", "line 2 is not CSV"),
        (b"name,split\n\xff,train\n", "is not UTF-8 text"),
        ("name,split\na,train\n".encode("utf-16"), "is not UTF-8 text"),
    ],
)
def test_every_fault_is_one_line_with_the_files_name(tmp_path, content, message):
    path = tmp_path / "split.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_split_file(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="there is no split file"):
        read_split_file(tmp_path / "nothing.csv")
    for path in (tmp_path, "a\0b"):
        with pytest.raises(DataError, match="cannot be read as a split file"):
            read_split_file(path)


def test_a_file_made_by_hand_in_a_spreadsheet_is_read(tmp_path):
    path = tmp_path / "split.csv"
    path.write_bytes("Split, Name ,remark\r\ntest,a,blurred\r\ntrain,b,\r\n".encode("utf-8-sig"))
    assert read_split_file(path) == {"a": "test", "b": "train"}


def test_what_file_and_data_disagree_about_is_told():
    wanted = {"a": "train", "b": "test", "gone": "train", "broken": "test"}
    part_of, problems = assign_splits("s.csv", wanted, ["new", "b", "a"], {"broken"})
    assert part_of.tolist() == [-2, 2, 0]
    assert [(problem.kind, problem.path, problem.skipped) for problem in problems] == [
        ("not_in_split_file", "new", True),
        ("missing_file", "gone", True),
    ]
    with pytest.raises(DataError, match=r"3 of the images .* \('b' is not\), and 1 are; use the"):
        assign_splits("s.csv", wanted, ["a", "c", "d"], ())
