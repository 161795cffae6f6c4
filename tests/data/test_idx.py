import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from convolens.data import read_idx
from convolens.errors import DataError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def idx_bytes(array):
    head = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim])
    big = array.astype(array.dtype.newbyteorder(">"))
    return head + struct.pack(f">{array.ndim}I", *array.shape) + big.tobytes()


@pytest.fixture
def refused(tmp_path):
    def check(content, text):
        path = tmp_path / "some-images"
        path.write_bytes(content)
        with pytest.raises(DataError, match=text) as caught:
            read_idx(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    return check


@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda code: hnp.arrays(np.dtype(code), hnp.array_shapes(max_dims=4, max_side=5))
    ),
    packed=st.booleans(),
)
def test_what_was_written_is_read(tmp_path_factory, array, packed):
    path = tmp_path_factory.mktemp("idx") / "values"
    path.write_bytes(gzip.compress(idx_bytes(array)) if packed else idx_bytes(array))
    read = read_idx(path)
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype
    assert read.dtype.isnative


def test_the_content_decides_whether_it_is_packed(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(idx_bytes(PIXELS))
    np.testing.assert_array_equal(read_idx(path), PIXELS)


@pytest.mark.parametrize("packed", [False, True])
def test_every_truncation_is_refused(refused, packed):
    whole = gzip.compress(idx_bytes(PIXELS)) if packed else idx_bytes(PIXELS)
    for length in range(len(whole)):
        refused(whole[:length], "truncated|not an IDX file|damaged")


def test_bytes_after_the_end_are_refused(refused):
    refused(idx_bytes(PIXELS) + b"\0", "has bytes after the 24 that its head promises")
    refused(gzip.compress(idx_bytes(PIXELS) + b"\0"), "has bytes after")
    refused(gzip.compress(idx_bytes(PIXELS)) + b"junk", "gzip data is damaged")


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (b"", "starts with nothing"),
        (b"\x89PNG\r\n\x1a\n", "not an IDX file: starts with 89 50 4e 47; allowed: 00 00"),
        (b"\0\0\x0a\1\0\0\0\1\0", "not an IDX file"),
        (b"\0\0\x08\0\0", "not an IDX file"),
        (b"\0\1\x08\1\0\0\0\1\0", "not an IDX file"),
        (b"\0\0\x08\3\0\0\0\1", "ends inside its head"),
        (b"\0\0\x08\2\0\0\0\0\0\0\0\1", "none of them 0"),
        (b"\0\0\x08\x09" + b"\0\0\0\1" * 9 + b"\0", "1 to 8 axes"),
    ],
)
def test_other_files_are_refused(refused, head, text):
    refused(head, text)


def test_a_head_cannot_make_us_take_memory(refused):
    # 3 GiB are promised (allowed) but not there: only what is there is ever held.
    refused(b"\0\0\x08\1\xc0\0\0\0" + b"abc", "holds 3 bytes of values but its head promises")
    refused(b"\0\0\x0e\3" + b"\xff" * 12, "at most 4 GiB are read")


def test_a_changed_byte_in_a_packed_file_is_noticed(refused):
    whole = gzip.compress(idx_bytes(np.zeros((2, 300), np.uint8)), mtime=0)
    for position in range(10, len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 0x55
        refused(bytes(changed), "some-images")


def test_what_is_no_file(tmp_path):
    with pytest.raises(DataError, match="nothing does not exist"):
        read_idx(tmp_path / "nothing")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_idx(tmp_path)
