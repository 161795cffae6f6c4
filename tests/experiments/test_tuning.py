"""Tuning: what it may change, who goes on, and that no trial is lost or made twice."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.errors import ConfigError, ExtraMissing
from convolens.experiments import find_recipe, tune
from convolens.experiments.search import goes_on, next_settings, rungs
from convolens.experiments.spaces import RULES, SPACES, space_of, tunable, with_settings
from convolens.experiments.trials import Rung, Trial, TrialLog, best_of
from convolens.recipes import RECIPES, fast, notes

OPTIONS = {"trials": 5, "epochs": 4, "seed": 3}


def without_seconds(trials):
    return [
        replace(trial, rungs=tuple(replace(rung, seconds=0.0) for rung in trial.rungs))
        for trial in trials
    ]


def trial(number, *scores, status="halted"):
    reached = tuple(
        Rung(epochs=3.0**rung, val_accuracy=score, val_loss=1 - score, seconds=1.0)
        for rung, score in enumerate(scores)
    )
    return Trial(trial=number, status=status, settings={"learning_rate": 0.1}, rungs=reached)


@pytest.fixture(scope="module")
def done(arrays, recipe, tmp_path_factory):
    return tune(arrays, recipe, path=tmp_path_factory.mktemp("tune"), **OPTIONS)


def test_the_first_trial_is_the_recipe_and_the_best_is_never_worse(done, recipe):
    first = done.trials[0]
    assert first.status == "completed"
    assert first.settings == {name: tunable(recipe)[name] for name in SPACES["fast"]}
    assert done.best.rungs[-1].score >= first.rungs[-1].score
    assert [each.trial for each in done.trials] == [1, 2, 3, 4, 5]


def test_the_file_of_the_best_is_a_recipe_with_its_settings(done, recipe):
    assert (
        done.recipe
        == find_recipe(done.path / "best.json")
        == find_recipe(str(done.path / "best.json"))
    )
    assert done.recipe.name == "fast-tuned"
    assert done.recipe.epochs == OPTIONS["epochs"]
    settings = {name: tunable(done.recipe)[name] for name in SPACES["fast"]}
    assert settings == done.best.settings
    assert [entry.name for entry in space_of(done.recipe)] == list(SPACES["fast"])
    json.dumps(done.to_dict(), allow_nan=False)


def test_test_pictures_change_nothing(done, arrays, recipe, tmp_path):
    images, labels = arrays
    parts = {"train": (images[:120], labels[:120]), "validation": (images[120:], labels[120:])}
    scores = []
    for name, shade in (("a", 0), ("b", 200)):
        blank = np.full((6, 8, 8), shade, np.uint8)
        data = {**parts, "test": (blank, labels[:6])}
        made = tune(data, recipe, trials=2, epochs=0.5, path=tmp_path / name)
        scores.append(without_seconds(made.trials))
    assert scores[0] == scores[1]


def test_it_goes_on_wherever_it_was_killed(done, arrays, recipe, tmp_path):
    """As many lines as were written, and a piece of the next one."""
    lines = (done.path / "trials.jsonl").read_bytes().splitlines(keepends=True)
    for kept, torn in ((2, 40), (0, 1), (4, len(lines[4]) - 1)):
        folder = tmp_path / f"{kept}"
        folder.mkdir()
        (folder / "tune.json").write_bytes((done.path / "tune.json").read_bytes())
        (folder / "trials.jsonl").write_bytes(b"".join(lines[:kept]) + lines[kept][:torn])
        again = tune(arrays, recipe, path=folder, resume=True, **OPTIONS)
        assert without_seconds(again.trials) == without_seconds(done.trials)
        assert len((folder / "trials.jsonl").read_bytes().splitlines()) == 5
        assert (folder / "best.json").read_bytes() == (done.path / "best.json").read_bytes()


def test_fewer_or_as_many_trials_train_nothing(done, arrays, recipe):
    said = []
    before = (done.path / "trials.jsonl").read_bytes()
    again = tune(arrays, recipe, path=done.path, trials=3, epochs=4, seed=3, say=said.append)
    assert said == ["5 trials were made before and are kept"]
    assert (done.path / "trials.jsonl").read_bytes() == before
    assert again.best == done.best


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": None}, "how long to search"),
        ({"trials": 0}, "trials is 0"),
        ({"trials": None, "budget": 0.0}, r"budget is 0.0; allowed: above 0 seconds"),
        ({"budget": float("nan")}, "budget is nan; allowed: above 0 seconds"),
        ({"budget": "soon"}, "soon"),
        ({"budget": [1]}, r"budget is \[1\]; allowed: above 0 seconds"),
        ({"seed": 4}, "was begun with seed 3 and not 4"),
        ({"epochs": 1}, "was begun with recipe epochs 4 and not epochs 1"),
        ({"split_seed": 7}, "was begun with division seed null and not seed 7"),
    ],
)
def test_what_cannot_be_is_refused(done, arrays, recipe, options, message):
    with pytest.raises(ConfigError, match=message):
        tune(arrays, recipe, path=done.path, **{**OPTIONS, **options})


def test_a_budget_that_is_over_ends_it_after_the_first_trial(arrays, recipe, tmp_path):
    made = tune(arrays, recipe, budget=1e-6, epochs=0.5, path=tmp_path / "tune")
    assert [(each.trial, each.status) for each in made.trials] == [(1, "completed")]
    assert made.status == "completed"


def test_without_optuna_one_line_says_what_to_install(arrays, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ExtraMissing, match=r'pip install "convolens\[tune\]"'):
        tune(arrays, trials=1, path=tmp_path / "tune")
    assert not (tmp_path / "tune").exists()


def test_settings_that_cannot_be_trained_are_a_failed_trial(recipe, arrays, tmp_path):
    wild = replace(recipe, optimizer=replace(recipe.optimizer, adam_learning_rate=1e30))
    with pytest.raises(ConfigError):  # the recipe's own: its author is to know
        tune(arrays, wild, trials=1, path=tmp_path / "a")
    log = TrialLog(tmp_path / "trials.jsonl")
    log.append(Trial(trial=1, status="failed", settings={}, reason="diverged"))
    assert TrialLog(tmp_path / "trials.jsonl").trials == log.trials
    assert best_of(log.trials) is None
    next_settings(space_of(recipe), [replace(log.trials[0], settings=tunable(recipe))], seed=0)


@pytest.mark.parametrize(
    "line", ["{", '{"trial": 2}', "[]", '{"trial": 1}', '{"trial": 1, "x": 2}']
)
def test_a_log_that_was_changed_is_refused(tmp_path, line):
    (tmp_path / "trials.jsonl").write_text(line + "\n")
    with pytest.raises(ConfigError, match=r"trials\.jsonl, line 1"):
        TrialLog(tmp_path / "trials.jsonl")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_about_one_in_three_goes_on(scores):
    known = []
    for number, score in enumerate(scores, 1):
        on = goes_on(0, trial(number, score).rungs[0], known)
        better = sum(each.rungs[0].score >= trial(0, score).rungs[0].score for each in known)
        assert on == (better < max(1, number // 3))
        known.append(trial(number, score))


def test_the_best_came_furthest():
    known = [trial(1, 0.5, 0.6), trial(2, 0.9), trial(3, 0.5, 0.7), trial(4, 0.4, 0.65)]
    assert best_of(known) is known[2]
    assert best_of([]) is None


@given(st.floats(0.01, 1000), st.integers(1, 5000))
def test_rungs_rise_to_the_whole(epochs, steps):
    found = rungs(epochs, steps)
    assert found[-1] == epochs
    assert list(found) == sorted(set(found))
    assert all(each * steps >= 16 for each in found[:-1])


@pytest.mark.parametrize("name", sorted(RECIPES))
@given(seed=st.integers(0, 2**63 - 1), data=st.data())
def test_whatever_the_sampler_says_is_a_recipe(name, seed, data):
    recipe = RECIPES[name]()
    space = space_of(recipe)
    assert [entry.name for entry in space] == [n for n in SPACES[name] if n in tunable(recipe)]
    first = Trial(trial=1, status="completed", settings=next_settings(space, [], seed),
                  rungs=trial(1, 0.5).rungs)  # fmt: skip
    settings = next_settings(space, [first], seed)
    assert next_settings(space, [first], seed) == settings
    changed = with_settings(recipe, settings)
    assert {name: tunable(changed)[name] for name in settings} == settings
    assert with_settings(recipe, first.settings).optimizer == recipe.optimizer
    for entry in space:
        if entry.kind == "choice":
            assert settings[entry.name] in entry.choices
        else:
            assert entry.low <= settings[entry.name] <= entry.high


def test_settings_are_found_wherever_they_are():
    changed = with_settings(fast(), {"momentum": 0.5, "shift": 1, "width": 8, "batch_size": 7})
    assert (changed.optimizer.momentum, changed.augmentation.shift) == (0.5, 1)
    assert (changed.arguments, changed.batch_size) == ({"width": 8}, 7)
    with pytest.raises(ConfigError, match="the recipe notes has no setting 'widht'"):
        with_settings(notes(), {"widht": 8})
    unknown = replace(fast(), name="mine")
    assert {entry.name for entry in space_of(unknown)} <= set(RULES)
