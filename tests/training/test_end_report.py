"""What stands at the end of a run: right figures, whole paths, any width."""

import json
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.evaluation import wilson_interval
from convolens.training import Run
from convolens.training.end_report import end_report, next_commands

RESULTS = {
    "data": "digits", "recipe": "fast", "seed": 7, "epochs": 12.0, "parameters": 56_554,
    "train_seconds": 3.7, "total_seconds": 200.0, "images_per_second": 4839.0,
    "val_accuracy": 0.9944, "test_accuracy": 0.95, "best_epoch": 2,
}  # fmt: skip
COUNTS = {"train": 1437, "validation": 180, "test": 360}


def run_at(folder, *, status="completed", options=None, source="digits", counts=COUNTS, **results):
    data = {"counts": counts, "source": source, "options": options or {}}
    record = {"status": status, "results": {**RESULTS, **results}, "data": data}
    return Run(path=folder, record=record)


@pytest.fixture
def folder(tmp_path):
    """A run folder whose name needs quoting."""
    path = tmp_path / "my run's"
    for name in ("model", "figures", "tensorboard"):
        (path / name).mkdir(parents=True)
    (path / "model/weights.safetensors").write_bytes(bytes(234_567))
    (path / "figures/learning_curves.png").write_bytes(b"")
    (path / "report.html").write_bytes(b"")
    epochs = [
        {"event": "epoch_done", "epoch": n, "train_accuracy": 0.9 + n / 100} for n in (1, 2, 3)
    ]
    (path / "metrics.jsonl").write_text("".join(json.dumps(e) + "\n" for e in epochs))
    return path


def test_the_result_is_a_short_table(folder):
    text = end_report(run_at(folder))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    low, high = wilson_interval(342, 360)
    assert lines[0] == "digits, recipe fast, seed 7: completed"
    assert f"test 360 95.00% {low:.2%} to {high:.2%}" in lines
    assert "training 1,437 92.00%" in lines
    assert "epochs 12, best 2" in lines
    assert "time 3.7 s of training, 3 min 20 s with judging" in lines
    assert "speed 4,839 images/s" in lines
    assert "model 56,554 parameters, 0.23 MB" in lines
    assert f"run: {folder}" in text.splitlines()
    assert f"curves: {folder}/figures/learning_curves.png" in text.splitlines()
    assert f"report: {folder}/report.html" in text.splitlines()
    assert len(lines) < 30


@given(st.integers(0, 200))
def test_all_but_paths_and_commands_fits(width):
    run = run_at(Path("/nowhere"), epochs=123_456.0)
    for line in end_report(run, width).splitlines():
        assert len(line) <= max(60, width) or str(run.path) in line
    assert end_report(run, width).isascii()


def test_commands_name_the_run_as_a_shell_reads_it(folder):
    commands = [shlex.split(command) for command, _ in next_commands(run_at(folder))]
    assert commands == [
        ["convolens", "evaluate", str(folder)],
        ["convolens", "predict", str(folder), "picture.png"],
        ["convolens", "train", "digits", "--seeds", "3"],
        ["convolens", "explain", str(folder), "picture.png"],
        ["tensorboard", "--logdir", str(folder / "tensorboard")],
    ]
    text = end_report(run_at(folder), 40).splitlines()
    assert all(f"  {command}" in text for command, _ in next_commands(run_at(folder)))


def test_commands_follow_from_what_happened(tmp_path):
    def first(run):
        return next_commands(run)[0][0]

    stopped = run_at(tmp_path / "my run", status="interrupted")
    assert first(stopped) == f"convolens train --resume --run '{tmp_path}/my run'"
    again = next_commands(run_at(tmp_path, recipe="notes", source="/my data"))[2][0]
    assert again == "convolens train '/my data' --recipe notes --seeds 3"
    record = run_at(tmp_path, recipe="fast-resnet20").record
    record = {**record, "recipe": {"architecture": "resnet20"}}
    other = next_commands(Run(path=tmp_path, record=record))[2][0]
    assert other == "convolens train digits --model resnet20 --seeds 3"
    assert next_commands(run_at(tmp_path), "the same again")[2][0] == "the same again"
    untested = run_at(tmp_path, counts={"train": 9, "validation": 3}, test_accuracy=None)
    assert first(untested) == f"convolens evaluate {tmp_path} --split validation"
    # How such data are read takes more words than a next command should have.
    special = next_commands(run_at(tmp_path, options={"labels": "kind"}))
    assert not any("train" in command for command, _ in special)


def test_a_run_that_left_little_is_reported_too(tmp_path):
    record = {"status": "failed", "results": {}, "data": {}}
    text = end_report(Run(path=tmp_path, record=record))
    assert "failed" in text.splitlines()[0]
    assert "none was kept" in text
