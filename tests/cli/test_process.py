"""The command as a process: its streams, its signals, its exit status."""

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from convolens import __version__
from convolens.bundle import load_model
from convolens.cli import main as command_line
from convolens.cli.main import main

COMMAND = [sys.executable, "-m", "convolens"]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_interrupt_while_training_keeps_what_was_reached(tmp_path):
    with start(
        tmp_path, "train", "digits", "--epochs", "1000", "--json", "--progress", "jsonl"
    ) as process:
        seen = []
        while not (seen and seen[-1].startswith('{"event": "epoch_done"')):
            seen.append(process.stderr.readline())
            assert seen[-1], "training ended before its first epoch"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert json.loads(out)["status"] == "interrupted"
    folder = tmp_path / json.loads(out)["run"]
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    hint = f"go on with: convolens train --resume --run {json.loads(out)['run']}"
    assert err.splitlines()[-2:] == ["convolens: interrupted", hint]
    assert load_model(folder).classes == tuple("0123456789")
    # Every line of the record is whole.
    events = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("run_started", "run_ended")


def test_a_reader_that_goes_away_is_no_error_message(tmp_path):
    with start(tmp_path, "--help") as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_help_and_version_as_a_process(tmp_path):
    with start(tmp_path, "--help") as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    for verb in ("tour", "see", "data", "train", "evaluate", "predict", "cv", "tune"):
        assert f" {verb} " in out
    with start(tmp_path, "--version") as process:
        assert process.communicate() == (f"convolens {__version__}\n", "")


def test_a_wrong_option_as_a_process(tmp_path):
    with start(tmp_path, "train", "--epoch", "3") as process:
        out, err = process.communicate()
    assert (process.returncode, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("convolens: No such option: --epoch (Possible options: --epochs")


@pytest.mark.parametrize(
    "verb", ["tour", "see", "data", "train", "evaluate", "predict", "cv", "tune"]
)
def test_every_command_explains_itself(convolens, verb):
    ran = convolens(verb, "--help")
    assert (ran.status, ran.err) == (0, "")
    assert f"Usage: convolens {verb} " in ran.out
    assert "--json" in ran.out


def test_no_command_shows_the_help_and_no_odd_line(convolens):
    ran = convolens()
    assert ran.status == 2
    assert "Usage: convolens" in ran.out
    assert ran.err == ""


def test_debug_adds_a_traceback_wherever_it_stands(capsys):
    for arguments in (["--debug", "data", "nothing"], ["data", "nothing", "--debug"]):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert err.startswith("Traceback (most recent call last):")
        assert err.splitlines()[-1].startswith("convolens: there is no file or folder 'nothing'")


def test_a_failure_of_ours_is_status_1_and_one_line(capsys, monkeypatch):
    def broken(*arguments, **options):
        raise ZeroDivisionError("first line\nsecond line")

    monkeypatch.setattr(command_line, "app", broken)
    assert main([]) == 1
    assert capsys.readouterr().err == "convolens: ZeroDivisionError: first line second line\n"


def test_an_interrupt_elsewhere_is_status_130(capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "app", interrupted)
    assert main([]) == 130
    assert capsys.readouterr().err == "convolens: interrupted\n"


def test_an_interrupt_inside_a_command_is_said(capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("convolens.data.load_data", interrupted)
    assert command_line.main(["data", "digits"]) == 130
    assert capsys.readouterr() == ("", "convolens: interrupted\n")


def test_python_m_convolens_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["convolens", "data", "nothing-of-that-name"])
    module = importlib.import_module("convolens.__main__")
    assert module.run() == 2
    assert "nothing-of-that-name" in capsys.readouterr().err


def test_ctrl_c_while_the_command_starts_ends_it_in_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("convolens.cli.main.main", interrupted)
    assert importlib.import_module("convolens.__main__").run() == 130
    assert capsys.readouterr().err == "convolens: interrupted\n"
