"""Pictures on disk behave as the array that they are."""

import mmap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data import Dataset, Split, StoredImages, fit_preprocessing, image_chunks, select
from convolens.data.stored import map_chunks
from convolens.errors import DataError

PIXELS = np.random.default_rng(3).integers(0, 256, (9, 4, 5, 3), dtype=np.uint8)

indices = st.one_of(
    st.integers(-4, 3),
    st.slices(4),
    st.lists(st.integers(-4, 3), max_size=6).map(lambda rows: np.array(rows, dtype=np.int64)),
    st.lists(st.booleans(), min_size=4, max_size=4).map(np.array),
)


@given(st.lists(st.integers(0, 8), min_size=4, max_size=4), indices, indices)
def test_indexing_is_that_of_the_array(rows, index, further):
    stored, array = StoredImages(PIXELS, np.array(rows)), PIXELS[rows]
    assert np.array_equal(stored[index], array[index])
    assert not stored[index].flags.writeable
    if not isinstance(index, int):
        assert np.array_equal(np.asarray(stored.select(index)), array[index])
        assert np.array_equal(np.asarray(select(stored, index)), select(array, index))
    assert (len(stored), stored.shape, stored.nbytes) == (4, array.shape, array.nbytes)
    assert np.array_equal(np.stack(list(stored)), array)


@pytest.mark.parametrize("n_bytes", [1, 60, 61, 179, 10_000])
def test_chunks_are_bounded_and_complete(n_bytes):
    for images in (PIXELS, StoredImages(PIXELS)):
        chunks = list(image_chunks(images, n_bytes))
        assert np.array_equal(np.concatenate(chunks), PIXELS)
        assert all(chunk.nbytes <= max(60, n_bytes) for chunk in chunks)


def test_what_is_no_row_is_refused():
    for rows in ([9], [-1], [0, 12]):
        with pytest.raises(DataError, match="allowed: 0 to 8"):
            StoredImages(PIXELS, np.array(rows))
    for array in (PIXELS.astype(float), PIXELS[0], PIXELS[:, ::2]):
        with pytest.raises(DataError, match="allowed"):
            StoredImages(array)


def test_a_data_set_on_disk_is_the_same_data_set():
    labels = np.arange(9) % 3
    stored = Split(StoredImages(PIXELS), labels)
    memory = Split(PIXELS, labels)
    one, other = (
        Dataset("a", part, part.select(slice(0, 3)), None, ("x", "y", "z"), "here")
        for part in (stored, memory)
    )
    assert one.fingerprint == other.fingerprint
    assert one.shape == other.shape
    for kind in ("per_pixel", "per_channel"):
        fitted = [fit_preprocessing(kind, part.images) for part in (stored, memory)]
        assert np.array_equal(fitted[0].mean, fitted[1].mean)
        assert np.array_equal(fitted[0].std, fitted[1].std)


def test_names_follow_their_pictures():
    split = Split(PIXELS, np.zeros(9, np.int64), [f"p{n}" for n in range(9)])
    assert split.select(np.array([5, 2])).names == ["p5", "p2"]
    assert split.select(slice(7, None)).name_of(1) == "p8"
    with pytest.raises(DataError, match="9 images with 2 names"):
        Split(PIXELS, np.zeros(9, np.int64), ["a", "b"])


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="the system has no such advice")
@pytest.mark.parametrize("in_passing", [True, False])
def test_pages_are_handed_back(tmp_path, monkeypatch, in_passing):
    """Reading a large file through a mapping leaves little of it in this process."""
    monkeypatch.setenv("CONVOLENS_MEMORY_GB", "0.25")
    path = tmp_path / "pixels"
    shape = (6_000, 256, 256, 1)  # 393 MB, sparse on disk
    with path.open("wb") as file:
        file.truncate(int(np.prod(shape)))
    with path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    pixels = np.frombuffer(mapping, np.uint8).reshape(shape)
    images = StoredImages(pixels, mapping=mapping)
    before = mapped_kilobytes()
    for start in range(0, 6_000, 500):
        part = slice(start, start + 500)
        assert images[part if in_passing else np.arange(6_000)[part]].sum() == 0
    assert mapped_kilobytes() - before < 300_000


def mapped_kilobytes():
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["RssFile"].split()[0])


def test_what_fails_in_a_chunk_is_raised():
    def broken(chunk):
        raise ZeroDivisionError(len(chunk))

    with pytest.raises(ZeroDivisionError):
        list(map_chunks(broken, StoredImages(PIXELS), 60))


@pytest.mark.parametrize("n_bytes", [1, 130, 10_000])
def test_chunks_that_are_worked_on_together_come_in_order(n_bytes):
    sums = list(map_chunks(lambda chunk: chunk.sum(axis=(1, 2, 3)), StoredImages(PIXELS), n_bytes))
    assert np.array_equal(np.concatenate(sums), PIXELS.sum(axis=(1, 2, 3)))
