"""From files to pixels on disk: right, kept, mended, shared and bounded."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convolens.data.cache import GIGABYTE, cache_directory, make_room, mark_used
from convolens.data.class_folders import list_class_folders
from convolens.data.options import Preparation
from convolens.data.preparing import prepare_listing
from convolens.errors import ConfigError, DataError
from convolens.images import ImageLimits, fit_image, load_sample

CHINA = Image.fromarray(load_sample("china"))
LONG_AGO = 1_000_000_000


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVOLENS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "pictures"
    for number in range(12):
        path = root / ("cat", "dog", "émeu 10")[number % 3] / f"{number} a.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        CHINA.crop((number, 0, 90 + number, 60)).resize((45, 30 + number)).save(path)
        os.utime(path, (LONG_AGO, LONG_AGO))
    return root


def prepare(root, **options):
    return prepare_listing(list_class_folders(root), Preparation(**options))


def snapshot(root):
    return {
        path: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in root.rglob("*")
        if path.is_file()
    }


def entries():
    return sorted((cache_directory() / "pixels").iterdir())


def assert_right(pool, root, **options):
    height, width, channels = pool.images.shape[1:]
    for name, image in zip(pool.names, pool.images, strict=True):
        assert np.array_equal(image, fit_image(root / name, height, width, channels, **options))
    assert [pool.class_names[label] for label in pool.labels] == [
        name.partition("/")[0] for name in pool.names
    ]


@pytest.mark.parametrize("policy", ["pad", "crop", "stretch"])
def test_every_pixel_is_that_of_fit_image_and_the_folder_is_as_it_was(folder, policy):
    before = snapshot(folder)
    pool = prepare(folder, fit=policy)
    assert len(pool.names) == 12
    assert pool.images.shape[1:] == (45, 45, 3)  # mixed sizes: a square of the median longer side
    assert_right(pool, folder, policy=policy)
    assert pool.fit == policy
    assert snapshot(folder) == before


def test_files_that_did_not_change_are_not_read_again(folder):
    first = prepare(folder)
    told = []
    listing = list_class_folders(folder)
    pool = prepare_listing(listing, Preparation(), lambda *event: told.append(event))
    assert told == []
    assert np.array_equal(pool.images, first.images)
    victim = folder / "cat" / "0 a.jpg"
    victim.write_bytes(bytes(victim.stat().st_size))
    os.utime(victim, (LONG_AGO, LONG_AGO + 1))  # now it shows
    pool = prepare(folder)
    assert len(pool.images) == 11
    assert [(problem.kind, problem.path) for problem in pool.problems if problem.skipped] == [
        ("not_an_image", "cat/0 a.jpg")
    ]


def test_files_of_one_size_and_one_time_that_change_places_are_noticed(folder):
    one, other = folder / "cat" / "red.bmp", folder / "dog" / "blue.bmp"
    for path in (one, other):
        Image.new("RGB", (45, 31), path.stem).save(path)
        os.utime(path, (LONG_AGO, LONG_AGO))
    assert one.stat().st_size == other.stat().st_size
    before = prepare(folder)
    one.rename(folder / "aside")
    other.rename(one)
    (folder / "aside").rename(other)
    after = prepare(folder)
    assert_right(after, folder)
    assert not np.array_equal(before.images, after.images)


def test_a_verdict_of_a_moment_is_not_kept(folder):
    """A picture that took too long may take less when the computer has less to do."""
    for path in (folder / "dog").iterdir():
        path.unlink()
    told = []
    for _ in range(2):
        told.append([])
        hasty = Preparation(limits=ImageLimits(seconds=1e-6))
        with pytest.raises(DataError, match="takes longer"):
            prepare_listing(
                list_class_folders(folder), hasty, lambda *event: told[-1].append(event)
            )
    assert told == [[("looking at files", 8, 8)]] * 2


def test_a_file_changed_a_moment_ago_is_not_trusted(folder):
    """Its time may not show a second change within the same tick of the file system's clock."""
    victim = folder / "dog" / "1 a.jpg"
    Image.new("RGB", (45, 31), "red").save(victim, "BMP")
    first = prepare(folder)
    now = victim.stat()
    Image.new("RGB", (45, 31), "blue").save(victim, "BMP")
    os.utime(victim, ns=(now.st_atime_ns, now.st_mtime_ns))
    assert victim.stat().st_size == now.st_size
    second = prepare(folder)
    assert_right(second, folder)
    assert not np.array_equal(first.images, second.images)


def test_one_changed_file_costs_one_decoding(folder):
    prepare(folder)
    victim = folder / "dog" / "1 a.jpg"
    CHINA.resize((45, 33)).save(victim)
    os.utime(victim, (LONG_AGO, LONG_AGO + 5))
    told = []
    listing = list_class_folders(folder)
    pool = prepare_listing(listing, Preparation(), lambda *event: told.append(event))
    assert told == [("looking at files", 1, 1), ("preparing pictures", 1, 1)]
    assert_right(pool, folder)


@pytest.mark.parametrize("file", ["pixels.npy", "rows.npy", "about.json"])
@pytest.mark.parametrize("damage", ["bit", "cut", "empty", "gone"])
def test_a_damaged_cache_is_made_again(folder, file, damage):
    prepare(folder)
    (entry,) = entries()
    path = entry / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    if damage == "gone":
        path.unlink()
    else:
        kept = {"bit": len(content), "cut": len(content) // 2, "empty": 0}[damage]
        path.write_bytes(content[:kept])
    assert_right(prepare(folder), folder)
    assert entries() == [entry]


def test_a_damaged_index_is_begun_anew(folder):
    prepare(folder)
    (index,) = (cache_directory() / "indexes").glob("*.sqlite")
    index.write_bytes(b"no database" * 1_000)
    assert_right(prepare(folder), folder)
    assert index.read_bytes().startswith(b"SQLite format 3")


def test_a_file_deleted_between_the_scan_and_its_use(folder):
    listing = list_class_folders(folder)
    (folder / "dog" / "4 a.jpg").unlink()
    pool = prepare_listing(listing, Preparation())
    assert [(problem.kind, problem.path) for problem in pool.problems if problem.skipped] == [
        ("vanished", "dog/4 a.jpg")
    ]
    assert len(pool.images) == 11
    assert_right(pool, folder)


def test_a_damaged_picture_is_left_out_and_stays_known(folder):
    victim = folder / "dog" / "4 a.jpg"
    victim.write_bytes(victim.read_bytes()[:400])
    os.utime(victim, (LONG_AGO, LONG_AGO))
    for _ in range(2):
        pool = prepare(folder)
        (problem,) = [problem for problem in pool.problems if problem.skipped]
        assert (problem.kind, problem.path) == ("damaged", "dog/4 a.jpg")
        assert "truncated" in problem.reason
        assert len(pool.images) == 11
        assert_right(pool, folder)
    assert len(entries()) == 1


def test_limits_are_part_of_what_is_known(folder):
    Image.new("L", (300, 200)).save(folder / "cat" / "large.png")
    os.utime(folder / "cat" / "large.png", (LONG_AGO, LONG_AGO))
    assert len(prepare(folder).images) == 13
    strict = prepare(folder, limits=ImageLimits(pixels=10_000))
    assert len(strict.images) == 12
    assert strict.problems[0].kind == "too_large"
    assert len(prepare(folder).images) == 13


def test_other_sizes_are_other_entries(folder):
    for size in (8, (9, 7)):
        pool = prepare(folder, size=size, channels=1)
        assert pool.images.shape[1:] == (*(size if isinstance(size, tuple) else (8, 8)), 1)
        assert_right(pool, folder)
    assert len(entries()) == 2


def test_nothing_usable_is_one_line(folder):
    for path in folder.rglob("*.jpg"):
        path.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"none of 12 files can be used; the first, cat/0 a\.jpg"):
        prepare(folder)
    for path in folder.rglob("*.jpg"):
        path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    with pytest.raises(DataError, match="can be used"):
        prepare(folder)


def test_two_processes_at_once_find_the_same_and_leave_nothing_half_done(folder):
    script = (
        "import hashlib, sys\nfrom pathlib import Path\n"
        "from convolens.data.class_folders import list_class_folders\n"
        "from convolens.data.options import Preparation\n"
        "from convolens.data.preparing import prepare_listing\n"
        "pool = prepare_listing(list_class_folders(Path(sys.argv[1])), Preparation())\n"
        "print(hashlib.sha256(pool.images[:].tobytes()).hexdigest())\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert len(set(outputs)) == 1
    assert outputs[0]
    (entry,) = entries()  # no temporary folder beside it
    assert hashlib.sha256(prepare(folder).images[:].tobytes()).hexdigest() in outputs[0].decode()
    assert sorted(file.name for file in entry.iterdir()) == ["about.json", "pixels.npy", "rows.npy"]


def test_the_cache_is_bounded(folder, monkeypatch):
    needed = 12 * 45 * 45 * 3
    monkeypatch.setenv("CONVOLENS_CACHE_GB", str(0.5 * needed / GIGABYTE))
    with pytest.raises(DataError, match="choose a smaller size, or raise CONVOLENS_CACHE_GB"):
        prepare(folder)
    monkeypatch.setenv("CONVOLENS_CACHE_GB", str(2.2 * needed / GIGABYTE))
    sizes = (45, 44, 43)
    for age, size in enumerate(sizes):
        pool = prepare(folder, size=size)
        for entry in entries():
            os.utime(entry, (LONG_AGO + age, LONG_AGO + age))
    assert len(entries()) == 2  # the oldest made room
    assert_right(pool, folder)


@pytest.mark.parametrize("text", ["", "much", "-1", "0", "nan", "inf"])
def test_an_impossible_limit_is_one_line(tmp_path, monkeypatch, text):
    monkeypatch.setenv("CONVOLENS_CACHE_GB", text)
    with pytest.raises(ConfigError, match="CONVOLENS_CACHE_GB is"):
        make_room(tmp_path, 1)


def test_the_entry_used_longest_ago_goes_first(tmp_path, monkeypatch):
    for age, name in enumerate(("a", "b", "c")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pixels.npy").write_bytes(bytes(1_000))
        os.utime(tmp_path / name, (LONG_AGO + age, LONG_AGO + age))
    mark_used(tmp_path / "a")
    monkeypatch.setenv("CONVOLENS_CACHE_GB", str(2_500 / GIGABYTE))
    make_room(tmp_path, 1_200)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name in "abc") == ["a"]


def test_a_cache_that_cannot_be_written_to_says_what_to_do(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CONVOLENS_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="set CONVOLENS_CACHE to a folder that can be written to"):
        prepare(folder)


def test_an_entry_that_is_mapped_survives_its_removal(folder):
    pool = prepare(folder)
    before = pool.images[:]
    shutil.rmtree(entries()[0])
    assert np.array_equal(pool.images[:], before)


def test_the_entry_says_what_it_is(folder):
    pool = prepare(folder, size=16)
    (entry,) = entries()
    pixels = np.load(entry / "pixels.npy", mmap_mode="r")
    assert np.array_equal(pixels, pool.images[:])
    about = json.loads((entry / "about.json").read_text())
    assert about["shape"] == [12, 16, 16, 3]
    assert Path(sys.prefix).name not in json.dumps(about)
