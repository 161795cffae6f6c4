"""The time of an experiment: what each run gets of it, and one plan for all."""

import json
import math
import shutil
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data import load_data
from convolens.errors import ConfigError
from convolens.experiments import cross_validate, repeat_training
from convolens.experiments import timing as module
from convolens.experiments.jobs import Job
from convolens.experiments.timing import PlannedRecipe, WholeTime, plan_recipe
from convolens.recipes import fast
from convolens.training import load_run
from convolens.training.budget import Budget


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def perf_counter(self):
        return self.now

    time = perf_counter


def plan(seconds):
    return PlannedRecipe(
        epochs=1.0,
        batch_size=32,
        arguments={},
        flip=False,
        shift=0,
        hardest_share=1.0,
        seconds=seconds,
    )


def carry_out(clock, whole, waiting, at_once, lengths):
    """Hand out times for rounds of runs that take so many times their share; the shares."""
    whole.begin(waiting, at_once)
    shares = []
    for first in range(0, waiting, at_once):
        timed = [
            whole(Job(name=f"run {number}", folder=f"{number}", seed=number))
            for number in range(first, min(waiting, first + at_once))
        ]
        shares += [job.seconds for job in timed]
        clock.now += max(shares[-len(timed) :]) * lengths[first // at_once % len(lengths)]
    return shares


@given(
    seconds=st.floats(60, 3600),
    before=st.floats(0, 20),
    jobs=st.integers(1, 12),
    at_once=st.integers(1, 4),
    lengths=st.lists(st.floats(0.8, 1.0), min_size=1, max_size=5),
)
def test_the_whole_ends_in_time_and_each_has_its_part(seconds, before, jobs, at_once, lengths):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "time", clock := Clock())
        whole = WholeTime(Budget(seconds=seconds, started=clock.now - before), jobs)
        shares = carry_out(clock, whole, jobs, at_once, lengths)
        assert whole.left() >= -1e-6
    assert all(share >= shares[0] - 1e-6 for share in shares)
    rounds = math.ceil(jobs / at_once)
    assert shares[0] * rounds <= seconds - before
    assert shares[0] * rounds >= 0.7 * (seconds - before) - 2.5


@given(waiting=st.integers(1, 6), each=st.floats(2, 100), late=st.floats(0, 1e5))
def test_what_goes_on_has_the_time_that_was_planned(waiting, each, late):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "time", clock := Clock())
        begun = Budget(seconds=60, started=clock.now - late)
        shares = carry_out(clock, WholeTime(begun, 6, plan(each)), waiting, 1, [0.5, 1.0])
    assert shares == pytest.approx([each] * waiting)


def test_a_short_time_is_for_half_the_width_and_all_that_was_planned_is_kept():
    data = load_data("digits")
    made = plan_recipe(data, fast(), 0, Budget(seconds=60, started=time.perf_counter()))
    recipe = made.of(fast())
    assert recipe.epochs == made.epochs > 1
    assert recipe.settled(len(data.train), size=8) == recipe
    assert made.seconds == 60
    assert "epochs" in str(made)


def test_no_time_for_so_many_runs_is_said_before_anything_is_written(arrays, recipe, tmp_path):
    with pytest.raises(ConfigError, match=r"a budget of 6 s for 20 runs leaves 0\.\d s for each"):
        cross_validate(arrays, recipe, folds=20, budget=6, path=tmp_path / "cv")
    with pytest.raises(ConfigError, match="epochs and budget both say how long"):
        cross_validate(arrays, recipe, budget=6, epochs=2, path=tmp_path / "cv")
    assert not (tmp_path / "cv").exists()


def test_folds_with_a_time_are_of_one_recipe_and_end_in_time(arrays, recipe, tmp_path):
    # Most of an hour is over: little is left, however late the rest begins.
    late = Budget(seconds=3600.0, started=time.perf_counter() - 3592.0)
    done = cross_validate(arrays, recipe, folds=2, budget=late, path=tmp_path / "cv")
    assert done.status == "completed"
    assert done.record["settings"]["budget_seconds"] == 3600.0
    trained = [run.record["recipe"] for run in done.runs]
    assert trained[0] == trained[1]
    assert trained[0]["epochs"] == done.record["plan"]["epochs"]
    times = [run.record["budget_seconds"] for run in done.runs]
    assert sum(times) < 8.0
    with pytest.raises(ConfigError, match=r"was begun with budget_seconds 3600\.0 and not null"):
        cross_validate(arrays, recipe, folds=2, path=tmp_path / "cv")


def test_seeds_that_go_on_keep_the_plan_of_their_folder(arrays, recipe, tmp_path):
    options = {"seeds": 2, "budget": 2, "path": tmp_path / "seeds"}
    repeat_training(load_data(arrays), recipe, **options)
    record = json.loads((tmp_path / "seeds/seeds.json").read_text())
    trained = [load_run(tmp_path / "seeds" / name).record for name in ("seed-0", "seed-1")]
    for run in trained:
        planned = record["plan"]
        assert {name: run["recipe"][name] for name in ("epochs", "batch_size", "arguments")} == {
            name: planned[name] for name in ("epochs", "batch_size", "arguments")
        }
        assert run["recipe"]["augmentation"]["flip"] is planned["flip"]
    # Whatever is written there is what the next run is of: it is not planned again.
    record["plan"]["arguments"] = {"width": 6}
    (tmp_path / "seeds/seeds.json").write_text(json.dumps(record))
    shutil.rmtree(tmp_path / "seeds/seed-1")
    again = repeat_training(load_data(arrays), recipe, resume=True, **options)
    assert [run.record["recipe"]["arguments"]["width"] for run in again.runs] == [4, 6]
