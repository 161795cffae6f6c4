"""How an experiment is shown: which run of how many, the time left of the whole, and no failure."""

import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from convolens.errors import ConfigError
from convolens.experiments.events import JobEnded, JobStarted, RunTold
from convolens.experiments.showing import ExperimentDisplay, Position, experiment_shown
from convolens.training.events import EpochDone, RunEnded, RunStarted, StepsDone

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Clock:
    """Time goes on by what a test says."""

    now = 0.0

    def __call__(self):
        return self.now


def run_started(steps=60):
    return RunStarted(
        epochs=3.0, steps=steps, n_train=1000, batch_size=50, parameters=4321, device="cpu",
        precision="float32",
    )  # fmt: skip


def steps_done(step, left=41.0, steps=60):
    return StepsDone(
        step=step, steps=steps, epoch=1, loss=0.5, accuracy=0.75, learning_rate=0.0125,
        images_per_second=6210.0, seconds_left=left,
    )  # fmt: skip


def epoch_done(accuracy):
    return EpochDone(
        epoch=1, step=20, train_loss=0.5, train_accuracy=0.8, val_loss=0.6, val_accuracy=accuracy,
        best=True, seconds=2.0,
    )  # fmt: skip


def job(kind, number, jobs=5, **changes):
    done = number if kind is JobEnded else number - 1
    return kind(**{"job": f"fold {number} of {jobs}", "done": done, "jobs": jobs} | changes)


number = st.none() | st.floats()
any_job = st.builds(
    lambda kind, number, jobs, each, left: kind(
        job=f"trial {number}", done=number, jobs=jobs, seconds_each=each, seconds_left=left
    ),
    st.sampled_from([JobStarted, JobEnded]), st.integers(0, 5), st.none() | st.integers(0, 9),
    number, number,
)  # fmt: skip
told = (
    st.builds(run_started, st.integers(-1, 100))
    | st.builds(steps_done, st.integers(-1, 100), st.floats(), st.integers(-1, 100))
    | st.builds(epoch_done, st.floats())
    | st.just(RunEnded(status="completed", step=3, best_epoch=1, train_seconds=1.0))
)
any_event = (
    any_job
    | told
    | st.builds(lambda n, told: RunTold(job=f"trial {n}", told=told), st.integers(0, 5), told)
)


@given(st.lists(st.tuples(st.floats(0, 30), any_event), max_size=10), st.booleans(),
       st.integers(20, 120))  # fmt: skip
def test_no_sequence_of_events_makes_it_fail_or_keeps_the_terminal(events, live, width):
    clock, page = Clock(), io.StringIO()
    console = Console(file=page, width=width, highlight=False, force_terminal=live)
    display = ExperimentDisplay(console, live=live, clock=clock)
    for seconds, event in events:
        clock.now += seconds
        display(event)
        display.say("words")
    display.close()
    display.close()
    text = page.getvalue()
    assert text.rfind(SHOW) >= text.rfind(HIDE)
    assert text.count("words") >= len(events)


def left_after(*events):
    """Seconds that are left when each event came ten seconds after the one before."""
    clock = Clock()
    position = Position(clock=clock)
    for event in events:
        clock.now += 10
        position.take(event)
    return position.seconds_left(), position.share()


def test_the_first_run_says_how_long_the_others_will_take():
    left, share = left_after(job(JobStarted, 1), run_started(), steps_done(30, left=20))
    assert left == pytest.approx(20 + 4 * (20 + 20))
    assert share == pytest.approx(0.5 / 5)


def test_later_runs_take_what_those_before_took():
    events = [job(JobStarted, 3, seconds_each=60.0), run_started(), steps_done(15, left=30)]
    left, share = left_after(*events)
    assert left == pytest.approx(30 + 2 * 60)
    assert share == pytest.approx(2.25 / 5)


def test_trials_are_not_alike():
    started = job(JobStarted, 1, alike=False)
    assert left_after(started, run_started(), steps_done(15)) == (None, 0.0)
    later = job(JobStarted, 2, alike=False, seconds_each=60.0)
    left, _ = left_after(later, run_started(), steps_done(15))
    assert left == pytest.approx(4 * 60 - 20)


def test_a_budget_says_itself_what_is_left():
    started = JobStarted(job="trial 3", done=2, jobs=None, seconds_left=100.0)
    assert left_after(started, run_started(), steps_done(15)) == (pytest.approx(80), None)


def of(number, event):
    return RunTold(job=f"fold {number} of 5", told=event)


def two_at_once():
    """The third and the fourth of five, a third and a half done."""
    return [
        job(JobStarted, 3, done=2, seconds_each=90.0, at_once=2),
        job(JobStarted, 4, done=2, seconds_each=90.0, at_once=2),
        of(3, run_started()),
        of(4, run_started()),
        of(3, steps_done(20, left=60.0)),
        of(4, steps_done(30, left=40.0)),
    ]


def test_of_several_at_once_the_slowest_and_the_rounds_that_follow_count():
    left, share = left_after(*two_at_once())
    assert left == pytest.approx(60 - 10 + 90)
    assert share == pytest.approx((2 + 1 / 3 + 1 / 2) / 5)
    first = [each for each in two_at_once() if not isinstance(each, RunTold)]
    assert left_after(*first) == (pytest.approx(2 * 90), pytest.approx(2 / 5))
    # Without one that has ended the slowest says how long the others take: 20 s for a third.
    new = [job(JobStarted, number, done=0, at_once=2) for number in (3, 4)]
    left, share = left_after(*new, *two_at_once()[2:])
    assert left == pytest.approx(50 + 2 * (40 + 60))
    # What a bare event is of, nobody knows; a run that is not known tells nothing.
    assert left_after(*two_at_once(), steps_done(59)) == left_after(*two_at_once(), job_unknown())


def job_unknown():
    return of(1, steps_done(59))


@pytest.mark.parametrize("width", [60, 100])
def test_the_live_lines_of_several_at_once_are_a_line_each(width):
    page = io.StringIO()
    console = Console(file=page, width=width, force_terminal=True, color_system=None)
    display = ExperimentDisplay(console, live=True, clock=lambda: 0.0)
    for event in two_at_once():
        display(event)
    display.close()
    drawn = page.getvalue().replace("\r", "\n").split("\n")
    lines = [re.sub(r"\x1b\[[?0-9]*[A-Za-z]", "", line) for line in drawn]
    assert any(line.startswith("2 at once  ") and "2 min 30 s left" in line for line in lines)
    for number in (3, 4):
        words = f"fold {number} of 5  epoch 1 of 3  6,210 images/s"
        assert any(line.startswith(words) for line in lines)
    assert all(cell_len(line) <= width for line in lines)


def test_without_a_terminal_several_at_once_are_told_in_turn():
    clock, page = Clock(), io.StringIO()
    display = ExperimentDisplay(Console(file=page, width=200), live=False, clock=clock)
    for event in two_at_once()[:4]:
        display(event)
    for step in range(6):
        clock.now += 6
        display(of(3, steps_done(step)))
        display(of(4, steps_done(step)))
    said = [line.partition(":")[0] for line in page.getvalue().splitlines()]
    assert said == ["fold 3 of 5", "fold 4 of 5", "fold 3 of 5"]


@pytest.mark.parametrize("width", [40, 80])
def test_the_live_lines_say_the_run_the_epoch_and_the_time_left(width):
    page = io.StringIO()
    console = Console(file=page, width=width, force_terminal=True, color_system=None)
    display = ExperimentDisplay(console, live=True, clock=lambda: 0.0)
    for event in (job(JobStarted, 2, seconds_each=60.0), run_started(), steps_done(20)):
        display(event)
    display.say("fold 1 of 5: 98 %")
    display.close()
    text = page.getvalue()
    assert "fold 2 of 5  " in text
    assert "  3 min 41 s left" in text
    assert "epoch 1 of 3  6,210 images/s" in text
    drawn = text.replace("\r", "\n").split("\n")
    assert all(cell_len(line.split("\x1b")[0]) <= width for line in drawn)


def test_without_a_terminal_a_silent_run_is_told_with_its_name():
    clock, page = Clock(), io.StringIO()
    display = ExperimentDisplay(Console(file=page, width=200), live=False, clock=clock)
    for seconds, event in [(0, job(JobStarted, 2)), (0, run_started()), (1, steps_done(1)),
                           (11, steps_done(15))]:  # fmt: skip
        clock.now += seconds
        display(event)
    assert page.getvalue().startswith("fold 2 of 5: step 15 of 60, epoch 1: 6,210 images/s")
    assert page.getvalue().count("\n") == 1


def test_every_kind_of_progress(capsys):
    for kind in (False, "none", "jsonl", "plain"):
        with experiment_shown(kind) as shown:
            shown.on_event(job(JobStarted, 1))
            shown.on_event(of(1, steps_done(7)))
            shown.say("words")
    lines = capsys.readouterr().err.splitlines()
    assert json.loads(lines[0])["event"] == "job_started"
    own = json.loads(lines[1])
    assert (own["event"], own["job"], own["step"]) == ("steps_done", "fold 1 of 5", 7)
    assert json.loads(lines[2]) == {"event": "message", "text": "words"}
    assert lines[3:] == ["words"]
    with (
        pytest.raises(ConfigError, match="unknown progress 'jsnl'; did you mean 'jsonl'"),
        experiment_shown("jsnl"),
    ):
        pass
