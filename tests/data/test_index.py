"""What is kept of a data set's files: found again, never mistaken, given up without harm."""

import os
import sqlite3

import pytest

from convolens.data.index import Stamp, Survey, SurveyIndex, picture_key, root_digest, stamp_of
from convolens.images import ImageFacts, ImageLimits

LIMITS = ImageLimits()
FACTS = ImageFacts(format="PNG", height=3, width=4, channels=1)
OLD = Stamp(changed=10**18, digest=bytes(16))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVOLENS_CACHE", str(tmp_path / "cache"))


def surveys(n):
    good = (Survey(sha256=bytes([k % 256] * 32), facts=FACTS) for k in range(n - 1))
    named = {picture_key(f"{number}.png"): survey for number, survey in enumerate(good)}
    return {**named, picture_key("bad"): Survey(verdict="damaged", reason="\udcff cut off")}


def keep(index, found):
    index.keep((key, "cat", OLD, survey) for key, survey in found.items())


def recall(index, keys, stamp=OLD):
    return list(index.known((key, stamp) for key in keys))


def test_what_was_kept_is_known_for_the_same_stamp_only(tmp_path):
    found = surveys(1_234)
    first = SurveyIndex(tmp_path, LIMITS)
    keep(first, found)
    first.close()
    index = SurveyIndex(tmp_path, LIMITS)
    for key, known in zip(found, recall(index, found), strict=True):
        assert known is not None
        assert (known.verdict, known.sha256) == (found[key].verdict, found[key].sha256)
        assert known.facts == found[key].facts
    assert recall(index, [b"another"]) == [None]
    changed = Stamp(changed=OLD.changed, digest=bytes(15) + b"x")
    assert set(recall(index, found, changed)) == {None}
    index.close()


def test_pictures_of_one_file_differ_by_row_and_column():
    places = [("t", None, None), ("t", 0, "a"), ("t", 1, "a"), ("t", 0, "b"), ("t0a", None, None)]
    assert len({picture_key(*place) for place in places}) == len(places)


def test_other_limits_take_nothing_away(tmp_path):
    """Two runs at once, of which each opened its index before the other wrote."""
    lenient = SurveyIndex(tmp_path, LIMITS)
    strict = SurveyIndex(tmp_path, ImageLimits(pixels=5))
    keep(lenient, surveys(3))
    assert set(recall(strict, surveys(3))) == {None}
    keep(strict, {picture_key("0.png"): Survey(verdict="too_large", reason="12 pixels")})
    assert recall(lenient, [picture_key("0.png")])[0].verdict == ""
    for index in (lenient, strict):
        index.close()
    again = SurveyIndex(tmp_path, LIMITS)
    assert None not in recall(again, surveys(3))
    again.close()


@pytest.mark.parametrize("page", range(1, 36, 3))
def test_overwritten_bytes_are_never_an_error_nor_a_wrong_answer(tmp_path, page):
    found = surveys(1_500)
    index = SurveyIndex(tmp_path, LIMITS)
    keep(index, found)
    index.close()
    content = bytearray(index.path.read_bytes())
    assert len(content) > 36 * 4096
    for byte in (0, 255):
        content[page * 4096 : page * 4096 + 700] = bytes([byte]) * 700
        index.path.write_bytes(content)
        index = SurveyIndex(tmp_path, LIMITS)
        for key, known in zip(found, recall(index, found), strict=True):
            assert known is None or (known.verdict, known.sha256, known.facts) == (
                *(found[key].verdict, found[key].sha256),
                found[key].facts,
            )
        index.forget_surplus(1_500)
        keep(index, found)
        index.close()
        # And it has recovered.
        index = SurveyIndex(tmp_path, LIMITS)
        assert None not in recall(index, found)
        index.close()


def test_one_wrong_bit_in_a_row_is_noticed(tmp_path):
    found = surveys(200)
    index = SurveyIndex(tmp_path, LIMITS)
    keep(index, found)
    index.close()
    content = index.path.read_bytes()
    assert content.count(bytes([77] * 32)) == 1
    index.path.write_bytes(content.replace(bytes([77] * 32), bytes([77] * 31 + [76])))
    index = SurveyIndex(tmp_path, LIMITS)
    assert recall(index, [picture_key("77.png")]) == [None]
    assert None not in recall(index, [picture_key("76.png")])
    index.close()


def test_a_file_that_another_process_has_locked_is_done_without_and_stays(tmp_path):
    found = surveys(5)
    index = SurveyIndex(tmp_path, LIMITS)
    keep(index, found)
    other = sqlite3.connect(index.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    locked = SurveyIndex(tmp_path, LIMITS, patience=0)
    assert recall(locked, found) == [None] * 5
    keep(locked, found)
    locked.forget_surplus(5)
    locked.close()
    index.close()
    other.execute("ROLLBACK")
    other.close()
    index = SurveyIndex(tmp_path, LIMITS)
    assert None not in recall(index, found)
    index.close()


def test_no_index_is_no_harm(tmp_path):
    index = SurveyIndex(tmp_path, LIMITS)
    index.close()
    index.path.unlink()
    index.path.mkdir()
    for _ in range(2):
        index = SurveyIndex(tmp_path, LIMITS)
        keep(index, surveys(5))
        assert recall(index, surveys(5)) == [None] * 5
        index.close()
    assert index.path.is_dir()


def test_a_stamp_takes_any_time_and_tells_files_apart(tmp_path):
    one, other = tmp_path / "1", tmp_path / "2"
    for path in (one, other):
        path.write_bytes(b"same size")
        os.utime(path, ns=(10**18, 10**18))
    assert stamp_of(one.stat()) == stamp_of(one.stat())
    assert stamp_of(one.stat()) != stamp_of(other.stat())
    far = Stamp(changed=-(2**70), digest=b"far away".ljust(16))
    index = SurveyIndex(tmp_path, LIMITS)
    index.keep([(b"1", "cat", far, Survey(sha256=bytes(32), facts=FACTS))])
    assert recall(index, [b"1"], far)[0].facts == FACTS
    index.close()


def test_a_root_has_one_digest_and_a_link_to_a_table_its_own(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "t.csv").touch()
    (tmp_path / "t.csv").symlink_to(tmp_path / "a" / "t.csv")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    table = root_digest(tmp_path / "a" / "t.csv")
    assert root_digest(tmp_path / "b" / "t.csv") == table
    assert root_digest(tmp_path / "t.csv") != table
    assert root_digest(tmp_path / "b") == root_digest(tmp_path / "a")
    monkeypatch.chdir(tmp_path / "a")
    assert root_digest(type(tmp_path)("t.csv")) == table
    assert root_digest(type(tmp_path)(".")) == root_digest(tmp_path / "a")
