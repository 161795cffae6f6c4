import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.config import choose, did_you_mean, from_dict, to_dict
from convolens.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: tuple[int, int] = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    rate: float = 0.5
    inner: Inner = Inner()


@given(
    st.text(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.tuples(st.integers(), st.integers()),
)
def test_settings_survive_json(name: str, rate: float, size: tuple[int, int]) -> None:
    settings = Outer(name=name, rate=rate, inner=Inner(size=size))
    assert from_dict(Outer, json.loads(json.dumps(to_dict(settings)))) == settings


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"nmae": "x"}, "file.json: unknown key 'nmae'; did you mean 'name'"),
        ({}, "file.json: name: field required"),
        ({"name": "x", "rate": "fast"}, r"file.json: rate: .*got 'fast'"),
        ({"name": "x", "inner": {"size": [1]}}, "file.json: inner.size"),
    ],
)
def test_what_does_not_fit_is_named(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict(Outer, mapping, source="file.json")


def test_numpy_values_and_paths_become_json() -> None:
    @dataclass(frozen=True)
    class Result:
        matrix: Any
        path: Path
        scores: dict[str, Any]

    result = Result(np.eye(2, dtype=np.int64), Path("a") / "b", {"x": np.float32(0.5)})
    assert json.loads(json.dumps(to_dict(result))) == {
        "matrix": [[1, 0], [0, 1]],
        "path": str(Path("a") / "b"),
        "scores": {"x": 0.5},
    }


def test_choosing_names_what_there_is() -> None:
    assert choose("fruit", "fig", {"fig": 1, "plum": 2}) == 1
    with pytest.raises(ConfigError, match="unknown fruit 'plmu'; did you mean 'plum'"):
        choose("fruit", "plmu", {"fig": 1, "plum": 2})
    assert did_you_mean("zzz", ["fig", "plum"]) == "; allowed: fig, plum"
