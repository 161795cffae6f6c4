"""Experiments go on from the last checkpoint of the run at which they were killed."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convolens.config import to_dict
from convolens.data import load_data
from convolens.errors import ConfigError
from convolens.experiments import cross_validate, load_cross_validation, repeat_training
from convolens.files import write_json
from convolens.training import load_run
from convolens.training.cadence import EverySteps
from convolens.training.events import read_events

SCRIPT = Path(__file__).with_name("killed_in_a_fold.py")


def test_a_fold_that_was_killed_goes_on_from_its_checkpoint(arrays, recipe, tmp_path):
    data, killed = tmp_path / "digits.npz", tmp_path / "killed"
    np.savez(data, images=arrays[0], labels=arrays[1])
    longer = replace(recipe, epochs=2)
    write_json(tmp_path / "recipe.json", to_dict(longer))
    done = subprocess.run(
        [sys.executable, SCRIPT, killed, data, tmp_path / "recipe.json"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert json.loads((killed / "cv.json").read_text())["status"] == "running"
    assert load_run(killed / "fold-2-of-3").status == "running"
    resumed = cross_validate(data, longer, folds=3, path=killed, resume=True)
    whole = cross_validate(data, longer, folds=3, path=tmp_path / "whole", checkpoint_every="off")
    assert [part["step"] for part in resumed.runs[1].record["resumed"]] == [4]
    assert "resumed" not in resumed.runs[0].record
    np.testing.assert_array_equal(
        resumed.out_of_fold().probabilities, whole.out_of_fold().probabilities
    )
    for mine, theirs in zip(resumed.runs, whole.runs, strict=True):
        weights = [run.path / "model/weights.safetensors" for run in (mine, theirs)]
        assert weights[0].read_bytes() == weights[1].read_bytes()


def test_one_picture_is_drawn_of_all_folds_and_none_of_each(arrays, recipe, tmp_path):
    done = cross_validate(arrays, recipe, folds=2, path=tmp_path / "cv")
    assert (done.path / "cv.png").read_bytes().startswith(b"\x89PNG")
    assert not list(done.path.glob("fold-*/figures"))
    (axes,) = load_cross_validation(done.path).plot().axes
    drawn = [line for line in axes.lines if line.get_marker() == "o"]
    accuracies = [entry["accuracy"] for entry in done.record["runs"]]
    assert drawn[0].get_ydata() == pytest.approx(accuracies)
    assert f"mean {100 * done.accuracy:.2f} %" in axes.get_title(loc="left")


def test_how_runs_are_carried_out_reaches_them(arrays, recipe, tmp_path):
    done = repeat_training(
        load_data(arrays),
        recipe,
        seeds=1,
        path=tmp_path / "seeds",
        checkpoint_every=EverySteps(3),
        budget="1s",
        tensorboard=True,
        at_once=1,
    )
    (run,) = done.runs
    assert run.record["budget_seconds"] == done.record["settings"]["budget_seconds"] == 1.0
    assert list((run.path / "tensorboard/validation").iterdir())
    with pytest.raises(ConfigError, match=r"was begun with budget_seconds 1\.0 and not null"):
        repeat_training(load_data(arrays), recipe, seeds=1, path=tmp_path / "seeds", at_once=1)


def test_workers_write_checkpoints_too(arrays, recipe, tmp_path):
    with pytest.raises(ConfigError, match="must be a text or seconds where several runs go at onc"):
        cross_validate(
            arrays, recipe, folds=2, path=tmp_path / "a", at_once=2, checkpoint_every=EverySteps(1)
        )
    longer = replace(recipe, epochs=4)
    cross_validate(arrays, longer, folds=2, path=tmp_path / "b", at_once=2, checkpoint_every=0.001)
    events = [
        event["event"]
        for path in (tmp_path / "b").glob("fold-*/metrics.jsonl")
        for event in read_events(path)
    ]
    assert "checkpoint_saved" in events
