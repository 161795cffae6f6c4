"""A budget plans the whole schedule into the time, whatever the machine does."""

import json
import math
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens import recipes
from convolens.data import load_data
from convolens.errors import ConfigError
from convolens.training import budget as module
from convolens.training.budget import Budget, BudgetPace, PlannedPace
from convolens.training.events import read_events
from convolens.training.planning import Plan, keep_reserve, plan_run
from convolens.training.recording import prepare_job


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def perf_counter(self) -> float:
        return self.now


class State:
    """What a pace looks at."""

    def __init__(self, steps: int = 1) -> None:
        self.step, self.steps = 0, steps


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def run(pace: BudgetPace, state: State, clock: Clock, durations: list[float]) -> list[float]:
    """Steps until the pace says that it was the last; their durations come round again."""
    shares: list[float] = []
    while not shares or state.step < state.steps:
        shares.append(pace.share(state))  # pyright: ignore[reportArgumentType]
        clock.now += durations[state.step % len(durations)]
        state.step += 1
    return shares


@given(
    seconds=st.floats(5, 500),
    expected=st.floats(0.001, 0.5),
    durations=st.lists(st.floats(0.02, 0.2), min_size=1, max_size=9),
)
def test_the_schedule_ends_with_the_time(
    seconds: float, expected: float, durations: list[float]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(module, "time", clock)
        begin = clock.now
        pace = BudgetPace(Budget.from_now(seconds), expected)
        shares = run(pace, State(), clock, durations)
        taken = clock.now - begin
        assert math.isclose(pace.done, 1.0)
        assert shares == sorted(shares)
        assert shares[0] > 0
        assert shares[-1] <= 1
        # A step that has begun is ended; none is left out that fits.
        assert abs(taken - seconds) <= 2 * max(durations) + 0.02 * seconds


def test_a_machine_that_becomes_ten_times_slower_still_ends_in_time(clock: Clock) -> None:
    begin = clock.now
    durations = [0.01] * 1000 + [0.1] * 100_000
    shares = run(BudgetPace(Budget.from_now(60), 0.01), State(), clock, durations)
    assert clock.now - begin == pytest.approx(60, rel=0.05)
    assert shares[-1] == pytest.approx(1, abs=0.05)


@given(stall=st.floats(0.5, 40), at=st.integers(1, 30), expected=st.floats(0.005, 0.03))
def test_a_machine_that_stood_still_once_does_not_end_the_run(
    stall: float, at: int, expected: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "time", clock := Clock())
        begin = clock.now
        durations = [*[0.01] * at, stall, *[0.01] * 9_000]
        shares = run(BudgetPace(Budget.from_now(60), expected), State(), clock, durations)
    assert clock.now - begin == pytest.approx(60, rel=0.05)
    assert len(shares) == pytest.approx((60 - stall) / 0.01, rel=0.1)
    assert np.diff(shares).max() < 0.01  # the learning rate does not leap


def test_a_checkpoint_keeps_the_time_that_was_left(clock: Clock) -> None:
    pace, state = BudgetPace(Budget.from_now(10), 0.1), State()
    for _ in range(50):
        pace.share(state)  # pyright: ignore[reportArgumentType]
        clock.now += 0.1
        state.step += 1
    saved = pace.state_dict()
    clock.now += 3600
    again = BudgetPace(Budget.from_now(10), 0.5)
    again.load_state_dict(saved)
    begin = clock.now
    shares = run(again, state, clock, [0.1])
    assert clock.now - begin == pytest.approx(5, abs=0.3)
    assert shares[0] == pytest.approx(0.5, abs=0.03)
    assert again.done == pytest.approx(1)


def test_an_overdrawn_budget_takes_one_step(clock: Clock) -> None:
    pace, state = BudgetPace(Budget(seconds=2, started=clock.now - 9), 0.1), State()
    assert len(run(pace, state, clock, [0.1])) == 1


@pytest.mark.parametrize("seconds", [0, 0.5, -3, math.nan, math.inf])
def test_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(ConfigError, match="at least 1 second"):
        Budget.from_now(seconds)


def test_planned_steps_are_taken_evenly() -> None:
    state, shares = State(steps=4), list[float]()
    for _ in range(4):
        shares.append(PlannedPace().share(state))  # pyright: ignore[reportArgumentType]
        state.step += 1
    assert shares == [0.125, 0.375, 0.625, 0.875]


def test_a_budget_that_is_over_is_refused_and_leaves_no_folder(tmp_path: Path) -> None:
    spent = Budget(seconds=2, started=time.perf_counter() - 3)
    with pytest.raises(ConfigError, match=r"2 s is over before the first step.*give it more"):
        recipes.train("digits", budget=spent, path=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_a_long_budget_is_for_the_whole_width_and_many_epochs() -> None:
    job = prepare_job(load_data("digits"), recipes.fast(), 0)
    plan = plan_run(job, Budget.from_now(3600), asked=recipes.fast(), figures=False)
    assert plan.job.recipe.epochs is not None
    assert plan.job.recipe.epochs > 20
    assert "width" not in plan.job.recipe.arguments
    assert plan.budget is not None
    assert 0 < plan.budget.reserve < 60


def test_batches_larger_than_the_data_are_measured_as_they_are() -> None:
    job = prepare_job(load_data("digits"), recipes.fast(batch_size=60_000, epochs=2), 0)
    plan = plan_run(job, figures=False)
    assert plan.expected.seconds is not None
    assert plan.expected.seconds < 60


def test_what_judging_takes_is_known_once_it_was_done() -> None:
    budget = Budget(seconds=60, started=0, reserve=5.0, validating=1.0, testing=2.0)
    faster = budget.judged_in(0.5)
    assert (faster.reserve, faster.validating, faster.testing) == (3.5, 0.5, 1.0)
    assert faster.left() - budget.left() == pytest.approx(1.5, abs=0.1)
    assert budget.judged_in(2.0).reserve == 8.0
    assert budget.judged_in(0.5).judged_in(1.0) == budget
    short = Budget(seconds=60, started=0, reserve=0.5, validating=1.0, testing=2.0)
    assert short.judged_in(0.1).reserve == 0
    unknown = Budget(seconds=60, started=0, reserve=5.0)
    assert unknown.judged_in(7.0) is unknown
    pace = BudgetPace(budget, 0.1)
    pace.judged(0.5)
    assert pace.budget == faster
    resumed = BudgetPace(budget, 0.1)
    resumed.load_state_dict(pace.state_dict())
    assert resumed.budget.left() == pytest.approx(pace.budget.left(), abs=0.1)


def test_a_recipe_that_is_planned_stays_and_gets_a_reserve() -> None:
    job = prepare_job(load_data("digits"), recipes.fast(epochs=0.3), 0)
    plan = keep_reserve(Plan(job=job, budget=Budget.from_now(600)), figures=False)
    assert plan.job is job
    assert plan.budget is not None
    assert 0 < plan.budget.reserve < 60
    assert plan.expected.seconds == pytest.approx(600, rel=0.1)
    assert keep_reserve(plan) is plan
    assert keep_reserve(without := Plan(job=job)) is without
    spent = Budget(seconds=2, started=time.perf_counter() - 3)
    with pytest.raises(ConfigError, match="2 s is over before the first step"):
        keep_reserve(Plan(job=job, budget=spent))


def test_a_run_that_died_before_its_first_checkpoint_keeps_its_reserve(tmp_path: Path) -> None:
    made = recipes.train("digits", epochs=0.2, path=tmp_path / "run", progress=False)
    begun = {**made.record, "status": "running", "results": {}, "budget_seconds": 3.0}
    for name in ("model", "figures", "checkpoints"):
        shutil.rmtree(made.path / name, ignore_errors=True)
    (made.path / "run.json").write_text(json.dumps(begun))
    run = recipes.resume(made.path, progress=False)
    assert run.status == "completed"
    assert run.record["recipe"] == made.record["recipe"]
    (started,) = [event for event in read_events(made.path / "metrics.jsonl")
                  if event["event"] == "run_started"]  # fmt: skip
    # Without a measured step nothing is expected, and nothing is kept back for what comes after.
    assert 0 < started["seconds_expected"] <= 3
