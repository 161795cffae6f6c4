"""``cv`` and ``tune``: keys, streams, refusals; and both killed in the middle."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import convolens as cl
from convolens.config import to_dict
from convolens.experiments import find_recipe
from convolens.files import write_json
from convolens.recipes import fast

CV_KEYS = {
    "run", "data", "recipe", "status", "folds", "repeats", "seed", "n", "accuracy",
    "accuracy_deviation", "accuracy_low", "accuracy_high", "interval", "pooled_accuracy",
    "pooled_low", "pooled_high", "pooled_interval", "log_loss", "ece", "train_seconds",
    "total_seconds", "per_fold", "label_errors", "label_noise", "label_errors_file",
}  # fmt: skip
FOLD_KEYS = {
    "repeat", "fold", "run", "seed", "n_train", "n_validation", "n_test", "accuracy",
    "val_accuracy", "best_epoch", "train_seconds", "total_seconds",
}  # fmt: skip
TUNE_KEYS = {
    "run", "data", "recipe", "seed", "status", "trials", "completed", "halted", "failed",
    "seconds", "own_val_accuracy", "best", "command",
}  # fmt: skip
BEST_KEYS = {"trial", "settings", "val_accuracy", "val_loss", "epochs", "recipe_file"}


@pytest.fixture
def small(convolens, tmp_path):
    """Two files in the folder where commands run: few digits, and a recipe that learns little."""
    bunch = load_digits(n_class=4)
    images = np.rint(bunch.images[:120] * (255 / 16)).astype(np.uint8)
    np.savez(tmp_path / "few.npz", images=images, labels=bunch.target[:120])
    recipe = replace(fast(epochs=1), arguments={"width": 4}, precision="float32", batch_size=16)
    write_json(tmp_path / "small.json", to_dict(recipe))


def killed_after(folder, words, *arguments):
    """Run a command until its standard error begins a line with some words, and kill it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "convolens", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        line = ""
        while not line.startswith(words):
            line = process.stderr.readline()
            assert line, f"it ended before it said {words!r}"
        process.send_signal(signal.SIGKILL)


def test_cv_has_the_keys_that_its_help_names(convolens, small, tmp_path):
    command = ["cv", "few.npz", "--folds", 2, "--recipe", "small.json"]
    ran = convolens(*command, "--json")
    assert (ran.status, ran.json.keys(), ran.json["per_fold"][0].keys()) == (
        0,
        CV_KEYS,
        FOLD_KEYS,
    )
    assert ran.json["run"] == "runs/few-cv-1"
    assert "fold 1 of 2: " in ran.err
    assert (tmp_path / "runs/few-cv-1/fold-2-of-2/run.json").is_file()
    said = " ".join(convolens("cv", "--help").out.split())
    assert all(key in said for key in CV_KEYS | FOLD_KEYS)
    again = convolens(*command, "--run", "runs/few-cv-1", "--resume")
    assert "2 of 2 were done before and are kept" in again.err
    assert again.out.startswith(f"accuracy {ran.json['accuracy']:.2%}, 95 % interval ")
    assert again.out.endswith("run: runs/few-cv-1\n")


def test_cv_killed_between_folds_ends_in_the_same_bits(convolens, small, tmp_path):
    command = ["cv", "few.npz", "--folds", "3", "--repeats", "2", "--recipe", "small.json"]
    killed_after(tmp_path, "repeat 1, fold 2 of 3: ", *command, "--run", "killed")
    record = json.loads((tmp_path / "killed/cv.json").read_text())
    assert record["status"] == "running"
    kept = [entry["run"] for entry in record["runs"]]
    assert kept[:2] == ["repeat-1/fold-1", "repeat-1/fold-2"]
    before = (tmp_path / "killed" / kept[0] / "run.json").read_bytes()
    resumed = convolens(*command, "--run", "killed", "--resume", "--json")
    whole = convolens(*command, "--run", "whole", "--json")
    assert (tmp_path / "killed" / kept[0] / "run.json").read_bytes() == before
    for name in ("out_of_fold.npz", *(f"{run}/model/weights.safetensors" for run in kept)):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    figures = ("accuracy", "accuracy_low", "pooled_accuracy", "log_loss", "ece")
    assert [resumed.json[key] for key in figures] == [whole.json[key] for key in figures]


def test_tune_killed_between_trials_makes_none_twice(convolens, small, tmp_path):
    command = ["tune", "few.npz", "--trials", "4", "--recipe", "small.json", "--epochs", "2"]
    killed_after(tmp_path, "trial 2: ", *command, "--run", "killed")
    resumed = convolens(*command, "--run", "killed", "--json")
    whole = convolens(*command, "--run", "whole", "--json")
    assert (resumed.json.keys(), resumed.json["best"].keys()) == (TUNE_KEYS, BEST_KEYS)
    said = " ".join(convolens("tune", "--help").out.split())
    assert all(key in said for key in TUNE_KEYS | BEST_KEYS)
    lines = []
    for run in ("killed", "whole"):
        text = (tmp_path / run / "trials.jsonl").read_text()
        trials = [json.loads(line) for line in text.splitlines()]
        for entry in trials:
            for rung in entry["rungs"]:
                del rung["seconds"]
        lines.append(trials)
    assert lines[0] == lines[1]
    assert [entry["trial"] for entry in lines[0]] == [1, 2, 3, 4]
    assert resumed.json["best"]["settings"] == whole.json["best"]["settings"]


def test_what_tune_found_can_be_used(convolens, small, tmp_path):
    ran = convolens(
        "tune", "few.npz", "--budget", "0.001s", "--recipe", "small.json", "--run", "found",
        "--split-seed", 3,
    )  # fmt: skip
    assert ran.status == 0, ran
    assert "1 trials: 1 in full, 0 halted, 0 failed" in ran.out
    assert "  convolens train few.npz --recipe found/best.json (with the same options" in ran.out
    judged = convolens("cv", "few.npz", "--folds", 2, "--recipe", "found/best.json", "--json")
    assert judged.json["recipe"] == "fast-tuned"
    run = cl.train(cl.load_data("few.npz"), find_recipe("found/best.json"), progress=False)
    assert str(run.path) == "runs/few-fast-tuned-1"


def test_another_network_is_judged_by_folds(convolens, small, tmp_path):
    ran = convolens("cv", "few.npz", "--folds", 2, "--epochs", 1, "--model", "lenet5", "--json")
    assert (ran.status, ran.json["recipe"]) == (0, "fast-lenet5")
    record = json.loads((tmp_path / ran.json["run"] / "fold-1-of-2/run.json").read_text())
    assert record["recipe"]["architecture"] == "lenet5"


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        (("cv", "few.npz", "--folds", 2), ["fold 1 of 2", "fold 2 of 2"]),
        (("tune", "few.npz", "--trials", 2), ["trial 1 of 2", "trial 2 of 2"]),
    ],
)
def test_programs_are_told_every_run(convolens, small, words, jobs):
    ran = convolens(*words, "--recipe", "small.json", "--progress", "jsonl", "--json")
    assert ran.status == 0
    told = [json.loads(line) for line in ran.err.splitlines()]
    for kind in ("job_started", "job_ended"):
        assert [entry["job"] for entry in told if entry["event"] == kind] == jobs
    assert [entry["done"] for entry in told if entry["event"] == "job_ended"] == [1, 2]
    assert {"run_started", "epoch_done", "run_ended"} <= {entry["event"] for entry in told}
    assert convolens(*words, "--recipe", "small.json", "--progress", "none").err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("cv", "Missing argument 'DATA'"),
        ("cv nothing", "there is no file or folder 'nothing'"),
        ("cv few.npz --folds 1", "folds is 1; allowed: a whole number from 2"),
        ("cv few.npz --folds many", "Invalid value for '--folds'"),
        ("cv few.npz --folds 100", "folds is 100, but the class '"),
        ("cv few.npz --repeats 0", "repeats is 0; allowed: a whole number from 1"),
        ("cv few.npz --at-once 0", "at_once is 0; allowed"),
        ("cv few.npz --recipe fsat", "unknown recipe 'fsat'; did you mean 'fast'?"),
        ("cv few.npz --recipe none.json", "none.json does not exist"),
        ("cv few.npz --recipe few.json", "few.json is not valid JSON"),
        ("cv few.npz --recipe word.json", "word.json holds the name of a recipe and not its"),
        ("cv few.npz --recipe odd.json", "odd.json: unknown key 'epoch'; did you mean 'epochs'?"),
        ("cv few.npz --fold 1/5", "--fold and a cross-validation both say what the test part is"),
        ("cv few.npz --test 0.1", "test_size and a cross-validation both say"),
        ("cv few.npz --resume", "there is nothing to go on with: no folder is named"),
        ("cv few.npz --resume --run new", "there is nothing to go on with: new has no cv.json"),
        ("cv few.npz --run few.json", "few.json is a file; an experiment needs a folder"),
        ("cv few.npz --run full", "full is not empty and has no cv.json"),
        ("cv few.npz --epochs 0", "epochs must be above 0"),
        ("cv few.npz --model resnt20", "unknown architecture 'resnt20'; did you mean 'resnet20'?"),
        ("cv few.npz --budget soon", "--budget is 'soon'; allowed: at least 1 second"),
        ("cv few.npz --budget 9s --epochs 2", "--epochs and --budget both say how long"),
        ("cv few.npz --progress jsnl", "unknown progress 'jsnl'; did you mean 'jsonl'?"),
        ("cv few.npz --budget 4s", "a budget of 4 s for 5 runs leaves 0.6"),
        ("cv nothing --checkpoint-every often", "--checkpoint-every is 'often'"),
        ("tune nothing --trials 1 --progress jsnl", "unknown progress 'jsnl'; did you mean"),
        ("tune", "Missing argument 'DATA'"),
        ("tune few.npz", "how long to search? Give a number of trials, or a budget"),
        ("tune few.npz --trials 0", "trials is 0; allowed"),
        ("tune few.npz --budget soon", "--budget is 'soon'"),
        ("tune few.npz --budget 0s", "budget is 0.0; allowed: above 0 seconds"),
        ("tune few.npz --trials 1 --recipe fsat", "unknown recipe 'fsat'"),
        ("tune few.npz --trials 1 --run full", "full is not empty and has no tune.json"),
        ("tune few.npz --trials 1 --resume --run new", "new has no tune.json"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(refused, small, tmp_path, options, message):
    (tmp_path / "few.json").write_text("words\n")
    (tmp_path / "word.json").write_text('{"recipe": "fast"}')
    (tmp_path / "odd.json").write_text('{"name": "odd", "epoch": 3}')
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file.txt").write_text("words\n")
    assert message in refused(*options.split())
    assert not (tmp_path / "runs").exists()
    assert not list(Path(tmp_path / "full").glob("*.json*"))


def test_a_folder_of_other_data_is_refused(convolens, refused, small, tmp_path):
    command = ["--folds", 2, "--recipe", "small.json", "--run", "mine"]
    convolens("cv", "few.npz", *command)
    with np.load(tmp_path / "few.npz") as few:
        np.savez(tmp_path / "other.npz", images=255 - few["images"], labels=few["labels"])
    assert "few.npz as it was then; name another folder" in refused("cv", "other.npz", *command)
    assert "was begun with seed 0 and not 1" in refused("cv", "few.npz", *command, "--seed", 1)
