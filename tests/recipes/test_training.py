"""What ``train`` and ``resume`` do beside training: budgets, progress, refusals before work."""

import json
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.errors import ConfigError, ExtraMissing
from convolens.recipes import resume, train
from convolens.recipes.budgets import choose_budget
from convolens.training import load_run
from convolens.training.budget import Budget


@given(st.floats(1, 1e6), st.floats(-1e6, 1e6))
def test_a_budget_is_the_seconds_that_are_written(seconds, started):
    for written in (seconds, f"{seconds:.6f}s", f"{seconds:.6f}"):
        made = choose_budget(written, started=started)
        assert made.seconds == pytest.approx(seconds, rel=1e-5)
        assert made.started == started
    assert choose_budget(made) is made


@pytest.mark.parametrize("budget", ["abc", "", "0", "off", "0.99s", "-5s", 0, -1, 0.5, "inf"])
def test_what_is_no_budget_is_said(budget):
    with pytest.raises(ConfigError, match=r"^--budget is .*; allowed: at least 1 second, such as"):
        choose_budget(budget, "--budget")


def test_a_run_with_a_budget_remembers_it_and_counts_its_epochs(tmp_path):
    # Most of an hour is over, so that little is left and starting late cannot use it up.
    late = Budget(seconds=3600.0, started=time.perf_counter() - 3592.0)
    run = train("digits", budget=late, path=tmp_path / "run", progress=False)
    assert run.record["budget_seconds"] == 3600.0
    assert run.results["epochs"] == pytest.approx(run.history[-1]["step"] / 23, abs=1e-3)
    assert run.results["total_seconds"] > 3592.0
    assert train("digits", epochs=0.1, path=tmp_path / "b", progress=False).record[
        "budget_seconds"
    ] is None  # fmt: skip


def test_progress_is_told_once_and_as_asked(tmp_path, capsys):
    train("digits", epochs=0.2, path=tmp_path / "a", progress="jsonl")
    lines = capsys.readouterr().err.splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert events[:2] == ["data_checked", "run_started"]
    assert events[-1] == "run_ended"
    train("digits", epochs=0.2, path=tmp_path / "b", progress="none")
    assert capsys.readouterr() == ("", "")
    resume(tmp_path / "b", progress="none")
    assert capsys.readouterr() == ("", "")
    resume(tmp_path / "b")
    assert capsys.readouterr().err.count("is complete") == 1


def test_a_run_has_its_steps(tmp_path):
    run = train("digits", epochs=0.2, path=tmp_path / "a", progress=False)
    steps = load_run(tmp_path / "a").steps
    assert steps == run.steps
    assert [entry["step"] for entry in steps] == sorted(entry["step"] for entry in steps)
    (rate,) = [ax for ax in run.plot_learning_curves().axes if "rate" in ax.get_ylabel()]
    assert len(rate.lines[0].get_xdata()) == len(steps)
    for share, said in [(1.0, False), (0.5, True)]:
        recipe = {**run.record["recipe"], "hardest_share": share}
        mined = replace(run, record={**run.record, "recipe": recipe})
        below = mined.plot_learning_curves().axes[-1].get_xlabel()
        assert ("of the hardest pictures" in below) is said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 2, "budget": 60}, "epochs and budget both say how long to train"),
        ({"budget": "soon"}, "budget is 'soon'; allowed: at least 1 second"),
        ({"progress": "jsnl"}, "unknown progress 'jsnl'; did you mean 'jsonl'"),
    ],
)
def test_mistakes_are_said_before_anything_is_read(tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        train("nothing", path=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_a_missing_extra_names_itself_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ExtraMissing, match=r'pip install "convolens\[tensorboard\]"'):
        train("nothing", path=tmp_path / "run", tensorboard=True)
    with pytest.raises(ExtraMissing, match="tensorboard is not installed"):
        resume(tmp_path / "run", tensorboard=True)
