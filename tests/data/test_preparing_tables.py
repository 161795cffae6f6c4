"""From tables to pixels on disk: each row's own picture, and none lost to its neighbour."""

import io
import os
import threading

import numpy as np
import pytest
from parquet_tables import pa, pq, write
from PIL import Image

from convolens.data import load_data
from convolens.data.csv_table import list_csv
from convolens.data.options import Preparation
from convolens.data.parquet_file import read_whole_rows
from convolens.data.parquet_table import list_parquet
from convolens.data.preparing import prepare_listing

LONG_AGO = 1_000_000_000


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVOLENS_CACHE", str(tmp_path / "cache"))


def grey(value, side=8):
    file = io.BytesIO()
    Image.new("L", (side, side), value).save(file, "BMP")
    return file.getvalue()


def values(pool):
    """The name and the grey value of each picture."""
    return dict(zip(pool.names, pool.images[:][:, 0, 0, 0].tolist(), strict=True))


def skipped(pool):
    return [(problem.kind, problem.path) for problem in pool.problems if problem.skipped]


def test_each_column_of_a_table_has_its_own_pictures(tmp_path):
    columns = {
        "image": [grey(value) for value in range(20)],
        "mask": [grey(255 - value) for value in range(20)],
        "label": ["cat", "dog"] * 10,
    }
    path = write(tmp_path / "t.parquet", columns)
    os.utime(path, (LONG_AGO, LONG_AGO))
    for column in ("image", "mask", "image"):
        dataset = load_data(path, images=column, labels="label")
        for split in dataset.splits.values():
            for name, image in zip(split.names, split.images, strict=True):
                row = int(name.removeprefix("t.parquet[").removesuffix("]"))
                assert image[0, 0, 0] == (row if column == "image" else 255 - row)


def test_rows_of_one_name_are_known_by_their_files(tmp_path):
    for value in (10, 20, 30):
        (tmp_path / f"{value}.bmp").write_bytes(grey(value))
        os.utime(tmp_path / f"{value}.bmp", (LONG_AGO, LONG_AGO))
    table = tmp_path / "t.csv"
    for first, second in ((10, 20), (20, 30)):
        # Each path stands there twice, so the rows are called by their numbers.
        table.write_text(
            f"path,label\n{first}.bmp,a\n{first}.bmp,a\n{second}.bmp,b\n{second}.bmp,b\n"
        )
        assert values(prepare_listing(list_csv(table), Preparation())) == {
            "t.csv[1]": first,
            "t.csv[2]": first,
            "t.csv[3]": second,
            "t.csv[4]": second,
        }


def test_a_table_is_known_from_wherever_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "1.bmp").write_bytes(grey(1))
    os.utime(tmp_path / "1.bmp", (LONG_AGO, LONG_AGO))
    (tmp_path / "t.csv").write_text("path,label\n1.bmp,a\n")
    prepare_listing(list_csv(tmp_path / "t.csv"), Preparation())
    monkeypatch.chdir(tmp_path)
    told = []
    listing = list_csv(type(tmp_path)("t.csv"))
    prepare_listing(listing, Preparation(), lambda *event: told.append(event))
    assert told == []


def damaged_table(path, pictures, damaged, **options):
    """A table of pictures, some of them overwritten so that their page has not its checksum."""
    columns = {"image": pictures, "label": ["cat", "dog"] * (len(pictures) // 2)}
    options = {"compression": "none", "use_dictionary": False, **options}
    content = write(path, columns, write_page_checksum=True, **options).read_bytes()
    for row in damaged:
        assert content.count(grey(row)) == 1
        content = content.replace(grey(row), b"\xaa" * len(grey(row)))
    path.write_bytes(content)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.mark.parametrize("missing", [(), (6, 11)])
def test_a_damaged_page_costs_its_own_row_group(tmp_path, missing):
    """Also where the page has to be read to know which rows have a picture."""
    pictures = [None if row in missing else grey(row) for row in range(20)]
    path = damaged_table(tmp_path / "t.parquet", pictures, (5, 18), row_group_size=4)
    lost = {4, 5, 6, 7, 16, 17, 18, 19}
    expected = {("damaged", f"t.parquet[{row}]") for row in lost}
    expected |= {("missing_file", f"t.parquet[{row}]") for row in set(missing) - lost}
    for _ in range(2):
        pool = prepare_listing(list_parquet(path), Preparation())
        used = set(range(20)) - lost - set(missing)
        assert values(pool) == {f"t.parquet[{row}]": row for row in used}
        assert sorted(skipped(pool)) == sorted(expected)


def test_rows_before_a_damaged_page_are_used(tmp_path):
    options = {"data_page_size": 1, "write_batch_size": 1, "write_statistics": False}
    pictures = [grey(row) for row in range(200)]
    path = damaged_table(tmp_path / "t.parquet", pictures, (150,), **options)
    reported = []
    rows = list(
        read_whole_rows(path, "image", range(200), on_damage=lambda *told: reported.append(told))
    )
    ((lost, why),) = reported
    assert "CRC" in why
    assert list(lost) == list(range(len(rows), 200))
    assert 100 < lost[0] <= 150
    assert rows == [(row, grey(row)) for row in range(len(rows))]


def test_a_table_that_disappears_before_it_is_read_leaves_the_others(tmp_path):
    for name in ("train", "test"):
        columns = {"image": [grey(10), grey(20)], "label": ["cat", "dog"]}
        write(tmp_path / f"{name}.parquet", columns)
    listing = list_parquet(tmp_path)
    content = (tmp_path / "test.parquet").read_bytes()
    (tmp_path / "test.parquet").write_bytes(content[:-30])
    pool = prepare_listing(listing, Preparation())
    assert values(pool) == {"train.parquet[0]": 10, "train.parquet[1]": 20}
    assert skipped(pool) == [("vanished", "test.parquet[0]"), ("vanished", "test.parquet[1]")]


@pytest.mark.parametrize("stage", ["looking at files", "preparing pictures"])
def test_no_reader_outlives_an_error_of_who_is_told(tmp_path, stage):
    """With more pictures than the answers that are kept for whoever asks: a reader left to itself
    would wait for ever."""
    n = 2_500
    (tmp_path / "1.bmp").write_bytes(grey(1, side=1))
    (tmp_path / "t.csv").write_text("path,label\n" + "1.bmp,a\n" * n)
    before = set(threading.enumerate())

    def fail(what, *_):
        if what == stage:
            raise InterruptedError(what)

    with pytest.raises(InterruptedError) as caught:
        prepare_listing(list_csv(tmp_path / "t.csv"), Preparation(workers=1), fail)
    assert set(threading.enumerate()) == before
    assert caught.value.args == (stage,)  # the traceback, and all that it holds, is still there


def test_a_group_that_is_nan_is_no_group(tmp_path):
    columns = {
        "image": [grey(value) for value in range(4)],
        "label": list("abab"),
        "g": pa.array([1.0, float("nan"), None, float("nan")]),
    }
    listing = list_parquet(write(tmp_path / "t.parquet", columns), group="g")
    assert [entry.group for entry in listing.entries] == ["1.0", None, None, None]
    assert np.isnan(pq.read_table(tmp_path / "t.parquet")["g"].to_pylist()[1])
