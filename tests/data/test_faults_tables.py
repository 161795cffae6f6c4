"""Faulty tables and archives: CSV, Parquet, .npz and IDX files."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
from faults import encoded, flipped, problems_of, put, put_good, snapshot, texture

from convolens.data import check_data, load_data
from convolens.errors import ConfigError, ConvolensError, DataError

N = 30


@pytest.fixture
def root(tmp_path):
    """A folder of pictures for tables to name; the tables lie in it."""
    return put_good(tmp_path / "photos")


def rows():
    """A row for each good picture: its path and its class."""
    return [(f"{label}/{number}.png", label) for label in ("cat", "dog") for number in range(15)]


def write_csv(root, *more, header="path,label", encoding="utf-8"):
    lines = [header, *(",".join(row) for row in rows()), *more]
    return put(root, "table.csv", "\n".join(lines).encode(encoding))


def judge_table(path, expected, n_used=N):
    """Load and check a table: what was planted is found and nothing else, no row is lost."""
    before = snapshot(path.parent)
    dataset = load_data(path)
    summary = check_data(dataset)
    assert snapshot(path.parent) == before
    assert problems_of(summary) == dict.fromkeys(expected, 1)
    assert summary.used == n_used
    assert summary.seen == summary.used + summary.skipped
    assert all("\n" not in problem.reason for problem in summary.problems)
    return dataset


def refused(path, words, error: type[ConvolensError] = DataError, **options):
    before = hashlib.sha256(path.read_bytes()).digest()
    with pytest.raises(error, match=words) as caught:
        load_data(path, **options)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)
    assert hashlib.sha256(path.read_bytes()).digest() == before


CSV_ROWS = {
    "a missing path": ("nowhere/1.png,cat", ("missing_file", "")),
    "an empty path": (",cat", ("missing_file", "")),
    "a missing label": ("cat/extra.png,", ("missing_label", "")),
    "a field too few": ("cat/extra.png", ("damaged", "")),
    "a field too many": ("cat/extra.png,cat,brown", ("damaged", "")),
    "a stray quotation mark": ('"cat/ex"tra.png,cat', ("damaged", "")),
    "a folder for a path": ("dog,cat", ("not_an_image", "")),
    "a damaged picture": ("cat/bad.png,cat", ("damaged", "cat/bad.png")),
    "a path with a line end": ('"cat/\n.png",cat', ("missing_file", "")),
}


@pytest.fixture(scope="module")
def csv_problems(tmp_path_factory):
    """Those of one table with all bad rows, of which nothing else may be said."""
    root = put_good(tmp_path_factory.mktemp("csv"))
    put(root, "cat/extra.png", texture(3_000))
    put(root, "cat/bad.png", encoded(texture(3_001))[:500])
    path = write_csv(root, *(row for row, _ in CSV_ROWS.values()))
    expected = [(kind, _place(where, n), True) for n, (kind, where) in _numbered_rows()]
    return problems_of(judge_table(path, expected))


def _numbered_rows():
    return enumerate((problem for _, problem in CSV_ROWS.values()), start=N + 1)


def _place(where, number):
    return where or f"table.csv[{number}]"


@pytest.mark.parametrize("name", CSV_ROWS)
def test_a_bad_row_of_a_csv_table_is_skipped(csv_problems, name):
    number = N + 1 + list(CSV_ROWS).index(name)
    kind, where = CSV_ROWS[name][1]
    assert csv_problems[(kind, _place(where, number), True)] == 1


def test_a_picture_named_twice_is_two_rows_and_said(root):
    path = write_csv(root, "cat/0.png,cat")
    judge_table(path, [("duplicate", "table.csv[31]", False)], n_used=N + 1)


def test_a_split_of_another_name(root):
    lines = [
        f"{path},{label},{'test' if path.endswith(('3.png', '4.png')) else 'train'}"
        for path, label in rows()
    ]
    put(root, "cat/extra.png", texture(3_002))
    table = "\n".join(["path,label,split", *lines, "cat/extra.png,cat,somewhere"])
    path = put(root, "table.csv", table.encode())
    judge_table(path, [("unknown_split", "table.csv[31]", True)])


CSV_FILES = {
    "empty": (b"", "is empty; allowed: a first line that names the columns", DataError),
    "a header alone": (b"path,label\n", "none of its 0 rows can be used", DataError),
    "not UTF-8": (b"path,label\nJos\xe9.png,cat\n", "not UTF-8 text .byte e9.; save", DataError),
    "NUL bytes": (b"path,label\n\0\0\0\n", "holds NUL bytes; it is no text", DataError),
    "no header": (b"cat/0.png,cat\n", "has no header: its first line holds", DataError),
    "no known column": (b"where,what\na.png,cat\n", "say which with images=, of: ", ConfigError),
    "two such columns": (b"path,file,label\na,b,c\n", "say which with im", ConfigError),
    "an open quotation mark": (b'path,label\n"a.png,cat\nb.png,dog\n', "close the quo", DataError),
    "a table of pixels": (
        ",".join(["label", *(f"pixel{n}" for n in range(16))]).encode(),
        "is a table of pixels",
        DataError,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CSV_FILES)
def test_a_csv_file_that_cannot_be_used_is_refused(root, kind):
    content, words, error = CSV_FILES[kind]
    refused(put(root, "table.csv", content), words, error)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labels": "lable"}, "labels='lable' is no column; did you mean 'label'"),
        ({"images": "file"}, "images='file' is no column"),
        ({"group": "patient"}, "group='patient' is no column"),
    ],
)
def test_an_unknown_column_is_named(root, options, words):
    refused(write_csv(root), words, ConfigError, **options)


# Parquet.


def write_parquet(root, pictures, labels):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = root / "table.parquet"
    parquet.write_table(arrow.table({"image": pictures, "label": labels}), path, compression="none")
    return path


def embedded():
    pictures = [encoded(texture(first + n)) for first in (0, 100) for n in range(15)]
    return pictures, [label for _, label in rows()]


PARQUET_ROWS = {
    "no picture": (None, "cat", "missing_file"),
    "no bytes": (b"", "cat", "empty_file"),
    "a damaged picture": (encoded(texture(3_100))[:700], "cat", "damaged"),
    "text": (b"not a picture", "dog", "not_an_image"),
    "no label": (encoded(texture(3_101)), None, "missing_label"),
    "an empty label": (encoded(texture(3_102)), "", "missing_label"),
}


@pytest.fixture(scope="module")
def parquet_dataset(tmp_path_factory):
    """A file whose first rows are the bad ones, of which nothing else may be said."""
    pictures, labels = embedded()
    bad_pictures, bad_labels, kinds = zip(*PARQUET_ROWS.values(), strict=True)
    root = tmp_path_factory.mktemp("parquet")
    path = write_parquet(root, [*bad_pictures, *pictures], [*bad_labels, *labels])
    expected = [(kind, f"table.parquet[{row}]", True) for row, kind in enumerate(kinds)]
    return judge_table(path, expected)


@pytest.mark.parametrize("name", PARQUET_ROWS)
def test_a_broken_row_of_a_parquet_file_is_skipped(parquet_dataset, name):
    row = list(PARQUET_ROWS).index(name)
    problem = (PARQUET_ROWS[name][2], f"table.parquet[{row}]", True)
    assert problems_of(parquet_dataset)[problem] == 1


def test_every_other_row_of_a_parquet_file_is_used(parquet_dataset):
    used = [name for split in parquet_dataset.splits.values() for name in split.names]
    first = len(PARQUET_ROWS)
    assert sorted(used) == sorted(f"table.parquet[{first + row}]" for row in range(N))


def test_a_parquet_file_that_is_cut_or_no_parquet_is_refused(root):
    path = write_parquet(root, *embedded())
    content = path.read_bytes()
    for cut in (0, 4, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:cut])
        refused(path, "cannot be read as Parquet")


def test_a_wrong_bit_in_a_parquet_file_costs_one_picture(root):
    path = write_parquet(root, *embedded())
    content = path.read_bytes()
    row = next(n for n, picture in enumerate(embedded()[0]) if content.index(picture) > 5_000)
    path.write_bytes(flipped(content, content.index(embedded()[0][row]) + 300))
    judge_table(path, [("damaged", f"table.parquet[{row}]", True)], n_used=N - 1)


# NumPy's archives and IDX files.


def stack():
    pictures = np.stack([np.asarray(texture(first + n)) for first in (0, 100) for n in range(15)])
    return pictures, np.repeat([0, 1], 15)


def write_npz(root, **arrays):
    path = root / "set.npz"
    np.savez(path, **arrays)
    return path


def test_an_archive_that_needs_pickle_is_refused_and_nothing_runs(root, tmp_path):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    path = write_npz(root, x=np.array([Trap(), Trap()], dtype=object), y=[0, 1])
    refused(path, "holds Python objects, which are stored as pickle")
    assert not (tmp_path / "sprung").exists()


def test_an_archive_without_known_names_lists_them(root):
    pictures, labels = stack()
    refused(write_npz(root, a=pictures, b=labels), r"There are: 'a' \(30, 24, 24, 3\), 'b' \(30,\)")
    assert load_data(root / "set.npz", images="a", labels="b").n_used == N


@pytest.mark.parametrize("tenths", range(10))
def test_an_archive_that_is_cut_is_refused(root, tenths):
    pictures, labels = stack()
    path = write_npz(root, x=pictures, y=labels)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * tenths // 10])
    refused(path, r"no \.npz file, truncated or damaged")


def test_an_archive_with_a_wrong_bit_is_refused(root):
    pictures, labels = stack()
    path = write_npz(root, x=pictures, y=labels)
    path.write_bytes(flipped(path.read_bytes(), 9_000))
    refused(path, "truncated or damaged")


def write_idx(path, values, cut=0):
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    content = head + values.astype(np.uint8).tobytes()
    packed = gzip.compress(content, mtime=0)
    put(path.parent, path.name, packed[: len(packed) - cut])


IDX = {
    "cut": ({"cut": 40}, "the gzip data ends early; the file is truncated"),
    "of other axes": ({"values": np.zeros(9)}, r"holds uint8 values of shape \(9,\); allowed"),
    "of other number": ({"values": np.zeros((9, 24, 24))}, "holds 9 images but .* 30 labels"),
}


@pytest.mark.parametrize("kind", IDX)
def test_damaged_idx_files_are_refused_by_name(tmp_path, kind):
    changed, words = IDX[kind]
    pictures, labels = stack()
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", **{"values": pictures[..., 0], **changed})
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", labels)
    before = snapshot(tmp_path)
    with pytest.raises(DataError, match=words) as caught:
        load_data(tmp_path)
    assert "train-images-idx3-ubyte.gz" in str(caught.value)
    assert snapshot(tmp_path) == before


def test_an_idx_file_that_is_none(tmp_path):
    put(tmp_path, "train-images-idx3-ubyte", b"no IDX file")
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", stack()[1])
    with pytest.raises(DataError, match="not an IDX file: starts with 6e 6f 20 49"):
        load_data(tmp_path)
