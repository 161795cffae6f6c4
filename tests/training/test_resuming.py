"""A run that goes on is, to the bit, one that never stopped."""

import json
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from torch import nn

from convolens.cli.main import main
from convolens.data import Dataset, Split, fit_preprocessing
from convolens.errors import ConfigError, DataError, ModelError
from convolens.recipes import fast, notes, train
from convolens.recipes.training import resume
from convolens.training import Augmentation, Event, Recipe, fit, load_run
from convolens.training.cadence import EverySteps
from convolens.training.checkpoints import newest_checkpoint
from convolens.training.locking import LOCK
from convolens.training.packing import pack, unpack
from convolens.training.state import TrainingState
from convolens.zoo import build_network

TIMES = {"seconds", "images_per_second", "seconds_left", "train_seconds", "seconds_expected"}


def small(shade: int = 100) -> Dataset:
    rng = np.random.default_rng(0)
    labels = np.arange(120, dtype=np.int64) % 2
    images = (rng.integers(0, 100, (120, 8, 8, 1)) + labels[:, None, None, None] * shade).astype(
        np.uint8
    )
    parts = [Split(images[i : i + 40], labels[i : i + 40].copy()) for i in (0, 40, 80)]
    return Dataset("small", *parts, ("dark", "bright"), "made by a test")


def moved(recipe: Callable[..., Recipe] = fast) -> Recipe:
    """Four steps an epoch, ten and a half epochs... of everything that draws at random."""
    augmentation = Augmentation(shift=1, flip=True)
    return recipe(epochs=3.5, batch_size=10, augmentation=augmentation, hardest_share=0.4)


def weights(path: Path) -> bytes:
    return (path / "model" / "weights.safetensors").read_bytes()


def history(path: Path, *, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What ``metrics.jsonl`` says, but the times and the events that tell of stopping."""
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    left_out = {"run_resumed", "checkpoint_saved", *without}
    return [
        {key: value for key, value in line.items() if key not in TIMES}
        for line in lines
        if line["event"] not in left_out
    ]


def stop_at(step: int, number: int = signal.SIGINT) -> Callable[[Event], None]:
    def press(event: Event) -> None:
        if event.event == "steps_done" and event.step == step:
            os.kill(os.getpid(), number)

    return press


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    train(small(), moved(), path=path, progress=False, checkpoint_every="off")
    return path


STEPS = (1, 3, 4, 5, 9, 12, 13)  # with four steps an epoch, fourteen in all


class Memory:
    """A saver that keeps every state."""

    def __init__(self) -> None:
        self.states: dict[int, Any] = {}

    def due(self, state: TrainingState) -> bool:
        return state.step in STEPS

    def save(self, state: TrainingState) -> None:
        packed, tensors = pack(state.state_dict())
        self.states[state.step] = (json.dumps(packed), tensors)


@pytest.mark.parametrize("recipe", [fast, notes])
def test_a_fit_goes_on_from_any_step(recipe: Callable[..., Recipe]) -> None:
    data, settings, memory = small(), moved(recipe), Memory()
    preprocessing = fit_preprocessing(settings.preprocessing, data.train.images)

    def run(**options: Any) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
        network = build_network(settings.architecture, data.shape, 2, seed=0)
        result = fit(
            network, preprocessing, data.train, data.validation, settings, seed=3, **options
        )
        return network.state_dict(), [{**asdict(e), "seconds": 0} for e in result.epochs]

    expected, epochs = run(saver=memory)
    assert tuple(memory.states) == STEPS
    for packed, tensors in memory.states.values():
        found, told = run(resumed=unpack(json.loads(packed), tensors))
        assert told == epochs
        for name, tensor in expected.items():
            assert torch.equal(found[name], tensor), name


def test_checkpoints_change_no_weight(undisturbed: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(small(), moved(), path=path, progress=False, checkpoint_every=EverySteps(1))
    assert weights(path) == weights(undisturbed)
    assert history(path) == history(undisturbed)


@pytest.mark.parametrize(
    ("steps", "number"), [((3,), signal.SIGTERM), ((4,), signal.SIGINT), ((1, 6, 7), 2)]
)
def test_an_interrupted_run_goes_on(
    undisturbed: Path, tmp_path: Path, steps: tuple[int, ...], number: int
) -> None:
    path = tmp_path / "run"
    run = train(small(), moved(), path=path, progress=False, on_event=stop_at(steps[0], number))
    events: list[Event] = []
    for step, following in zip(steps, (*steps[1:], None), strict=True):
        assert run.status == load_run(path).status == "interrupted"
        assert run.model().classes == ("dark", "bright")
        checkpoint, _ = newest_checkpoint(path / "checkpoints")
        assert checkpoint is not None
        assert checkpoint.step == step
        events.clear()
        press = events.append if following is None else stop_at(following, number)
        run = resume(path, small(), progress=False, on_event=press)
        assert run.results["train_seconds"] > checkpoint.state["progress"]["seconds"] > 0
        assert run.results["total_seconds"] > checkpoint.facts["total_seconds"] > 0
    assert run.status == "completed"
    assert weights(path) == weights(undisturbed)
    assert history(path) == history(undisturbed)
    assert [event.event for event in events[:2]] == ["run_resumed", "run_started"]
    assert events[0].step == steps[-1]
    whole = load_run(undisturbed).results
    for key in ("val_accuracy", "test_accuracy", "best_epoch", "epochs"):
        assert run.results[key] == whole[key]


def test_a_completed_run_is_left_alone(undisturbed: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*") if path.is_file()}
    assert resume(undisturbed, progress=False).status == "completed"
    after = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*") if path.is_file()}
    before.pop(undisturbed / LOCK)
    after.pop(undisturbed / LOCK)
    assert before == after


@pytest.mark.parametrize("stopped_in", ["evaluate", "write_figures"])
def test_a_run_that_was_stopped_after_its_last_step_is_not_trained_again(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_in: str
) -> None:
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "run"
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(f"convolens.training.running.{stopped_in}", press)
        train(small(), moved(), path=path, progress=False, checkpoint_every="off")
    assert load_run(path).status == "interrupted"
    told, seconds = (path / "metrics.jsonl").read_bytes(), load_run(path).results["train_seconds"]
    run = resume(path, small(), progress=False)
    assert (path / "metrics.jsonl").read_bytes() == told
    assert run.status == load_run(path).status == "completed"
    assert weights(path) == weights(undisturbed)
    assert run.results["total_seconds"] > run.results["train_seconds"] == seconds
    whole = load_run(undisturbed)
    assert run.results.keys() == whole.results.keys()
    assert run.results["test_accuracy"] == whole.results["test_accuracy"]
    assert run.model().metrics == whole.model().metrics
    assert (path / "figures" / "confusion_matrix.png").is_file()
    assert (path / "report.html").is_file()


def die_at(step: int) -> Callable[[Event], None]:
    """What a killed process leaves, without one: nothing more is written after this."""

    def die(event: Event) -> None:
        if event.event == "steps_done" and event.step == step:
            raise SystemExit

    return die


@pytest.fixture
def died(tmp_path: Path) -> Path:
    """A run that died after step 9, with checkpoints of steps 6 and 8."""
    path = tmp_path / "run"
    with pytest.raises(SystemExit):
        train(
            small(),
            moved(),
            path=path,
            progress=False,
            checkpoint_every=EverySteps(2),
            on_event=die_at(9),
        )
    return path


def test_a_damaged_checkpoint_is_passed_over_and_said(
    undisturbed: Path, died: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (died / "checkpoints" / "step-00000008" / "state.json").unlink()
    resume(died, small())
    assert weights(died) == weights(undisturbed)
    assert history(died) == history(undisturbed)
    said = capsys.readouterr().err
    assert "step-00000008 holds manifest.json, state.safetensors; it should" in said
    assert "going on from step 6" in said
    assert load_run(died).record["resumed"][0]["step"] == 6


def test_no_whole_checkpoint_is_an_error_and_nothing_is_lost(died: Path) -> None:
    for path in (died / "checkpoints").iterdir():
        (path / "manifest.json").write_text("{}")
    with pytest.raises(ModelError, match="every checkpoint in"):
        resume(died, small(), progress=False)
    assert len(list((died / "checkpoints").iterdir())) == 2


def test_a_run_without_a_checkpoint_starts_again(undisturbed: Path, died: Path) -> None:
    shutil.rmtree(died / "checkpoints")
    with (died / "metrics.jsonl").open("a") as file:
        file.write('{"event": "steps_do')  # cut off by the crash
    resume(died, small(), progress=False)
    assert weights(died) == weights(undisturbed)
    assert history(died) == history(undisturbed)


def test_other_data_are_refused(died: Path) -> None:
    with pytest.raises(DataError, match=r"small is not the data that .* was trained on"):
        resume(died, small(shade=90), progress=False)


def test_another_machine_is_said(died: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((died / "run.json").read_text())
    record["machine"]["threads"] = 63
    record["machine"]["versions"]["torch"] = "2.11.0"
    record["precision"] = "float16"
    (died / "run.json").write_text(json.dumps(record))
    assert resume(died, small()).status == "completed"
    said = capsys.readouterr().err
    assert "the bits may differ from a run that never stopped: threads is 1, was 63" in said
    assert f"torch is {torch.__version__}, was 2.11.0" in said
    assert "was 'float16'" in said


def test_a_run_in_use_is_refused(died: Path) -> None:
    with FileLock(died / LOCK), pytest.raises(ConfigError, match="is in use by another process"):
        resume(died, small(), progress=False)
    new = died.parent / "new"
    new.mkdir()
    with FileLock(new / LOCK), pytest.raises(ConfigError, match="is in use by another process"):
        train(small(), path=new, progress=False)
    assert resume(died, small(), progress=False).status == "completed"
    assert train(small(), epochs=1, path=new, progress=False).status == "completed"


def test_a_full_disk_costs_nothing_that_was_saved(undisturbed: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(event: Event) -> None:
        if event.event == "checkpoint_saved" and event.step == 6:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))

    try:
        with pytest.raises(
            OSError, match=r"cannot be written to \(File too large\); the last good"
        ):
            train(
                small(),
                moved(),
                path=path,
                progress=False,
                checkpoint_every=EverySteps(2),
                on_event=fill,
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert load_run(path).status == "failed"
    names = sorted(entry.name for entry in (path / "checkpoints").iterdir())
    assert names == ["step-00000004", "step-00000006"]
    resume(path, small(), progress=False)
    assert weights(path) == weights(undisturbed)


@dataclass(frozen=True, kw_only=True)
class Poisoned:
    """An optimiser that works until a step, and then spoils every weight."""

    at: int
    value: str

    def build(self, network: nn.Module) -> list[torch.optim.Optimizer]:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        steps = [0]

        def spoil(*_: object) -> None:
            steps[0] += 1
            if steps[0] == self.at:
                with torch.no_grad():
                    for parameter in network.parameters():
                        parameter.fill_(float(self.value))

        optimizer.register_step_post_hook(spoil)
        return [optimizer]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("nan", r"training diverged: at step 10 .* holds NaN or infinity; lower the learn"),
        ("1e30", r"training diverged: at step 1\d the loss is .*; lower the learning rate"),
    ],
)
def test_divergence_keeps_the_last_good_state(tmp_path: Path, value: str, message: str) -> None:
    path = tmp_path / "run"
    recipe = replace(moved(notes), optimizer=Poisoned(at=10, value=value), precision="float32")
    with pytest.raises(ConfigError, match=message) as caught:
        train(small(), recipe, path=path, progress=False, checkpoint_every=EverySteps(1))
    run = load_run(path)
    assert run.status == "failed"
    best = max(run.history, key=lambda epoch: (epoch["val_accuracy"], -epoch["val_loss"]))
    assert run.model().metrics["epoch"] == best["epoch"]
    assert np.isfinite(run.model().predict_proba(small().test.images)).all()
    assert f"the model of epoch {best['epoch']} is in {path / 'model'}" in str(caught.value)
    newest = max((path / "checkpoints").iterdir())
    assert f"the last good state is {newest}" in str(caught.value)


class PressesCtrlC:
    """Standard error that interrupts the process when it is told of the first epoch."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        if "epoch 1" in text and "epoch 1" not in self.text:
            os.kill(os.getpid(), signal.SIGINT)
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def test_the_command_line_stops_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(*words: object) -> tuple[int, str]:
        capsys.readouterr()
        status = main(["train", *map(str, words)])
        return status, capsys.readouterr().err

    path = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", watching := PressesCtrlC())
        status = main(["train", "digits", "--run", str(path), "--epochs", "2"])
    assert status == 130
    assert f"go on with: convolens train --resume --run {path}\n" in watching.text

    for words, message in [
        (("--seed", 1), "--seed is 1, but"),
        (("--recipe", "notes"), "--recipe is notes, but"),
        (("--epochs", 3), "was begun with 2.0; leave it out, or start a run of its own"),
        (("digits", "--sample", 0.5), "is not the data that"),
        (("--checkpoint-every", "often"), "--checkpoint-every is 'often'; allowed: a number"),
    ]:
        status, said = ask("--resume", "--run", path, *words)
        assert status == 2
        assert message in said.splitlines()[-1]
    status, said = ask("--resume")
    assert (status, said) == (
        2, "convolens: --resume needs the run that it goes on with: add --run DIR\n"
    )  # fmt: skip

    status, said = ask("--resume", "--run", path, "digits", "--epochs", 2, "--seed", 0)
    assert status == 0
    assert "going on after step 23" in said
    status, said = ask("--resume", "--run", path)
    assert status == 0
    assert "is complete: there is nothing to go on with" in said
    train("digits", epochs=2, path=tmp_path / "other", progress=False)
    assert weights(path) == weights(tmp_path / "other")
