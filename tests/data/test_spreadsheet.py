"""What is written for a spreadsheet comes back, and is nothing that one would change."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data.spreadsheet import cells_line, from_cell, read_cells, to_cell
from convolens.errors import DataError

# Lone surrogates stand for the bytes of file names that are not UTF-8.
hostile = st.text(st.characters(exclude_categories=()), max_size=12)
escapes = st.text(st.sampled_from("\\u005cdf8,'\"\r\n\t=+-@ a1;\udcff\0"), max_size=12)


@given(st.lists(st.lists(st.one_of(hostile, escapes), min_size=3, max_size=3), max_size=8))
def test_any_text_survives(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("cells") / "table.csv"
    header = ["one", "two", "three"]
    lines = [cells_line(header), *(cells_line(map(to_cell, row)) for row in table)]
    path.write_text("".join(lines), encoding="utf-8-sig", newline="")
    assert [[from_cell(cell) for cell in row] for row in read_cells(path, "list")] == [
        header,
        *table,
    ]


@given(st.one_of(hostile, escapes))
def test_nothing_is_left_that_begins_a_formula_or_moves_a_line(text):
    cell = to_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", " "))
    assert all(sign >= " " and not "\ud800" <= sign <= "\udfff" for sign in cell)


@pytest.mark.parametrize(
    "text",
    [
        *("007", "1.50", "1e5", "1-2", "1/2", "2024-03-01", "12:30", "10 %", "$5", "(17)", "MAR1"),
        *("Sep 1", "1. Mai", "5 août", "3 pm", "true", "FALSE", "12345678901234567", " a", "=A1"),
    ],
)
def test_what_a_spreadsheet_takes_for_something_else_is_marked_as_text(text):
    assert to_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["7", "0", "[17]", "cats/1.png", "class 10", "a-b", "T-shirt/top", "été.jpg", "1_2", ""]
)
def test_what_it_leaves_alone_is_written_as_it_is(text):
    assert to_cell(text) == text


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_as_spreadsheets_save_it(tmp_path, delimiter):
    path = tmp_path / "saved.csv"
    rows = [["picture", "label"], ["a;b,c\t.png", 'say "x"'], [], ["d.png"]]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    assert read_cells(path, "list") == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'a,b\n"c,d\n', "row 2 is not CSV"),
        (b'a,b\n\n"c"d,e\n', "row 3 is not CSV"),
        (b"a,b\n\xff,c\n", "is not UTF-8 text .* save it as CSV UTF-8"),
        ("a,b\n".encode("utf-16"), "is not UTF-8 text"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path, content, message):
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_cells(path, "list")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"there is no list of things '.*nothing.csv'"):
        read_cells(tmp_path / "nothing.csv", "list of things")
    with pytest.raises(DataError, match="cannot be read as a list"):
        read_cells(tmp_path, "list")
