"""Ctrl-C in the last step of a run: that run counts, and no other begins."""

import json
import signal

import numpy as np
import pytest

from convolens.data import load_data, write_split_file
from convolens.errors import ConfigError
from convolens.experiments import cross_validate, repeat_training, tune
from convolens.experiments.folder import open_folder
from convolens.training.events import EpochDone, RunStarted


class StopsInTheLastStep:
    """Interrupts the process when a run has just judged its last epoch."""

    def __init__(self, run=1):
        self.run = run
        self.runs = self.steps = 0

    def __call__(self, event):
        if isinstance(event, RunStarted):
            self.runs, self.steps = self.runs + 1, event.steps
        elif isinstance(event, EpochDone) and event.step == self.steps and self.runs == self.run:
            signal.raise_signal(signal.SIGINT)


def test_a_cross_validation_stops_and_goes_on(arrays, recipe, tmp_path):
    options = {"folds": 2, "path": tmp_path / "cv"}
    stopped = cross_validate(arrays, recipe, on_event=(watch := StopsInTheLastStep()), **options)
    assert (stopped.status, watch.runs) == ("interrupted", 1)
    assert [run.status for run in stopped.runs] == ["completed"]
    said = []
    done = cross_validate(arrays, recipe, resume=True, say=said.append, **options)
    assert done.status == "completed"
    assert said[0] == "1 of 2 were done before and are kept"


def test_the_last_run_of_all_completes_the_whole(arrays, recipe, tmp_path):
    options = {"seeds": 2, "path": tmp_path / "seeds"}
    watch = StopsInTheLastStep(run=2)
    done = repeat_training(load_data(arrays), recipe, on_event=watch, **options)
    assert (done.status, watch.runs, len(done.runs)) == ("completed", 2, 2)


def test_a_search_keeps_the_trial_that_was_complete(arrays, recipe, tmp_path):
    options = {"trials": 3, "epochs": 0.5, "path": tmp_path / "tune"}
    stopped = tune(arrays, recipe, on_event=(watch := StopsInTheLastStep()), **options)
    assert (stopped.status, watch.runs) == ("interrupted", 1)
    assert [trial.status for trial in stopped.trials] == ["completed"]
    # Between two rungs of a trial it is no complete one, and is made again.
    halves = {**options, "epochs": 6, "path": tmp_path / "rungs"}
    stopped = tune(arrays, recipe, on_event=(watch := StopsInTheLastStep()), **halves)
    assert (stopped.status, watch.runs, stopped.trials) == ("interrupted", 1, ())


def test_an_interrupt_outside_every_run_knows_the_folder(tmp_path):
    with open_folder(tmp_path / "cv", "cv.json", kind="cv", data="d", resume=False) as folder:
        folder.begin({}, "fingerprint")
        with pytest.raises(KeyboardInterrupt) as stop, folder.status_of_failure():
            raise KeyboardInterrupt
    assert stop.value.path == tmp_path / "cv"
    assert json.loads((tmp_path / "cv/cv.json").read_text())["status"] == "interrupted"


def test_a_split_file_with_another_content_is_refused(arrays, recipe, tmp_path):
    file = tmp_path / "split.csv"
    np.savez(tmp_path / "digits.npz", images=arrays[0], labels=arrays[1])
    write_split_file(file, load_data(tmp_path / "digits.npz"))
    options = {"trials": 1, "epochs": 0.2, "path": tmp_path / "tune"}
    tune(tmp_path / "digits.npz", recipe, split_file=file, **options)
    moved = file.rename(tmp_path / "moved.csv")
    tune(tmp_path / "digits.npz", recipe, split_file=moved, **options)
    write_split_file(moved, load_data(tmp_path / "digits.npz", seed=1))
    with pytest.raises(ConfigError, match="was begun with division split_file_sha256"):
        tune(tmp_path / "digits.npz", recipe, split_file=moved, **options)
