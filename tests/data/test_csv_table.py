import csv
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data.csv_table import list_csv
from convolens.data.problems import PROBLEM_KINDS
from convolens.errors import ConfigError, DataError


@pytest.fixture
def table(tmp_path):
    """Write a table beside the pictures 1.png to 4.png, and return its path."""
    for number in range(1, 5):
        (tmp_path / f"{number}.png").write_bytes(b"content is not looked at")

    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def entries(path, **options):
    listing = list_csv(path, **options)
    for entry in listing.entries:
        assert os.path.exists(listing.path_of(entry))  # noqa: PTH110
    return [(entry.name, entry.label, entry.split, entry.group) for entry in listing.entries]


def problems(path, **options):
    found = list_csv(path, **options).problems
    assert {problem.kind for problem in found} <= set(PROBLEM_KINDS)
    assert all("\n" not in problem.reason for problem in found)
    return [(problem.kind, problem.path, problem.skipped) for problem in found]


def refused(error, path, text, **options):
    with pytest.raises(error, match=text) as caught:
        list_csv(path, **options)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


BOTH = [("1.png", "cat", None, None), ("2.png", "dog", None, None)]


@pytest.mark.parametrize(
    "content",
    [
        "path,label\n1.png,cat\n2.png,dog\n",
        "\ufeffpath,label\r\n1.png,cat\r\n2.png,dog",
        "path;label\n1.png;cat\n2.png;dog\n\n\n",
        "Label\tFile Name\r1.png\t1.png\r".replace("1.png\t", "cat\t", 1) + "dog\t2.png\r",
        'path, label\n"1.png", cat\n2.png, "dog"\n',
        '\n"path","label","a, ""note"""\n1.png,cat,"two\nlines"\n2.png,dog,\n',
        "id,image,class,x,y2\n0,1.png,cat,,\n1,2.png,dog,,\n",
        "path,label\n1.png,cat,\n2.png,dog,,\n",
    ],
)
def test_dialects(table, content):
    assert entries(table(content)) == BOTH
    assert problems(table(content)) == []


CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)


@given(
    labels=st.lists(CELLS.map(lambda text: "x" + text), min_size=1, max_size=5),
    notes=st.lists(CELLS, min_size=5, max_size=5),
    delimiter=st.sampled_from(",;\t"),
)
def test_what_was_written_is_read(tmp_path_factory, labels, notes, delimiter):
    folder = tmp_path_factory.mktemp("csv")
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["note", "file", "label"])
    for number, label in enumerate(labels):
        (folder / f"{number}.png").touch()
        writer.writerow([notes[number], f"{number}.png", label])
    (folder / "t.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    assert [label for _, label, _, _ in entries(folder / "t.csv")] == labels


def test_every_row_is_used_or_skipped(table):
    path = table(
        "path,label\n1.png,cat\n,cat\nnothing.png,cat\n2.png,\n3.png\n4.png,dog,red\n"
        '"4.png"x,dog\n.,dog\n4.png,dog\n'
    )
    assert [name for name, *_ in entries(path)] == ["1.png", "4.png"]
    assert problems(path) == [
        ("missing_file", "table.csv[2]", True),
        ("missing_file", "table.csv[3]", True),
        ("missing_label", "table.csv[4]", True),
        ("damaged", "table.csv[5]", True),
        ("damaged", "table.csv[6]", True),
        ("damaged", "table.csv[7]", True),
        ("not_an_image", "table.csv[8]", True),
    ]
    reasons = [problem.reason for problem in list_csv(path).problems]
    assert "there is no file 'nothing.png'" in reasons
    assert "the row has 1 fields, the header 2" in reasons


def test_a_path_written_twice_is_called_by_its_rows(table):
    path = table("path,label\n1.png,cat\n2.png,dog\n1.png,dog\n./2.png,dog\n")
    names = [name for name, *_ in entries(path)]
    assert names == ["table.csv[1]", "2.png", "table.csv[3]", "./2.png"]


def test_a_path_like_a_rows_name_stays_distinct(table, tmp_path):
    (tmp_path / "table.csv[2]").touch()
    path = table("path,label\ntable.csv[2],cat\n1.png,cat\n1.png,dog\n")
    names = [name for name, *_ in entries(path)]
    assert len(set(names)) == 3


def test_absolute_paths_backslashes_and_folders(table, tmp_path):
    (tmp_path / "sub" / "é").mkdir(parents=True)
    (tmp_path / "sub" / "é" / "5.png").touch()
    absolute = tmp_path / "1.png"
    content = f"path,label\n{absolute},a\nsub\\é\\5.png,b\nsub/é/5.png,c\nsub/../2.png,d\n"
    listing = list_csv(table(content))
    assert [entry.path for entry in listing.entries] == [
        str(absolute),
        *[str(tmp_path / "sub" / "é" / "5.png")] * 2,
        str(tmp_path / "sub" / ".." / "2.png"),
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["1.0", "2.0", "10"], ["1", "2", "10"]),
        (["1.0", "2.5", "3."], ["1", "2.5", "3"]),
        (["1.0", "two", "3.0"], ["1.0", "two", "3.0"]),
        (["01", "1", "-1"], ["01", "1", "-1"]),
        (["-1.0", "1e3", "2.0"], ["-1.0", "1e3", "2.0"]),
        (["nan", "NaN", "x"], ["nan", "NaN", "x"]),
        (["True", "true", "None"], ["True", "true", "None"]),
    ],
)
def test_labels_are_text_but_whole_numbers(table, written, read):
    rows = "".join(f"{i}.png,{label}\n" for i, label in enumerate(written, start=1))
    assert [label for _, label, _, _ in entries(table("path,label\n" + rows))] == read


def test_nan_among_numbers_is_no_label(table):
    path = table("path,label\n1.png,1.0\n2.png,nan\n3.png,2.0\n")
    assert [label for _, label, _, _ in entries(path)] == ["1", "2"]
    assert problems(path) == [("missing_label", "table.csv[2]", True)]


def test_a_split_column_divides(table):
    path = table(
        "path,label,Split\n1.png,a,train\n2.png,a,VALID\n3.png,b,held out\n4.png,b,trian\n"
    )
    assert [split for _, _, split, _ in entries(path)] == ["train", "validation", "test"]
    assert problems(path) == [("unknown_split", "table.csv[4]", True)]
    assert "'trian'; allowed: train, validation, test" in list_csv(path).problems[0].reason


def test_a_row_without_a_split_beside_others_is_skipped(table):
    path = table("path,label,subset\n1.png,a,train\n2.png,a,\n")
    assert len(entries(path)) == 1
    assert "'missing'" in list_csv(path).problems[0].reason


def test_a_column_that_names_no_split_divides_nothing(table):
    path = table("path,label,set\n1.png,a,summer\n2.png,b,winter\n")
    assert [split for _, _, split, _ in entries(path)] == [None, None]
    assert problems(path) == [("missing_split", "table.csv", False)]
    assert problems(table("path,label,set\n1.png,a,\n2.png,b,\n")) == []


def test_groups_only_on_request(table):
    path = table("path,label,patient\n1.png,a,p1\n2.png,b,\n")
    assert [group for *_, group in entries(path)] == [None, None]
    assert [group for *_, group in entries(path, group="patient")] == ["p1", None]


def test_columns_by_option(table):
    path = table("a,b,path\n1.png,cat,x\n2.png,dog,y\n")
    assert entries(path, images="a", labels="b") == BOTH


@pytest.mark.parametrize(
    ("header", "options", "text"),
    [
        ("path,label", {"images": "pth"}, "images='pth' is no column; did you mean 'path'"),
        ("path,label", {"group": "patient"}, "group='patient' is no column; allowed: path, label"),
        ("a,label", {}, "no column is known to hold the images; .*images=, of: 'a', 'label'"),
        ("path,b", {}, "no column is known to hold the labels; .*labels=, of: 'path', 'b'"),
        ("path,image,label", {}, "several columns may hold the images; .*: 'path', 'image'"),
        ("path,class,label", {}, "several columns may hold the labels"),
        ("path,label,label", {}, "several columns may hold the labels"),
        ("path,label,label", {"labels": "label"}, "2 columns are called 'label'"),
        ("path,label", {"labels": "path"}, "images and labels are both column 'path'"),
        ("path,label,set,split", {}, "'set', 'split' may all be the split"),
        ("path", {}, "no column is known to hold the labels"),
    ],
)
def test_columns_that_cannot_be_told(table, header, options, text):
    refused(ConfigError, table(header + "\n1.png,cat,x\n"), text, **options)


PIXELS = ",".join(f"pixel{i}" for i in range(784))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"path,label\n", "none of its 0 rows can be used"),
        (b"path,label\nx.png,cat\n", r"none of its 1 rows .*table.csv\[1\]: there is no file 'x"),
        (b"1.png,cat\n2.png,dog\n", "has no header: its first line holds '1.png'"),
        (b"path,label\n1.png,\xe9t\xe9\n", "not UTF-8 text .byte e9.; save it as CSV in UTF-8"),
        ("path,label\n1.png,cat\n".encode("utf-16"), "not UTF-8 text"),
        ("path,label\n1.png,cat\n".encode("utf-16-le"), "line 1 holds NUL bytes"),
        (b"path,label\n1.png,c\0t\n", "line 2 holds NUL bytes"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not UTF-8 text"),
        (f"label,{PIXELS}\n".encode(), "table of pixels .784 columns such as 'pixel783'"),
        (b"5," + b"0," * 783 + b"0\n", "table of pixels"),
        (b"emotion,pixels,Usage\n0,70 80 82,Training\n", "table of pixels"),
        (b'path,label\n1.png,cat\n"2.png,dog\n3.png,cat\n', "lines 3 to 4: .*; close the quot"),
        (b'path,label\n1.png,cat\n"2.png,dog\n"3.png,cat\n', "lines 3 to 4: "),
        (b'path,label\n1.png,"' + b"x\n" * 70_000, "field larger than field limit"),
        (b'"path,label\n1.png,cat\n', "the first line is no header"),
    ],
)
def test_other_files_are_refused(table, content, text):
    refused(DataError, table(content), text)


def test_one_row_with_a_huge_field_is_skipped(table):
    path = table("path,label\n" + "x" * 200_000 + ",cat\n1.png,cat\n")
    assert [name for name, *_ in entries(path)] == ["1.png"]
    assert problems(path) == [("damaged", "table.csv[1]", True)]


def test_a_file_without_line_ends_is_not_taken_into_memory(table):
    refused(DataError, table("path,label" + "x" * 2**24), "line 1 is over 16,777,216 characters")


def test_paths_that_no_system_can_look_up_are_missing(table):
    path = table(
        f"path,label\n{'x' * 5000},cat\n1.png/2.png,cat\nhttps://a.b/c.png,dog\n1.png,cat\n"
    )
    assert [kind for kind, _, _ in problems(path)] == ["missing_file"] * 3


def test_case_twins_are_reported(table):
    path = table("path,label\n1.png,cat\n2.png,Cat\n3.png,cat \n")
    assert problems(path) == [("case_twins", "Cat / cat / cat ", False)]


def test_what_is_no_file(tmp_path):
    refused(DataError, tmp_path / "nothing.csv", "does not exist")
    refused(DataError, tmp_path, "cannot be read: Is a directory")
    with pytest.raises(DataError, match="cannot be read"):
        list_csv("a\0b.csv")
