"""Builders of Parquet tables, and short views of how they are listed."""

import json

import pytest

from convolens.data.parquet_table import list_parquet, read_embedded
from convolens.data.problems import PROBLEM_KINDS

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

STRUCT = pa.struct({"bytes": pa.binary(), "path": pa.string()})


def class_label(*names, column="label"):
    features = {column: {"names": list(names), "_type": "ClassLabel"}}
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


def write(path, columns, *, metadata=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(metadata), path, **options)
    return path


def pictures(*values):
    """Values as Hugging Face's struct of bytes and path."""
    rows = [v if isinstance(v, dict) or v is None else {"bytes": v, "path": None} for v in values]
    return pa.array(rows, STRUCT)


def entries(path, **options):
    listing = list_parquet(path, **options)
    names = [entry.name for entry in listing.entries]
    assert len(set(names)) == len(names)
    return [(e.name, e.label, e.split, e.row) for e in listing.entries]


def problems(path, **options):
    found = list_parquet(path, **options).problems
    assert {problem.kind for problem in found} <= set(PROBLEM_KINDS)
    assert all("\n" not in problem.reason for problem in found)
    return [(problem.kind, problem.path, problem.skipped) for problem in found]


def refused(error, path, text, **options):
    with pytest.raises(error, match=text) as caught:
        list_parquet(path, **options)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def stored(listing):
    """The bytes of each entry, read as training does."""
    for entry in listing.entries:
        ((row, content),) = read_embedded(entry.path, listing.image_column, [entry.row])
        assert row == entry.row
        yield content
