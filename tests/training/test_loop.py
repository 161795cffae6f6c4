import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from convolens.data import Dataset, Split, fit_preprocessing
from convolens.errors import ConfigError, DataError, ModelError
from convolens.recipes import fast, notes, train
from convolens.training import (
    Augmentation,
    Event,
    MuonAdamW,
    NAdam,
    Recipe,
    count_seen,
    event_to_dict,
    fit,
    load_run,
)
from convolens.training.end_report import end_report
from convolens.training.hardware import choose_precision, multiplies_bfloat16
from convolens.zoo import build_network


def small(n: int = 120, size: int = 8, seed: int = 0) -> Dataset:
    """Bright against dark pictures: learnable in a few steps."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    images = rng.integers(0, 100, (n, size, size, 1)) + labels[:, None, None, None] * 120
    parts = [Split(images[i::3].astype(np.uint8), labels[i::3].astype(np.int64)) for i in range(3)]
    return Dataset("small", *parts, ("dark", "bright"), "made by a test")


def weights(path: Path) -> bytes:
    return (path / "model" / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("recipe", ["fast", "notes"])
def test_the_same_seed_gives_the_same_bits(tmp_path: Path, recipe: str) -> None:
    made = replace(
        {"fast": fast, "notes": notes}[recipe](epochs=2, batch_size=16),
        augmentation=Augmentation(shift=1, flip=True),
    )
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.manual_seed(ord(name))  # whatever went on before must not matter
        train(small(), made, seed=seed, path=tmp_path / name, progress=False)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


def test_training_leaves_the_global_random_state(tmp_path: Path) -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    train(small(), notes(epochs=1), path=tmp_path / "run", progress=False)
    assert torch.equal(before, torch.random.get_rng_state())


def test_digits_are_learned(tmp_path: Path) -> None:
    run = train("digits", path=tmp_path / "run", progress=False)
    assert run.results["test_accuracy"] >= 0.97
    assert run.evaluate().accuracy == run.results["test_accuracy"]
    validation = run.evaluate(split="validation").accuracy
    assert validation == pytest.approx(run.results["val_accuracy"], abs=1e-12)
    assert run.results["val_accuracy"] == max(epoch["val_accuracy"] for epoch in run.history)


def test_what_a_run_leaves_behind(tmp_path: Path) -> None:
    events: list[Event] = []
    path = tmp_path / "run"
    run = train(small(), "fast", epochs=2.5, path=path, progress=False, on_event=events.append)
    found = sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())
    assert found == [
        "chosen_by.npy",
        "figures/confusion_matrix.png",
        "figures/learning_curves.png",
        "metrics.jsonl",
        "model/model.json",
        "model/weights.safetensors",
        "report.html",
        "run.json",
        "run.lock",
        "trained_on.npy",
    ]
    lines = (path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [event_to_dict(event) for event in events]
    kinds = [event.event for event in events]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_ended"
    assert kinds.count("epoch_done") == 3
    assert [e.step for e in events if e.event == "epoch_done"] == [2, 4, 5]

    opened = load_run(path)
    assert opened.status == "completed"
    assert opened.record["seed"] == 0
    assert opened.record["data"]["fingerprint"] == small().fingerprint
    assert opened.record["recipe"]["batch_size"] == 32
    assert opened.to_dict() == run.to_dict()
    assert {
        "run", "data", "recipe", "seed", "epochs", "parameters", "train_seconds",
        "total_seconds", "images_per_second", "val_accuracy", "test_accuracy",
    } <= opened.to_dict().keys()  # fmt: skip


def test_without_a_test_split_there_is_no_test_accuracy(tmp_path: Path) -> None:
    data = replace(small(), test=None)
    run = train(data, epochs=1, path=tmp_path / "run", progress=False)
    assert run.results["test_accuracy"] is None
    assert run.results["val_accuracy"] >= 0


def test_ctrl_c_keeps_what_was_reached(tmp_path: Path) -> None:
    def press(event: Event) -> None:
        if event.event == "steps_done" and event.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    run = train(small(), epochs=60, path=tmp_path / "run", progress=False, on_event=press)
    assert run.status == "interrupted"
    assert load_run(tmp_path / "run").status == "interrupted"
    assert run.model().predict(small().test.images).shape == (40,)
    assert len(run.history) == 2  # the third step is in the middle of the second epoch
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("pressed_at", "status"), [(None, "completed"), (3, "interrupted"), (4, "completed")]
)
def test_a_request_to_stop_is_handed_on_even_from_the_last_step(
    pressed_at: int | None, status: str
) -> None:
    """Whoever trains one network after the other must learn of it."""

    def press(event: Event) -> None:
        if event.event == "steps_done" and event.step == pressed_at:
            os.kill(os.getpid(), signal.SIGINT)

    data, recipe = small(), fast(epochs=2)
    network = build_network(recipe.architecture, data.shape, 2)
    preprocessing = fit_preprocessing(recipe.preprocessing, data.train.images)
    result = fit(
        network, preprocessing, data.train, data.validation, recipe, seed=0, on_event=press
    )
    assert result.status == status
    assert result.stop_asked == (pressed_at is not None)


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    def press(event: Event) -> None:
        if event.event == "steps_done":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(small(), epochs=500, path=tmp_path / "run", progress=False, on_event=press)
    assert load_run(tmp_path / "run").status == "interrupted"
    with pytest.raises(ModelError, match="run without a model"):
        load_run(tmp_path / "run").model()


def test_ctrl_c_while_the_result_is_judged_loses_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("convolens.training.running.evaluate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(small(), epochs=2, path=tmp_path / "run", progress=False)
    run = load_run(tmp_path / "run")
    assert run.status == "interrupted"
    assert run.model().metrics["val_accuracy"] == max(e["val_accuracy"] for e in run.history)


def test_divergence_is_said_and_not_saved(tmp_path: Path) -> None:
    recipe = Recipe(
        name="wild",
        architecture="notes",
        optimizer=NAdam(learning_rate=1e30),
        epochs=20,
        precision="float32",
    )
    with pytest.raises(ConfigError, match=r"training diverged.*lower the learning rate"):
        train(small(), recipe, path=tmp_path / "run", progress=False)
    assert load_run(tmp_path / "run").status == "failed"
    assert not (tmp_path / "run" / "model").exists()
    for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize("n", [33, 65, 97])
def test_no_batch_is_so_small_that_normalisation_fails(tmp_path: Path, n: int) -> None:
    data = small(n=3 * n)
    run = train(data, fast(batch_size=32, epochs=1), path=tmp_path / "run", progress=False)
    assert run.status == "completed"


def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    run = train(small(), epochs=1, path=tmp_path / "run", progress=False)
    accuracy = run.evaluate(small()).accuracy
    swapped = replace(small(), class_names=small().class_names[::-1])
    assert run.evaluate(swapped).accuracy == 1 - accuracy
    other = replace(small(), class_names=("bright", "unheard of"))
    with pytest.raises(DataError, match="unheard of, which the model does not know"):
        run.evaluate(other)
    assert run.evaluate(small(), split="all").n == small().n_used


def test_a_run_finds_its_data_again_or_says_that_they_changed(tmp_path: Path) -> None:
    train("digits", epochs=1, path=tmp_path / "run", progress=False)
    opened = load_run(tmp_path / "run")
    assert opened.evaluate().n == 180
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["data"]["fingerprint"] = "0" * 64
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"not the data that .* was trained on"):
        load_run(tmp_path / "run").evaluate()


def test_run_folders_are_numbered_and_never_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = train(small(), epochs=1, progress=False)
    second = train(small(), epochs=1, progress=False)
    assert [run.path.as_posix() for run in (first, second)] == [
        "runs/small-fast-1",
        "runs/small-fast-2",
    ]
    with pytest.raises(ConfigError, match="not empty"):
        train(small(), path=first.path, progress=False)
    Path("taken").touch()
    with pytest.raises(ConfigError, match="is a file"):
        train(small(), path="taken", progress=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be above 0"),
        ({"epochs": float("nan")}, "epochs must be above 0"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"label_smoothing": 1.0}, "label_smoothing must be"),
        ({"precision": "float16"}, "precision must be one of"),
        ({"preprocessing": "whiten"}, "preprocessing must be one of"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        fast(**changes)


def test_an_unknown_recipe_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown recipe 'fsat'; did you mean 'fast'"):
        train("digits", "fsat", path=tmp_path / "run")
    with pytest.raises(ConfigError, match=r"such as recipes.fast\(\); got a function"):
        train("digits", fast, path=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_not_a_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a run folder"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text('{"status": "completed"}')
    with pytest.raises(ModelError, match="lacks data, results"):
        load_run(tmp_path)


def test_precision_is_chosen_by_what_the_processor_is() -> None:
    cpu = torch.device("cpu")
    assert choose_precision("float32", cpu) == "float32"
    assert choose_precision("bfloat16", cpu) == "bfloat16"
    auto = choose_precision("auto", cpu)
    assert (auto == "bfloat16") == multiplies_bfloat16(cpu)


def test_bfloat16_learns_as_well_as_float32(tmp_path: Path) -> None:
    accuracies = [
        train(
            "digits",
            fast(precision=precision, epochs=6),
            path=tmp_path / precision,
            progress=False,
        ).results["val_accuracy"]
        for precision in ("float32", "bfloat16")
    ]
    assert min(accuracies) > 0.95
    assert abs(accuracies[0] - accuracies[1]) < 0.03


def test_recipes_are_what_their_names_promise() -> None:
    as_noted = notes()
    assert isinstance(as_noted.optimizer, NAdam)
    assert (as_noted.optimizer.learning_rate, as_noted.batch_size, as_noted.epochs) == (
        1e-3,
        32,
        10,
    )
    assert isinstance(fast().optimizer, MuonAdamW)


def test_pictures_learned_from_and_chosen_by_are_told_apart(tmp_path: Path) -> None:
    data = small()
    run = train(data, epochs=1, path=tmp_path / "run", progress=False)
    for split, learned, chosen in ((data.train, True, False), (data.validation, False, True)):
        seen = count_seen(run.path, split)
        assert seen is not None
        assert (seen.trained_on, seen.chosen_by) == (learned * len(split), chosen * len(split))
    (run.path / "chosen_by.npy").unlink()  # a run of an earlier version
    seen = count_seen(run.path, data.validation)
    assert seen is not None
    assert (seen.trained_on, seen.chosen_by) == (len(data.validation), 0)


def test_the_report_of_a_run_has_the_familiarity_of_its_model(tmp_path: Path) -> None:
    run = train("digits", epochs=2, path=tmp_path / "run", progress=False)
    model, test = run.model(), run.test
    assert model.thresholds is not None
    assert model.thresholds.unknown.score == "neighbours"
    assert test is not None
    assert test.familiarity is not None
    outputs = model.outputs(run.data().splits["test"].images)
    np.testing.assert_allclose(test.familiarity, model.familiarity(outputs), rtol=1e-4)


def test_a_report_that_cannot_be_made_spoils_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("no page today")

    monkeypatch.setattr("convolens.training.report.write_evaluation_page", fail)
    run = train(small(), epochs=1, path=tmp_path / "run", progress=False)
    assert load_run(run.path).status == "completed"
    assert load_run(run.path).record["report_error"] == "ValueError: no page today"
    assert "report: it could not be made (ValueError: no page today)" in end_report(run)


def test_a_report_is_made_again_by_hand(tmp_path: Path) -> None:
    run = train(small(), epochs=1, path=tmp_path / "run", progress=False)
    first = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    page = run.write_report(tmp_path / "again.html").read_text(encoding="utf-8")
    assert page.replace(str(tmp_path / "again.html"), str(run.path / "report.html")) == first
    unnamed = load_run(tmp_path / "run")
    with pytest.raises(DataError):  # its data had no name by which they are found
        unnamed.write_report()
