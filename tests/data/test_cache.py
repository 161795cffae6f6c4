"""The cache directory among several processes: bounded, and no entry of another is relied upon."""

import os
import shutil
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convolens.data.arrays import pool_from_arrays
from convolens.data.cache import GIGABYTE, cache_directory, make_room, remove_abandoned
from convolens.data.digits import digits_pool
from convolens.data.duplicates import duplicate_pairs
from convolens.data.kept_duplicates import kept_duplicates
from convolens.data.pixel_cache import ROW_TYPE, prepared_pixels
from convolens.data.pixel_reuse import reuse_rows
from convolens.images.fitting import Fitting

LONG_AGO = 1_000_000_000
FITTING = Fitting(2, 3, 1, "pad")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVOLENS_CACHE", str(tmp_path / "cache"))


def put(folder, name, size, age=0):
    (folder / name).mkdir()
    (folder / name / "pixels.npy").write_bytes(bytes(size))
    os.utime(folder / name, (LONG_AGO + age, LONG_AGO + age))


def test_what_is_being_written_counts(tmp_path, monkeypatch):
    put(tmp_path, "a", 1_000, age=0)
    put(tmp_path, "b", 1_000, age=1)
    put(tmp_path, ".c.1234", 1_000, age=2)
    monkeypatch.setenv("CONVOLENS_CACHE_GB", str(3_500 / GIGABYTE))
    make_room(tmp_path, 1_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".c.1234", "b"]


def test_what_is_still_being_filled_is_not_abandoned(tmp_path):
    put(tmp_path, ".filled.1", 10)
    put(tmp_path, ".abandoned.1", 10)
    os.utime(tmp_path / ".abandoned.1" / "pixels.npy", (LONG_AGO, LONG_AGO))
    (tmp_path / ".a file").touch()
    assert time.time() - (tmp_path / ".filled.1").stat().st_mtime > 86_400
    remove_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a file", ".filled.1"]


class Vanishing(type(Path())):
    """A folder whose folders disappear when they are looked into."""

    def iterdir(self):
        if self.name.startswith("entry"):
            shutil.rmtree(self)
        return super().iterdir()


def test_an_entry_that_disappears_while_room_is_made_has_no_size(tmp_path):
    put(tmp_path, "entry", 1_000)
    make_room(Vanishing(tmp_path), 1_000)
    assert list(tmp_path.iterdir()) == []


def test_a_donor_that_disappears_is_passed_over(tmp_path):
    rows = np.zeros(2, dtype=ROW_TYPE)
    rows["sha256"] = [[1] * 32, [2] * 32]
    known = rows.copy()
    known["usable"] = True
    known["crc32"] = [np.uint32(3_523_407_757)] * 2  # of one zero byte
    (tmp_path / "old").write_bytes(bytes(2))
    (tmp_path / "new").write_bytes(b"xx")
    donors = [(tmp_path / "gone", known, 0), (tmp_path / "old", known, 0)]
    assert reuse_rows(donors, rows, (tmp_path / "new", 0), 1) == 2
    assert (tmp_path / "new").read_bytes() == bytes(2)


@pytest.mark.parametrize("state", ["gone", "cannot be written to"])
def test_pairs_that_cannot_be_kept_are_found_all_the_same(tmp_path, state):
    pool = replace(digits_pool(), folder=tmp_path / "entry")
    if state == "cannot be written to":
        (tmp_path / "entry" / "duplicates-1.npz" / "in the way").mkdir(parents=True)
    expected = kept_duplicates(replace(pool, folder=None))
    assert np.array_equal(kept_duplicates(pool), expected)
    assert (tmp_path / "entry").exists() == (state != "gone")


def pool_in_memory(n=40):
    rng = np.random.default_rng(0)
    return pool_from_arrays({None: (rng.integers(0, 256, (n, 12, 12, 1), np.uint8), np.arange(n))})


@pytest.fixture
def searched(monkeypatch):
    """How many pictures were looked through, each time that it was done."""
    times = []

    def counted(images):
        times.append(len(images))
        return duplicate_pairs(images)

    monkeypatch.setattr("convolens.data.kept_duplicates.duplicate_pairs", counted)
    monkeypatch.setattr("convolens.data.kept_duplicates.KEPT_FROM", 40)
    return times


def test_pairs_of_pictures_in_memory_are_found_once_and_known_by_their_pixels(searched):
    pool = pool_in_memory()
    copied = replace(pool, images=np.concatenate([pool.images[:-1], pool.images[:1]]))
    turned = replace(copied, images=copied.images.reshape(40, 6, 24, 1))
    for _ in range(2):
        assert kept_duplicates(pool).tolist() == []
        assert kept_duplicates(copied).tolist() == [[0, 39]]
        kept_duplicates(turned)
    assert searched == [40, 40, 40]
    (kept, *_) = (cache_directory() / "duplicates").iterdir()
    kept.write_bytes(kept.read_bytes()[:-30])
    assert kept_duplicates(pool).tolist() == []
    assert kept_duplicates(copied).tolist() == [[0, 39]]


def test_few_pictures_in_memory_leave_nothing_on_disk(searched):
    kept_duplicates(pool_in_memory(39))
    kept_duplicates(pool_in_memory(39))
    assert searched == [39, 39]
    assert not (cache_directory() / "duplicates").exists()


def test_pairs_are_found_without_a_cache(searched, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CONVOLENS_CACHE", str(tmp_path / "file"))
    assert kept_duplicates(pool_in_memory()).tolist() == []
    assert searched == [40]


class Fill:
    """Writes a grey value for each picture; those in ``refused`` are refused as ``kind``."""

    def __init__(self, kind, refused):
        self.kind, self.refused, self.asked = kind, refused, []

    def __call__(self, target):
        missing = np.flatnonzero(~target.rows["usable"]).tolist()
        self.asked.append(missing)
        with target.path.open("r+b") as file:
            for row in missing:
                if row in self.refused:
                    target.refused[row] = (self.kind, "because")
                    continue
                pixels = bytes([10 + row]) * 6
                file.seek(target.offset + row * 6)
                file.write(pixels)
                target.rows["crc32"][row] = zlib.crc32(pixels)
                target.rows["usable"][row] = True


@pytest.mark.parametrize("kind", ["too_slow", "crashed", "vanished"])
def test_a_picture_refused_for_a_moment_is_tried_again(kind):
    contents = np.arange(5 * 32, dtype=np.uint8).reshape(5, 32)
    fill = Fill(kind, {1, 3})
    first = prepared_pixels(contents, FITTING, fill)
    assert first.refused == {1: (kind, "because"), 3: (kind, "because")}
    (entry,) = (cache_directory() / "pixels").iterdir()
    written = (entry / "pixels.npy").stat()
    second = prepared_pixels(contents, FITTING, fill)
    assert second.refused == first.refused
    # For nothing: so the entry stays as it is, and nothing else stays.
    assert (entry / "pixels.npy").stat() == written
    assert list((cache_directory() / "trials").iterdir()) == []
    assert fill.asked == [[0, 1, 2, 3, 4], [1, 3]]
    fill.refused = {3}
    third = prepared_pixels(contents, FITTING, fill)
    assert third.refused == {3: (kind, "because")}
    assert third.images[:][third.usable, 0, 0, 0].tolist() == [10, 11, 12, 14]
    assert first.images[:][first.usable, 0, 0, 0].tolist() == [10, 12, 14]


def test_a_damaged_picture_is_not_tried_again():
    contents = np.arange(5 * 32, dtype=np.uint8).reshape(5, 32)
    fill = Fill("damaged", {1})
    for _ in range(2):
        assert prepared_pixels(contents, FITTING, fill).refused == {1: ("damaged", "because")}
    assert fill.asked == [[0, 1, 2, 3, 4]]
