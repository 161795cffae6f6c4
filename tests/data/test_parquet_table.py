import os

import pytest
from parquet_tables import class_label, entries, pa, pictures, problems, refused, stored, write

from convolens.data.parquet_table import list_parquet, read_embedded
from convolens.errors import ConfigError, DataError


@pytest.mark.parametrize("kind", ["struct", "binary", "large_binary", "binary_view"])
@pytest.mark.parametrize("row_group_size", [1, 2, 10])
def test_embedded_pictures(tmp_path, kind, row_group_size):
    values = [b"zero", None, b"", b"three", b"four"]
    column = pictures(*values) if kind == "struct" else pa.array(values, getattr(pa, kind)())
    path = write(
        tmp_path / "pets.parquet",
        {"id": range(5), "image": column, "label": [1, 1, 0, None, 0]},
        metadata=class_label("cat", "dog"),
        row_group_size=row_group_size,
    )
    listing = list_parquet(path)
    assert entries(path) == [
        ("pets.parquet[0]", "dog", None, 0),
        ("pets.parquet[2]", "cat", None, 2),
        ("pets.parquet[4]", "cat", None, 4),
    ]
    assert problems(path) == [
        ("missing_file", "pets.parquet[1]", True),
        ("missing_label", "pets.parquet[3]", True),
    ]
    assert listing.class_names == ("cat", "dog")
    assert (listing.name, listing.image_column) == ("pets", "image")
    assert list(stored(listing)) == [b"zero", b"", b"four"]


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (pa.array([3, 1, 2]), ["3", "1", "2"]),
        (pa.array([-1, 0, 1], pa.int8()), ["-1", "0", "1"]),
        (pa.array([1.0, 2.0, 10.0]), ["1", "2", "10"]),
        (pa.array([1.0, 2.5, 3.0]), ["1", "2.5", "3"]),
        (pa.array([True, False, True]), ["True", "False", "True"]),
        (pa.array(["b", "a ", "c"]), ["b", "a ", "c"]),
        (pa.array(["1.0", "x", "2.0"]), ["1.0", "x", "2.0"]),
        (pa.array(["b", "a", "b"]).dictionary_encode(), ["b", "a", "b"]),
        (pa.array([b"b", b"\xc3\xa9", b"c"]), ["b", "é", "c"]),
    ],
)
def test_labels_of_every_type(tmp_path, values, read):
    path = write(tmp_path / "t.parquet", {"image": [b"x"] * 3, "label": values})
    assert [label for _, label, _, _ in entries(path)] == read
    assert problems(path) == []


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1.0, None, float("nan")]),
        pa.array(["1", "", "  "]),
        pa.array([b"1", b"\xff", None]),
        # Text that is not UTF-8, as a broken writer leaves it.
        pa.array([b"1", b"\xff\xfe", b"\x80"]).view(pa.string()),
    ],
)
def test_missing_labels(tmp_path, values):
    path = write(tmp_path / "t.parquet", {"image": [b"x"] * 3, "label": values})
    assert [label for _, label, _, _ in entries(path)] == ["1"]
    assert [kind for kind, _, _ in problems(path)] == ["missing_label"] * 2


def test_labels_outside_the_class_names(tmp_path):
    path = write(
        tmp_path / "t.parquet",
        {"image": [b"x"] * 5, "label": [0, 2, -1, 1, 7]},
        metadata=class_label("no", "yes"),
    )
    assert [(label, row) for _, label, _, row in entries(path)] == [("no", 0), ("yes", 3)]
    assert {kind for kind, _, _ in problems(path)} == {"label_out_of_range"}
    assert "the label is 7; allowed: 0 to 1" in list_parquet(path).problems[-1].reason


@pytest.mark.parametrize(
    "metadata",
    [
        {b"huggingface": b"{not json"},
        {b"huggingface": b"[]"},
        {b"huggingface": b'{"info": {"features": []}}'},
        class_label(column="label"),
        class_label("a", "b", column="other"),
        None,
    ],
)
def test_numbers_without_names_name_themselves(tmp_path, metadata):
    path = write(tmp_path / "t.parquet", {"image": [b"x"] * 2, "label": [5, 7]}, metadata=metadata)
    assert [label for _, label, _, _ in entries(path)] == ["5", "7"]
    assert list_parquet(path).class_names is None


@pytest.mark.parametrize("as_struct", [False, True])
def test_paths_count_from_the_file(tmp_path, as_struct):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "1.png").touch()
    paths = ["sub/1.png", "gone.png", None, "sub/1.png", " "]
    column = pictures(*({"bytes": None, "path": path} for path in paths)) if as_struct else paths
    path = write(tmp_path / "t.parquet", {"image": column, "label": list("abcde")})
    assert entries(path) == [("t.parquet[0]", "a", None, None), ("t.parquet[3]", "d", None, None)]
    assert {kind for kind, _, _ in problems(path)} == {"missing_file"}
    listing = list_parquet(path)
    assert {entry.path for entry in listing.entries} == {str(tmp_path / "sub" / "1.png")}


def test_bytes_win_over_paths_row_by_row(tmp_path):
    (tmp_path / "1.png").touch()
    rows = [{"bytes": b"x", "path": "gone.png"}, {"bytes": None, "path": "1.png"}, None]
    path = write(tmp_path / "t.parquet", {"image": pictures(*rows), "label": list("abc")})
    assert entries(path) == [("t.parquet[0]", "a", None, 0), ("1.png", "b", None, None)]
    assert problems(path) == [("missing_file", "t.parquet[2]", True)]


def test_a_folder_as_hugging_face_lays_it_out(tmp_path):
    names = class_label("cat", "dog")
    data = tmp_path / "data"
    for name, label in {
        "train-00000-of-00002.parquet": 0,
        "train-00001-of-00002.parquet": 1,
        "validation-00000-of-00001-abc123.parquet": 0,
        "test-00000-of-00001.parquet": 1,
    }.items():
        write(data / name, {"image": pictures(b"x"), "label": [label]}, metadata=names)
    (tmp_path / "README.md").touch()
    (data / "._train.parquet").touch()
    assert [(name, label, split) for name, label, split, _ in entries(tmp_path)] == [
        ("data/test-00000-of-00001.parquet[0]", "dog", "test"),
        ("data/train-00000-of-00002.parquet[0]", "cat", "train"),
        ("data/train-00001-of-00002.parquet[0]", "dog", "train"),
        ("data/validation-00000-of-00001-abc123.parquet[0]", "cat", "validation"),
    ]
    assert problems(tmp_path) == []
    assert list_parquet(tmp_path).class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("test/0000.parquet", "test"),
        ("data/Train/part-0.PARQUET", "train"),
        ("held_out-00000-of-00001.parquet", "test"),
        ("pets-train-0.parquet", "train"),
        ("train_test.parquet", None),
        ("pets.parquet", None),
    ],
)
def test_splits_from_names(tmp_path, name, split):
    write(tmp_path / name, {"image": [b"x"], "label": ["a"]})
    assert entries(tmp_path)[0][2] == split
    assert problems(tmp_path) == []
    # A file asked for by itself is the whole set, not a part of one.
    assert entries(tmp_path / name)[0][2] is None


def test_a_split_column_wins_over_names(tmp_path):
    columns = {"image": [b"x"] * 3, "label": ["a"] * 3, "split": ["train", "dev", None]}
    write(tmp_path / "test.parquet", columns)
    assert [split for _, _, split, _ in entries(tmp_path)] == ["train", "validation"]
    assert problems(tmp_path) == [("unknown_split", "test.parquet[2]", True)]


def test_a_file_that_names_no_split_beside_others_is_skipped(tmp_path):
    columns = {"image": [b"x"], "label": ["a"]}
    write(tmp_path / "train.parquet", columns)
    write(tmp_path / "extra.parquet", columns)
    assert entries(tmp_path) == [("train.parquet[0]", "a", "train", 0)]
    assert problems(tmp_path) == [("unknown_split", "extra.parquet[0]", True)]


def test_names_of_classes_hold_for_files_without(tmp_path):
    columns = {"image": [b"x"], "label": [1]}
    write(tmp_path / "test.parquet", columns)
    write(tmp_path / "train.parquet", columns, metadata=class_label("cat", "dog"))
    assert [label for _, label, _, _ in entries(tmp_path)] == ["dog", "dog"]


def test_classes_are_matched_by_name_where_files_number_them_differently(tmp_path):
    columns = {"image": [b"x"], "label": [1]}
    write(tmp_path / "test.parquet", columns, metadata=class_label("dog", "cat"))
    write(tmp_path / "train.parquet", columns, metadata=class_label("cat", "dog"))
    assert [label for _, label, _, _ in entries(tmp_path)] == ["cat", "dog"]
    assert list_parquet(tmp_path).class_names is None


def test_a_damaged_file_among_others_is_skipped(tmp_path):
    columns = {"image": [b"x"], "label": ["a"]}
    whole = write(tmp_path / "train-0.parquet", columns).read_bytes()
    (tmp_path / "train-1.parquet").write_bytes(whole[:-20])
    (tmp_path / "train-2.parquet").touch()
    (tmp_path / "train-3.parquet").symlink_to("nowhere")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "train-4.parquet")
    write(tmp_path / "train-5.parquet", {"picture": [b"x"], "label": ["a"]})
    write(tmp_path / "train-6.parquet", {"image": [5], "label": ["a"]})
    write(tmp_path / "train-7.parquet", columns)
    assert [name for name, *_ in entries(tmp_path)] == ["train-0.parquet[0]", "train-7.parquet[0]"]
    skipped = [("damaged", f"train-{i}.parquet", True) for i in (1, 2, 3, 5, 6)]
    assert problems(tmp_path) == skipped


def test_every_truncation_is_refused(tmp_path):
    path = write(tmp_path / "t.parquet", {"image": [b"x"] * 3, "label": ["a", "b", "a"]})
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        refused(DataError, path, "cannot be read as Parquet")
        with pytest.raises(DataError, match="cannot be read as Parquet"):
            list(read_embedded(path, "image", [0]))


def test_a_damaged_page_is_an_error_not_a_wrong_label(tmp_path):
    values = [f"label {value}" for value in range(100)]
    path = write(
        tmp_path / "t.parquet",
        {"image": [b"x"] * 100, "label": values},
        write_page_checksum=True,
        compression="none",
        use_dictionary=False,
    )
    path.write_bytes(path.read_bytes().replace(b"label 42", b"label 43", 1))
    refused(DataError, path, "cannot be read as Parquet: .*CRC")


def test_a_damaged_picture_does_not_matter_for_listing_and_rows_before_it_are_read(tmp_path):
    values = [bytes([value]) * 50 for value in range(4)]
    path = write(
        tmp_path / "t.parquet",
        {"image": values, "label": list("abcd")},
        row_group_size=1,
        write_page_checksum=True,
        compression="none",
        use_dictionary=False,
        write_statistics=["label"],
    )
    path.write_bytes(path.read_bytes().replace(values[2], b"\xff" * 50))
    assert len(entries(path)) == 4
    read = []
    with pytest.raises(DataError, match=r"t.parquet: cannot be read as Parquet"):
        for row, content in read_embedded(path, "image", [0, 1, 2, 3]):
            read.append((row, content))
    assert read == list(enumerate(values[:2]))


@pytest.mark.parametrize(
    ("columns", "options", "text"),
    [
        ({"image": [1], "label": [1]}, {}, "column 'image' holds int64; allowed for pictures"),
        ({"image": [[1, 2]], "label": [1]}, {}, "column 'image' holds list"),
        ({"image": [{"data": b"x"}], "label": [1]}, {}, "column 'image' holds struct"),
        ({"image": [b"x"], "label": [[1]]}, {}, "column 'label' holds list.*one number or text"),
        (
            {"img": [b"x"], "fine": [1]},
            {},
            "no column is known to hold the labels; .*'img', 'fine'",
        ),
        ({"img": [b"x"], "fine": [1]}, {"labels": "fin"}, "did you mean 'fine'"),
        ({"image": [b"x"], "path": ["y"], "label": [1]}, {}, "several columns may hold the images"),
        ({"image": [b"x"], "label": [1]}, {"group": "g"}, "group='g' is no column"),
    ],
)
def test_columns_that_will_not_do(tmp_path, columns, options, text):
    path = write(tmp_path / "t.parquet", columns)
    refused(ConfigError, path, text, **options)


def test_columns_by_option_and_groups(tmp_path):
    columns = {"a": [b"x", b"y"], "b": ["cat", "dog"], "g": [7, None], "image": ["p", "q"]}
    path = write(tmp_path / "t.parquet", columns)
    listing = list_parquet(path, images="a", labels="b", group="g")
    assert [(entry.label, entry.group) for entry in listing.entries] == [
        ("cat", "7"),
        ("dog", None),
    ]
    assert listing.image_column == "a"
    assert list(stored(listing)) == [b"x", b"y"]


def test_what_changed_since_it_was_listed_is_said(tmp_path):
    path = write(tmp_path / "t.parquet", {"image": [b"x"]})
    for column, rows in (("image", [0, 1]), ("img", [0])):
        with pytest.raises(DataError, match="it has changed since it was listed"):
            list(read_embedded(path, column, rows))


def test_nothing_to_list(tmp_path):
    refused(DataError, tmp_path, "has no .parquet file, nor has its folder data")
    refused(DataError, tmp_path / "nothing.parquet", "does not exist")
    path = write(
        tmp_path / "t.parquet", {"image": pa.array([], pa.binary()), "label": pa.array([])}
    )
    refused(DataError, path, "none of its 0 rows can be used")
    path.write_text("image,label\n")
    refused(DataError, path, "cannot be read as Parquet")
    refused(DataError, tmp_path, r"none of its 1 rows can be used; t.parquet")
