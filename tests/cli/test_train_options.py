"""The options of ``train``: other networks, several seeds, budgets, progress, a full disk."""

import json
import os
import re
import resource
import shlex
import signal
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from convolens.cli.invocation import Invocation
from convolens.cli.main import main
from convolens.config import to_dict
from convolens.files import write_json
from convolens.recipes import fast
from convolens.training import load_run

SEEDS_KEYS = {
    "run", "data", "recipe", "status", "seeds", "val_accuracy", "test_accuracy", "train_seconds",
    "total_seconds", "runs",
}  # fmt: skip
RUN_KEYS = {
    "run", "seed", "epochs", "best_epoch", "val_accuracy", "test_accuracy", "train_seconds",
    "total_seconds",
}  # fmt: skip
SPREAD_KEYS = {"mean", "deviation", "low", "high", "method"}


@pytest.fixture
def small(tmp_path):
    """Two files in the folder where commands run: few digits, and a recipe that learns little."""
    bunch = load_digits(n_class=4)
    images = np.rint(bunch.images[:120] * (255 / 16)).astype(np.uint8)
    np.savez(tmp_path / "few.npz", images=images, labels=bunch.target[:120])
    recipe = replace(fast(epochs=1), arguments={"width": 4}, precision="float32", batch_size=16)
    write_json(tmp_path / "small.json", to_dict(recipe))


SMALL = ("train", "few.npz", "--recipe", "small.json")


def test_another_network_under_a_recipe_and_going_on_with_it(convolens, refused, small):
    ran = convolens("train", "few.npz", "--epochs", 1, "--model", "lenet5", "--json")
    assert (ran.status, ran.json["recipe"]) == (0, "fast-lenet5")
    assert ran.json["run"] == "runs/few-fast-lenet5-1"
    assert load_run(ran.json["run"]).record["recipe"]["architecture"] == "lenet5"
    again = ("train", "--resume", "--run", ran.json["run"])
    assert convolens(*again, "--recipe", "fast", "--model", "lenet5").status == 0
    for option, value, begun in [
        ("--model", "resnet20", "lenet5"),
        ("--recipe", "notes", "fast"),
        ("--budget", "9s", "no budget"),
    ]:
        assert f"{option} is {value}, but" in (said := refused(*again, option, value))
        assert f"was begun with {begun}; leave it out" in said
    assert "--seeds" not in convolens(*again).out


def test_what_tune_writes_can_be_trained_with(convolens, small):
    ran = convolens(*SMALL, "--sampling", "balanced", "--json")
    record = load_run(ran.json["run"]).record
    assert (record["recipe"]["arguments"], record["recipe"]["sampling"]) == (
        {"width": 4},
        "balanced",
    )
    resumed = convolens("train", "--resume", "--run", ran.json["run"], "--recipe", "small.json")
    assert resumed.status == 0


def test_a_recipe_s_own_name_may_end_like_its_architecture(convolens, small, refused, tmp_path):
    recipe = json.loads((tmp_path / "small.json").read_text())
    name = f"mine-{recipe['architecture']}"
    write_json(tmp_path / "named.json", {**recipe, "name": name})
    ran = convolens("train", "few.npz", "--recipe", "named.json", "--json")
    again = ("train", "--resume", "--run", ran.json["run"])
    assert convolens(*again, "--recipe", "named.json").status == 0
    assert "--recipe is fast, but" in refused(*again, "--recipe", "small.json")


def test_several_seeds_have_the_keys_that_the_help_names(convolens, small, refused):
    ran = convolens(*SMALL, "--seeds", 2, "--seed", 5, "--split-seed", 1, "--tensorboard", "--json")
    assert (ran.status, ran.json.keys()) == (0, SEEDS_KEYS)
    assert ran.json["val_accuracy"].keys() == SPREAD_KEYS
    assert [entry.keys() for entry in ran.json["runs"]] == [RUN_KEYS, RUN_KEYS]
    assert [entry["seed"] for entry in ran.json["runs"]] == [5, 6]
    said = " ".join(convolens("train", "--help").out.split())
    assert all(key in said for key in SEEDS_KEYS | RUN_KEYS | SPREAD_KEYS)
    folder = ran.json["run"]
    assert os.path.isdir(f"{folder}/seed-5/tensorboard")  # noqa: PTH112
    more = (*SMALL, "--seed", 5, "--split-seed", 1, "--run", folder, "--resume")
    again = convolens(*more, "--seeds", 2)
    assert "2 of 2 were done before and are kept" in again.err
    assert again.out.endswith(f"run: {folder}\n")
    assert "was begun with seeds [5, 6] and not [5, 6, 7]" in refused(*more, "--seeds", 3)
    assert "holds runs with several seeds; add the --seeds" in refused(*more)


def test_progress_of_several_seeds_as_asked(convolens, small):
    said = convolens(*SMALL, "--seeds", 2, "--progress", "jsonl").err.splitlines()
    told = [json.loads(line) for line in said]
    kinds = [entry["event"] for entry in told]
    assert kinds[:2] == ["job_started", "run_started"]
    assert kinds[-3:] == ["run_ended", "job_ended", "message"]
    begun = [entry for entry in told if entry["event"] == "job_started"]
    assert [(entry["job"], entry["done"], entry["jobs"]) for entry in begun] == [
        ("seed 0", 0, 2),
        ("seed 1", 1, 2),
    ]
    assert told[-1]["text"].startswith("seed 1: ")
    assert convolens(*SMALL, "--seeds", 1, "--progress", "none").err == ""


def test_progress_as_lines_of_json(convolens, small):
    ran = convolens(*SMALL, "--progress", "jsonl", "--json")
    events = [json.loads(line)["event"] for line in ran.err.splitlines()]
    assert (events[0], events[1], events[-1]) == ("data_checked", "run_started", "run_ended")
    assert ran.json["run"] == "runs/few-fast-1"
    assert convolens(*SMALL, "--progress", "none", "--json").err == ""


def test_files_for_tensorboard(convolens, small, tmp_path):
    ran = convolens(*SMALL, "--tensorboard", "--run", "mine")
    assert "  tensorboard --logdir mine/tensorboard\n" in ran.out
    assert list((tmp_path / "mine/tensorboard/training").iterdir())


def test_a_budget_counts_from_the_start_of_the_process(small, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [*SMALL[:2], "--budget", "1h", "--run", "late", "--json"]
    # An hour is over before the first step.
    assert main(words, started=time.perf_counter() - 3600) == 2
    assert "is over before the first step" in capsys.readouterr().err
    assert not (tmp_path / "late").exists()


@pytest.fixture
def interrupts():
    """As in a terminal: what a shell starts in the background does not hear of Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_says_last_how_to_go_on(small, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    class Interrupts:
        """Standard error that interrupts the process at the first word about the first run."""

        first = re.compile("(seed 0:|fold 1 of|epoch 1:).*\n")
        text = ""

        def write(self, text):
            before, self.text = self.text, self.text + text
            if not self.first.search(before) and self.first.search(self.text):
                signal.raise_signal(signal.SIGINT)
            return len(text)

        def flush(self):
            pass

        def isatty(self):
            return False

    recipe = json.loads((tmp_path / "small.json").read_text())
    write_json(tmp_path / "long.json", {**recipe, "epochs": 10})  # each is said
    for words, hint in [
        (
            ("train", "few.npz", "--recipe", "long.json", "--run", "a"),
            "go on with: convolens train --resume --run a",
        ),
        (
            ("train", "few.npz", "--recipe", "small.json", "--seeds", "3", "--run=b"),
            "go on with: convolens train few.npz --recipe small.json --seeds 3 --run b --resume",
        ),
        (
            ("cv", "few.npz", "--recipe", "small.json", "--folds", "2", "--run", "c d"),
            "go on with: convolens cv few.npz --recipe small.json --folds 2 --run 'c d' --resume",
        ),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", heard := Interrupts())
            assert main(list(words)) == 130
        assert heard.text.splitlines()[-2:] == ["convolens: interrupted", hint]
        assert "Traceback" not in heard.text
        capsys.readouterr()
        assert main(shlex.split(hint)[4:]) == 0


def test_a_full_disk_is_one_line_and_status_1(convolens, small, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        ran = convolens(
            "train", "few.npz", "--epochs", 400, "--checkpoint-every", "0.001s", "--progress",
            "none", "--run", "full",
        )  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert ran.err.startswith("convolens: full cannot be written to (File too large); there was no")
    assert "go on with: convolens train --resume --run full" in ran.err
    assert load_run("full").status == "failed"


def test_a_missing_extra_is_one_line(refused, small, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert 'pip install "convolens[tensorboard]"' in refused(*SMALL, "--tensorboard")
    assert 'pip install "convolens[tune]"' in refused("tune", "few.npz", "--trials", 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--model resnt20", "unknown architecture 'resnt20'; did you mean 'resnet20'?"),
        ("--recipe nothing.json", "nothing.json does not exist"),
        ("--seeds 0", "seeds is 0; allowed: a whole number from 1"),
        ("--seeds two", "Invalid value for '--seeds'"),
        ("--budget abc", "--budget is 'abc'; allowed: at least 1 second, such as 60s"),
        ("--budget 0", "--budget is 0; allowed: at least 1 second"),
        ("--budget off", "--budget is off; allowed: at least 1 second"),
        ("--budget 0.1s", "--budget is 0.1s; allowed: at least 1 second"),
        ("--budget 60s --epochs 2", "--epochs and --budget both say how long to train"),
        ("--budget 60s --seeds 2 --epochs 2", "--epochs and --budget both say how long"),
        ("--progress jsnl", "unknown progress 'jsnl'; did you mean 'jsonl'?"),
        ("--checkpoint-every often", "--checkpoint-every is 'often'; allowed: a number"),
        ("--resume", "--resume needs the run that it goes on with: add --run DIR"),
        ("--resume --run nothing", "nothing is not a run folder: it has no run.json"),
        ("--resume --seeds 2", "there is nothing to go on with: no folder is named"),
        ("--resume --seeds 2 --run nothing", "nothing has no seeds.json"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(refused, small, tmp_path, options, message):
    assert message in refused("train", "few.npz", *options.split())
    assert not (tmp_path / "runs").exists()


def test_the_same_command_with_other_options():
    words = ("train", "my data", "--run=a", "--seed", "3", "--json", "--seeds", "2", "--epochs=1")
    made = Invocation(words=words, started=0.0)
    assert made.again("--x", without=("--run=", "--seeds=", "--json")) == (
        "convolens train 'my data' --seed 3 --epochs=1 --x"
    )
