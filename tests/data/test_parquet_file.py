"""Parquet files by themselves: streaming their bytes, reading their footers."""

import contextlib
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parquet_tables import (
    entries,
    pa,
    pictures,
    pq,
    write,
)

from convolens.data.parquet_footer import read_footer
from convolens.data.parquet_table import read_embedded
from convolens.errors import DataError


def test_bytes_are_streamed_in_bounded_memory(tmp_path):
    big = [bytes([value]) * 1_000_000 for value in range(100)]
    path = write(
        tmp_path / "big.parquet",
        {"image": big},
        compression="none",
        use_dictionary=False,
        data_page_size=1_000_000,
        write_batch_size=1,
    )
    del big
    highest = 0
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    for row, content in read_embedded(path, "image", range(100)):
        assert content == bytes([row]) * 1_000_000
        highest = max(highest, pa.total_allocated_bytes() - before)
    _, python_peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert highest < 40e6
    assert python_peak < 20e6


@settings(max_examples=30)
@given(
    values=st.lists(st.none() | st.binary(max_size=5), min_size=1, max_size=40),
    row_group_size=st.integers(1, 50),
    data=st.data(),
)
def test_any_rows_can_be_read(tmp_path_factory, values, row_group_size, data):
    path = tmp_path_factory.mktemp("parquet") / "t.parquet"
    write(path, {"image": pictures(*values)}, row_group_size=row_group_size)
    rows = sorted(data.draw(st.sets(st.integers(0, len(values) - 1))))
    assert list(read_embedded(path, "image", rows)) == [(row, values[row]) for row in rows]


@pytest.mark.parametrize("statistics", [True, False])
def test_a_file_without_statistics_is_taken_at_its_word(tmp_path, statistics):
    path = write(
        tmp_path / "t.parquet",
        {"image": [b"x", None], "label": ["a", "b"]},
        write_statistics=statistics,
    )
    assert len(entries(path)) == (1 if statistics else 2)
    assert list(read_embedded(path, "image", [0, 1])) == [(0, b"x"), (1, None)]


@settings(max_examples=30)
@given(
    values=st.lists(st.none() | st.binary(max_size=3), min_size=1, max_size=30),
    row_group_size=st.integers(1, 40),
    compression=st.sampled_from(["none", "snappy", "zstd"]),
)
def test_the_footer_says_what_pyarrow_says(tmp_path_factory, values, row_group_size, compression):
    path = tmp_path_factory.mktemp("parquet") / "t.parquet"
    columns = {"image": pictures(*values), "n": pa.array(range(len(values)), pa.int32())}
    write(path, columns, row_group_size=row_group_size, compression=compression)
    theirs = pq.ParquetFile(path).metadata
    ours = read_footer(path)
    assert [group.n_rows for group in ours] == [
        theirs.row_group(number).num_rows for number in range(theirs.num_row_groups)
    ]
    for number, group in enumerate(ours):
        chunks = [theirs.row_group(number).column(i) for i in range(theirs.num_columns)]
        assert [(name, c.n_missing, c.n_bytes) for name, c in group.columns.items()] == [
            (c.path_in_schema, c.statistics.null_count, c.total_uncompressed_size) for c in chunks
        ]


@given(st.binary(max_size=60), st.binary(max_size=8))
def test_no_footer_does_worse_than_an_error(tmp_path_factory, footer, before):
    path = tmp_path_factory.mktemp("parquet") / "t.parquet"
    path.write_bytes(b"PAR1" + before + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    with contextlib.suppress(DataError):
        assert all(group.n_rows >= 0 for group in read_footer(path))
    # Structs inside structs, without end.
    path.write_bytes(b"\x1c" * 100_000 + (100_000).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(DataError, match="its footer is damaged"):
        read_footer(path)


@settings(max_examples=200)
@given(position=st.integers(0), byte=st.integers(0, 255))
def test_a_changed_byte_in_the_footer_is_an_error_or_nothing(one_file, position, byte):
    whole, path = one_file
    length = int.from_bytes(whole[-8:-4], "little")
    changed = bytearray(whole)
    changed[-1 - position % (length + 8)] = byte
    path.write_bytes(changed)
    with contextlib.suppress(DataError):
        for group in read_footer(path):
            assert group.n_rows >= 0


@pytest.fixture(scope="module")
def one_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("parquet") / "t.parquet"
    columns = {"image": pictures(b"x", None, b"y"), "label": ["a", "b", None]}
    whole = write(path, columns, row_group_size=2).read_bytes()
    return whole, path
