import json
import math
from pathlib import Path

import pytest

from convolens.errors import DataError
from convolens.files import read_json, replacing, sha256, write_json, write_text


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "note.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    for content in ("first", "second"):
        with replacing(target) as temporary:
            (temporary / "part").mkdir(parents=True)
            (temporary / "part" / f"{content}.txt").write_text(content)
    assert [path.name for path in (target / "part").iterdir()] == ["second.txt"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_folder_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with replacing(target) as temporary:
        temporary.mkdir()
        (temporary / "a.txt").write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(target) as temporary:
        temporary.mkdir()
        raise KeyboardInterrupt
    assert (target / "a.txt").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_json_has_no_nan_and_an_unwritten_file_does_not_appear(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "new" / "x.json", {"loss": math.nan})
    assert not (tmp_path / "new" / "x.json").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not valid JSON"),
        (b"[1]", "holds a list"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (None, "does not exist"),
    ],
)
def test_what_is_not_an_object_is_refused(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_json(path, error=DataError)


def test_json_round_trip_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"name": "Straße", "n": 1})
    assert read_json(path, error=DataError) == {"name": "Straße", "n": 1}
    assert json.loads(path.read_text(encoding="utf-8"))["n"] == 1
    empty = tmp_path / "empty"
    empty.touch()
    # The SHA-256 of nothing, from FIPS 180-4's test vectors.
    assert sha256(empty).startswith("e3b0c44298fc1c149afbf4c8996fb924")


def test_json_keeps_names_that_are_not_text(tmp_path):
    value = {"é": "a file's name: \udcff\udc80"}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json", error=DataError) == value
    write_json(tmp_path / "b.json", {"é": "plain"})
    assert "é" in (tmp_path / "b.json").read_text(encoding="utf-8")
