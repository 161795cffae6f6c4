"""TensorBoard's own reader finds in the files what the run has told."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convolens.errors import ConfigError, ExtraMissing
from convolens.training.events import EpochDone, RunEnded, RunStarted, StepsDone
from convolens.training.tensorboard import TensorBoardWriter

STARTED = RunStarted(
    epochs=2, steps=99, n_train=9, batch_size=3, parameters=7, device="cpu", precision="float32"
)
ENDED = RunEnded(status="completed", step=99, best_epoch=1, train_seconds=1.0)


def steps(step, loss=0.5, accuracy=0.75, rate=0.01):
    return StepsDone(
        step=step, steps=99, epoch=1, loss=loss, accuracy=accuracy, learning_rate=rate,
        images_per_second=1000.0 + step, seconds_left=1.0,
    )  # fmt: skip


def epoch(step, loss=0.6, accuracy=0.7):
    return EpochDone(
        epoch=1, step=step, train_loss=0.5, train_accuracy=0.8, val_loss=loss,
        val_accuracy=accuracy, best=True, seconds=1.0,
    )  # fmt: skip


def write(folder, events):
    writer = TensorBoardWriter(folder)
    for event in events:
        writer(event)
    writer.close()
    writer.close()


def read(folder):
    """{(part, tag): [(step, value), ...]} by TensorBoard's own reader."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for part in ("training", "validation"):
        reader = EventAccumulator(str(folder / part), size_guidance={"scalars": 0})
        reader.Reload()
        for tag in reader.Tags()["scalars"]:
            found[part, tag] = [(entry.step, entry.value) for entry in reader.Scalars(tag)]
    return found


def single(value):
    return float(np.float32(value))


numbers = st.floats(0, 1e6, width=32)


@settings(max_examples=20)
@given(data=st.data())
def test_what_was_told_is_read_back(data, tmp_path_factory):
    told = [
        steps(step, data.draw(numbers), data.draw(st.floats(0, 1)), data.draw(numbers))
        for step in range(3, data.draw(st.integers(4, 40)), 3)
    ]
    judged = [epoch(event.step, data.draw(numbers)) for event in told[::4]]
    events = sorted([*told, *judged], key=lambda event: event.step)
    folder = tmp_path_factory.mktemp("boards")
    write(folder, [STARTED, *events, ENDED])
    assert read(folder) == {
        ("training", "loss"): [(e.step, single(e.loss)) for e in told],
        ("training", "accuracy"): [(e.step, single(e.accuracy)) for e in told],
        ("training", "learning_rate"): [(e.step, single(e.learning_rate)) for e in told],
        ("training", "images_per_second"): [(e.step, e.images_per_second) for e in told],
        ("validation", "loss"): [(e.step, single(e.val_loss)) for e in judged],
        ("validation", "accuracy"): [(e.step, single(e.val_accuracy)) for e in judged],
    }


def test_steps_that_are_done_again_count_once(tmp_path):
    write(tmp_path, [STARTED, *[steps(n, loss=n) for n in range(1, 8)], epoch(7, loss=0.1)])
    write(tmp_path, [STARTED, *[steps(n, loss=10 * n) for n in range(5, 10)], epoch(9), ENDED])
    found = read(tmp_path)
    expected = [(n, n) for n in range(1, 5)] + [(n, 10 * n) for n in range(5, 10)]
    assert found["training", "loss"] == expected
    assert found["validation", "loss"] == [(9, single(0.6))]


def test_a_run_that_breaks_off_is_whole_up_to_its_last_epoch(tmp_path):
    writer = TensorBoardWriter(tmp_path)
    for event in (STARTED, steps(1), epoch(1), steps(2)):
        writer(event)
    found = read(tmp_path)
    assert found["training", "loss"][0] == (1, 0.5)
    assert found["validation", "loss"] == [(1, single(0.6))]
    writer.close()


def test_a_loss_that_is_no_number_is_told_as_it_is(tmp_path):
    write(tmp_path, [STARTED, steps(1, loss=math.nan)])
    assert math.isnan(read(tmp_path)["training", "loss"][0][1])


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ExtraMissing, match=r'pip install "convolens\[tensorboard\]"'):
        TensorBoardWriter(tmp_path / "boards")
    assert not (tmp_path / "boards").exists()


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"files cannot be written there .*name another folder"):
        TensorBoardWriter(tmp_path / "file" / "boards")
