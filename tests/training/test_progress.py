"""How a run is shown: never in the way of it, never too much, and whole for other programs."""

import io
import itertools
import json
import os
import sys
from types import SimpleNamespace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from convolens.data import Problem
from convolens.doubt import RiskTable, Thresholds, UnknownBelow
from convolens.errors import ConfigError
from convolens.training import Event, event_to_dict
from convolens.training.events import (
    EpochDone,
    RunEnded,
    RunResumed,
    RunStarted,
    StepsDone,
    event_from_dict,
)
from convolens.training.live_lines import draw_live
from convolens.training.progress import FEW_EPOCHS, ProgressDisplay, choose_display
from convolens.training.progress_words import about, duration

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Clock:
    """Time goes on by what a test says."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Page(io.StringIO):
    """Remembers when each line was written."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.times = []

    def write(self, text):
        self.times += [self.clock.now] * text.count("\n")
        return super().write(text)


def started(**changes):
    return RunStarted(
        **{
            "epochs": 3.0, "steps": 60, "n_train": 1000, "batch_size": 50, "parameters": 4321,
            "device": "cpu", "precision": "float32", **changes,
        }
    )  # fmt: skip


def steps(step, **changes):
    return StepsDone(
        **{
            "step": step, "steps": 60, "epoch": 1, "loss": 0.5, "accuracy": 0.75,
            "learning_rate": 0.0125, "images_per_second": 6210.0, "seconds_left": 41.0, **changes,
        }
    )  # fmt: skip


def epoch(number, **changes):
    return EpochDone(
        **{
            "epoch": number, "step": 20 * number, "train_loss": 0.5, "train_accuracy": 0.8,
            "val_loss": 0.6, "val_accuracy": 0.7, "best": True, "seconds": 2.0 * number, **changes,
        }
    )  # fmt: skip


def ended(**changes):
    return RunEnded(
        **{"status": "completed", "step": 60, "best_epoch": 1, "train_seconds": 9.5, **changes}
    )


number = st.floats() | st.sampled_from([0.0, -1.0, 1e300])
count = st.integers(-5, 10**12)
share = st.floats(0, 1) | st.just(float("nan"))
any_start = st.builds(
    started, epochs=number, steps=count, seconds_expected=st.none() | number,
    accuracy_expected=st.none() | number,
)  # fmt: skip
any_steps = st.builds(
    steps, count, steps=count, epoch=count, loss=number, accuracy=number, learning_rate=number,
    images_per_second=number, seconds_left=number,
)  # fmt: skip
any_epoch = st.builds(epoch, count, val_accuracy=number, best=st.booleans(), seconds=number)
any_end = st.builds(ended, best_epoch=count, train_seconds=number)
any_event = any_start | any_steps | any_epoch | any_end


def show(events, clock, *, live=False, width=80, **console):
    """What is written of (seconds since the last, event)."""
    page = Page(clock)
    writer = Console(file=page, width=width, highlight=False, **console)
    display = ProgressDisplay(writer, live=live, clock=clock)
    for seconds, event in events:
        clock.now += seconds
        display(event)
    display.close()
    display.close()
    return page


@given(st.lists(st.tuples(st.floats(0, 30), any_event), max_size=8), st.booleans())
def test_no_sequence_of_events_makes_it_fail_or_keeps_the_terminal(events, live):
    text = show(events, Clock(), live=live, force_terminal=live).getvalue()
    assert text.rfind(SHOW) >= text.rfind(HIDE)
    assert (HIDE in text) == (live and any(isinstance(event, RunStarted) for _, event in events))


@given(
    start=any_start,
    events=st.lists(st.tuples(st.floats(0, 3), any_steps | any_epoch), max_size=60),
)
def test_no_minute_is_full_of_lines(start, events):
    page = show([(0, start), *events, (0, ended())], Clock())
    # A line every two seconds at most, the epochs of a short run, two lines before and two after.
    most = 60 / 2 + 1 + FEW_EPOCHS + 4
    for moment in page.times:
        assert sum(moment <= time < moment + 60 for time in page.times) <= most


@given(
    accuracies=st.lists(st.floats(0, 1), min_size=1, max_size=40),
    seconds=st.floats(0, 15),
    live=st.booleans(),
)
def test_the_last_epoch_is_always_said_and_every_one_of_a_short_run(accuracies, seconds, live):
    best, history = -1.0, []
    for number, accuracy in enumerate(accuracies, 1):
        history.append(epoch(number, val_accuracy=accuracy, best=accuracy > best))
        best = max(best, accuracy)
    events = [started(epochs=float(len(history))), *history, ended()]
    text = show([(seconds, event) for event in events], Clock(), live=live).getvalue()
    said = [event.epoch for event in history if f"epoch {event.epoch}: training loss" in text]
    assert said[-1] == len(history)
    if len(history) <= FEW_EPOCHS:
        assert said == list(range(1, len(history) + 1))


def test_a_long_run_of_short_epochs_is_a_few_lines():
    history = [epoch(n, val_accuracy=1 - 0.97**n, best=True) for n in range(1, 84)]
    told = itertools.chain.from_iterable((steps(event.epoch), event) for event in history)
    events = [started(epochs=83.0), *told, ended()]
    lines = show([(0.05, event) for event in events], Clock()).getvalue().splitlines()
    assert len(lines) <= 8
    assert lines[-2].startswith("epoch 83: ")
    assert lines[-1] == "completed in 9.5 s; kept epoch 1"


def test_slow_epochs_are_each_said_and_between_them_the_steps():
    events = [started(epochs=50.0), *[epoch(n, best=False) for n in range(1, 13)]]
    text = show([(11, event) for event in events], Clock()).getvalue()
    assert text.count(": training loss") == 12
    waiting = show([(0, started()), *[(4, steps(n)) for n in range(1, 16)]], Clock()).getvalue()
    assert waiting.count("\n") == 1 + 5
    assert (
        "step 3 of 60, epoch 1: 6,210 images/s, loss 0.500, accuracy 75.0%, learning rate 0.013, "
        "41 s left"
    ) in waiting


def test_what_is_expected_is_said_before_the_start():
    text = show([(0, started(seconds_expected=43, accuracy_expected=0.921))], Clock()).getvalue()
    assert text.splitlines()[1] == "expected: about 45 s, about 92.1% accuracy"
    assert "expected" not in show([(0, started())], Clock()).getvalue()


def test_going_on_is_said_with_what_a_person_should_know():
    resumed = RunResumed(step=1200, notices=("step-1300 is damaged: passed over",))
    lines = show([(0, resumed), (0, started())], Clock()).getvalue().splitlines()
    assert lines[:2] == ["step-1300 is damaged: passed over", "going on after step 1,200"]


def drawn(width, *arguments):
    page = io.StringIO()
    Console(file=page, width=width, color_system=None).print(draw_live(*arguments, width))
    return page.getvalue().splitlines()


@given(st.integers(1, 200), any_start, st.none() | any_steps, st.none() | any_epoch, number)
def test_live_lines_fit_any_width(width, start, now, best, left):
    assert all(cell_len(line) <= width for line in drawn(width, start, now, best, left))


def test_sixty_columns_hold_all_that_matters():
    above, below = drawn(60, started(), steps(20), epoch(1), 41)
    assert above.startswith("epoch 1 of 3  ")
    assert above.rstrip().endswith("  41 s left")
    assert below == "6,210 images/s  loss 0.500  accuracy 75.0%  rate 0.013"
    wide = drawn(110, started(), steps(20), epoch(1), 41)[1]
    assert wide.endswith("learning rate 0.013  best on validation 70.0% (epoch 1)")


@given(st.integers(1, 500), st.integers(1, 500))
def test_the_bar_follows_a_plan_that_changes(step, total):
    now = steps(min(step, total), steps=total)
    above = drawn(100, started(epochs=6.0, steps=60), now, None, 1)[0]
    full = drawn(100, started(epochs=6.0, steps=60), steps(total, steps=total), None, 1)[0]
    share = above.count("━") / full.count("━")
    assert abs(share - now.step / total) < 0.05
    assert f" of {-(-total // 10)} " in above


def test_time_left_runs_down_between_events():
    clock = Clock()
    page = Page(clock)
    console = Console(file=page, width=80, force_terminal=True)
    display = ProgressDisplay(console, live=True, clock=clock)
    display(started(seconds_expected=90))
    display(steps(20, seconds_left=41))
    clock.now = 11
    display(epoch(1))  # a line of its own, which draws the live lines again
    display.close()
    assert page.getvalue().rstrip().rfind("30 s left") > page.getvalue().find("epoch 1: ")


def test_what_callbacks_print_stays_on_standard_output(capsys):
    display = ProgressDisplay(Console(file=io.StringIO(), force_terminal=True), live=True)
    display(started())
    sys.stdout.write("mine\n")
    display.close()
    assert capsys.readouterr().out == "mine\n"


@pytest.mark.parametrize("kind", ["auto", "live", "plain", "jsonl"])
def test_a_reader_that_has_gone_does_not_end_the_run(kind, monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with monkeypatch.context() as patch:
        stream = io.TextIOWrapper(io.FileIO(writing, "w"), write_through=True)
        patch.setattr(sys, "stderr", stream)
        display = choose_display(kind)
        for event in (started(), steps(1), epoch(1), ended()):
            display(event)
        stream.detach().close()
        for event in (started(), steps(1), epoch(1), ended()):
            display(event)
        display.close()


@pytest.mark.parametrize("live", [False, True])
def test_a_stream_that_is_closed_from_the_start_is_no_obstacle(live):
    stream = io.StringIO()
    stream.close()
    display = ProgressDisplay(Console(file=stream, force_terminal=live), live=live)
    for event in (started(), steps(1), epoch(1), ended()):
        display(event)
    display.close()


@st.composite
def risk_tables(draw):
    """Only such as can have been counted."""
    at = sorted(draw(st.sets(st.floats(0, 1), min_size=1, max_size=20)))
    answered = sorted(draw(st.sets(st.integers(1), min_size=len(at), max_size=len(at))))[::-1]
    wrong = draw(st.integers(0, answered[-1]))
    return RiskTable(thresholds=tuple(at), answered=tuple(answered), wrong=(wrong,) * len(at))


thresholds = st.builds(
    Thresholds,
    risks=risk_tables(),
    unknown=st.builds(
        UnknownBelow,
        threshold=st.floats(allow_nan=False, allow_infinity=False),
        kept=st.floats(0, 1),
        score=st.sampled_from(["energy", "max_logit", "neighbours"]),
    ),
)
epochs = st.builds(
    EpochDone, thresholds=st.none() | thresholds, temperature=st.none() | st.floats()
)
others = [st.from_type(kind) for kind in get_args(Event) if kind is not EpochDone]


@given(st.one_of([epochs, *others]))
def test_an_event_comes_whole_through_json(event):
    told = event_from_dict(json.loads(json.dumps(event_to_dict(event))))
    assert type(told) is type(event)
    assert repr(told) == repr(event)  # NaN is not equal to itself


@pytest.mark.parametrize(
    "values", [{}, {"event": "steps_dome"}, {"event": "run_ended", "step": "1"}]
)
def test_what_is_no_event_is_refused(values):
    with pytest.raises(ConfigError):
        event_from_dict(values)


def test_json_lines_are_the_events(capsys):
    events = [started(), steps(1), epoch(1), ended(train_seconds=float("inf"))]
    display = choose_display("jsonl")
    display.say_problems(SimpleNamespace(n_seen=9, n_used=8, problems=()), {"corrupt": 1})
    for event in events:
        display(event)
    display.close()
    captured = capsys.readouterr()
    first, *lines = [json.loads(line) for line in captured.err.splitlines()]
    assert first == {"event": "data_checked", "seen": 9, "used": 8, "problems": {"corrupt": 1}}
    assert lines[:-1] == [event_to_dict(event) for event in events[:-1]]
    assert lines[-1] == {**event_to_dict(events[-1]), "train_seconds": None}
    assert captured.out == ""


def test_a_display_is_chosen_by_name(capsys):
    assert choose_display(False) is choose_display("none") is None
    for kind in (True, "auto", "plain"):
        choose_display(kind)(started())
    assert capsys.readouterr().err.count("training 4,321 parameters on 1,000 pictures") == 3
    live = choose_display("live")
    live(started())
    live.close()
    assert HIDE in capsys.readouterr().err
    with pytest.raises(ConfigError, match="unknown progress 'jsnl'; did you mean 'jsonl'"):
        choose_display("jsnl")


def test_problems_of_the_data_are_said(capsys):
    corrected = Problem(kind="corrected", path="a.csv", reason="2 labels corrected", skipped=False)
    data = SimpleNamespace(
        n_seen=1200, n_used=1199, n_skipped=1, source="shoes", problems=[corrected]
    )
    choose_display("plain").say_problems(data, {"corrected": 1, "corrupt": 1, "copy": 1000})
    assert capsys.readouterr().err.splitlines() == [
        "1,199 of 1,200 files are used",
        "a.csv: 2 labels corrected",
        "problems of the data: 1 corrupt, 1,000 copy; see: convolens data shoes",
    ]


@given(number)
def test_times_are_always_words(seconds):
    assert duration(seconds)[0].isdigit()
    assert about(seconds).startswith("about ")
