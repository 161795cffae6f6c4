"""``compare``: its keys, its words, and what it refuses."""

import shutil

import pytest

RUN_KEYS = {
    "run", "seeds", "accuracy", "accuracy_low", "accuracy_high", "accuracies", "parameters",
    "bytes", "train_seconds", "images_per_second", "trained_on",
}  # fmt: skip
DIFFERENCE_KEYS = {
    "other", "difference", "low", "high", "confidence", "told", "would_tell", "only_best",
    "only_other", "p_value", "method",
}  # fmt: skip


@pytest.fixture
def two(trained, tmp_path):
    run, _ = trained
    for name in ("one", "two"):
        shutil.copytree(run, tmp_path / name)


@pytest.mark.usefixtures("two")
def test_the_keys_are_those_that_the_help_names(convolens):
    ran = convolens("compare", "one", "two", "--json")
    assert ran.status == 0
    found = ran.json
    assert found.keys() == {"pictures", "n", "runs", "differences", "better", "verdict"}
    assert [each.keys() for each in found["runs"]] == [RUN_KEYS] * 2
    assert [each.keys() for each in found["differences"]] == [DIFFERENCE_KEYS]
    assert found["better"] is None
    words = convolens("compare", "--help").out
    for key in (RUN_KEYS | DIFFERENCE_KEYS | found.keys()) - {"run"}:
        assert key in words


@pytest.mark.usefixtures("two")
def test_it_says_what_it_judged_on_and_what_follows(convolens):
    ran = convolens("compare", "one", "two")
    assert ran.out.splitlines()[-1].startswith("It cannot be told whether")
    assert ran.err.startswith("judged on ")
    everything = convolens("compare", "one", "two", "--data", "digits", "--split", "all")
    assert "warning: one was trained on" in everything.err


@pytest.mark.usefixtures("two")
def test_what_is_refused(refused):
    assert "at least two runs; got 1" in refused("compare", "one")
    assert "given twice" in refused("compare", "one", "one")
    assert "three" in refused("compare", "one", "three")
    assert "options of a data set need a data set" in refused(
        "compare", "one", "two", "--size", "8"
    )
    assert "RUN" in refused("compare")
