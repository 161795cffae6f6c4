"""``convolens train``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from convolens.cli import train_options as take
from convolens.cli.data_options import takes_data_options
from convolens.cli.invocation import Interrupted, going_on, invocation
from convolens.cli.output import JsonOption, print_json, print_text
from convolens.errors import ConfigError

if TYPE_CHECKING:
    from convolens.experiments import Repeats
    from convolens.training import Recipe, Run
    from convolens.training.budget import Budget

LONGEST_LINE = 100  # columns of the closing report, however wide the terminal is


@takes_data_options
def train(
    context: typer.Context,
    options: dict[str, Any],
    data: take.DataArgument = None,
    recipe: take.RecipeOption = None,
    model: take.ModelOption = None,
    run: take.RunOption = None,
    epochs: take.EpochsOption = None,
    budget: take.BudgetOption = None,
    seed: take.SeedOption = None,
    seeds: take.SeedsOption = None,
    class_weights: take.ClassWeightsOption = None,
    sampling: take.SamplingOption = None,
    max_bad: take.MaxBadOption = 0.01,
    checkpoint_every: take.CheckpointOption = "30s",
    resume: take.ResumeOption = False,
    progress: take.ProgressOption = "auto",
    tensorboard: take.TensorBoardOption = False,
    as_json: JsonOption = False,
) -> int:
    """Train a classifier, and keep everything of it in a run folder.

    Keys of --json: run (the folder), data, recipe, seed, epochs, parameters, train_seconds,
    total_seconds, images_per_second, val_accuracy, test_accuracy (null without a test part),
    status, best_epoch.

    With --seeds: run (the folder), data, recipe, status, seeds (how many); val_accuracy and
    test_accuracy: each null, or its mean, deviation, low, high (95 %) and method (how the interval
    was made); train_seconds, total_seconds (sums); runs: for each seed its run (inside the folder),
    seed, epochs, best_epoch, val_accuracy, test_accuracy, train_seconds and total_seconds. The same
    command on the same --run DIR goes on where it was stopped.
    """
    shared: dict[str, Any] = {"checkpoint_every": checkpoint_every, "tensorboard": tensorboard}
    _check_before_reading(progress, **shared)
    given = {
        "recipe": recipe,
        "model": model,
        "epochs": epochs,
        "budget": _budget(context, budget, epochs),
        "seed": seed,
        "class_weights": class_weights,
        "sampling": sampling,
    }
    source = data or "digits"
    if seeds is not None:
        shared |= {"seeds": seeds, "path": run, "resume": resume, "max_bad": max_bad}
        repeats = _repeated(source, options, given, progress, shared)
        return _report_repeats(context, repeats, as_json=as_json)
    try:
        if resume:
            finished = _resumed(run, data, options, given, progress, shared)
        else:
            shared |= {"path": run, "max_bad": max_bad}
            finished = _trained(source, options, given, progress, shared)
    except KeyboardInterrupt as stop:  # one that left no result
        raise Interrupted("\n".join(getattr(stop, "__notes__", ()))) from stop
    return _report(context, finished, as_json=as_json, resumed=resume)


def _check_before_reading(progress: str, *, checkpoint_every: str, tensorboard: bool) -> None:
    from convolens.extras import require
    from convolens.training.durations import parse_duration
    from convolens.training.progress import choose_display

    parse_duration(checkpoint_every, "--checkpoint-every")
    choose_display(progress)
    if tensorboard:
        require("tensorboard", extra="tensorboard")


def _budget(context: typer.Context, text: str | None, epochs: float | None) -> "Budget | None":
    from convolens.recipes.budgets import choose_budget, refuse_both

    refuse_both(epochs, text, "--epochs", "--budget")
    return choose_budget(text, "--budget", started=invocation(context).started)


def _trained(
    source: str,
    options: dict[str, Any],
    given: dict[str, Any],
    progress: str,
    shared: dict[str, Any],
) -> "Run":
    from convolens.data import load_data
    from convolens.recipes import train as train_by_recipe
    from convolens.recipes.showing import preparation_shown

    recipe = _recipe(given)
    with preparation_shown(progress) as on_progress:
        dataset = load_data(source, on_progress=on_progress, **options)
    return train_by_recipe(
        dataset,
        recipe,
        seed=given["seed"] or 0,
        budget=given["budget"],
        progress=progress,
        **shared,
    )


def _repeated(
    source: str,
    options: dict[str, Any],
    given: dict[str, Any],
    progress: str,
    shared: dict[str, Any],
) -> "Repeats":
    from convolens.cli.output import teller
    from convolens.experiments import repeat_training
    from convolens.recipes.showing import preparation_shown

    if "seed" in options:  # that of the division; trainings have one of their own
        options["split_seed"] = options.pop("seed")
    budget: Budget | None = given["budget"]
    recipe = _recipe(given)
    with preparation_shown(progress) as on_progress:
        return repeat_training(
            source,
            recipe,
            seed=given["seed"] or 0,
            budget=None if budget is None else budget.seconds,
            say=teller(progress),
            on_progress=on_progress,
            **shared,
            **options,
        )


def _recipe(given: dict[str, Any]) -> "Recipe":
    """The recipe that is asked for, with the settings that are given beside it."""
    from convolens.experiments import find_recipe
    from convolens.recipes import with_model

    chosen = find_recipe(given["recipe"] or "fast")
    if given["model"] is not None:
        chosen = with_model(chosen, given["model"])
    names = ("epochs", "class_weights", "sampling")
    return replace(chosen, **{name: given[name] for name in names if given[name] is not None})


def _resumed(
    path: Path | None,
    data: str | None,
    options: dict[str, Any],
    given: dict[str, Any],
    progress: str,
    shared: dict[str, Any],
) -> "Run":
    """Go on with a run; what is given beside its folder must be what it began with."""
    from convolens.data import load_data
    from convolens.recipes import resume
    from convolens.recipes.showing import preparation_shown
    from convolens.training import load_run

    if path is None:
        raise ConfigError("--resume needs the run that it goes on with: add --run DIR")
    if (path / "seeds.json").is_file():
        raise ConfigError(f"{path} holds runs with several seeds; add the --seeds it began with")
    record = load_run(path).record
    _refuse_contradiction(path, record, given)
    if data is None and not options:
        return resume(path, progress=progress, **shared)
    source = record["data"]["source"] if data is None else data
    with preparation_shown(progress) as on_progress:
        dataset = load_data(
            source, on_progress=on_progress, **{**record["data"].get("options", {}), **options}
        )
    return resume(path, dataset, progress=progress, **shared)


def _refuse_contradiction(path: Path, record: Any, given: dict[str, Any]) -> None:
    from convolens.experiments import find_recipe

    recipe = record["recipe"]
    seconds = record.get("budget_seconds")
    begun = {
        **recipe,
        # What the architecture's name was added to, if another one than the recipe's was taken.
        "recipe": recipe["name"].removesuffix(f"-{recipe['architecture']}"),
        "model": recipe["architecture"],
        "seed": record["seed"],
        "budget": "no budget" if seconds is None else f"{seconds:g}s",
    }
    now = {name: value for name, value in given.items() if value is not None}
    if "recipe" in now:  # which may be a file
        name = find_recipe(now["recipe"]).name
        # A recipe of a file may end like that by itself.
        now["recipe"] = begun["recipe"] if name == recipe["name"] else name
    if "budget" in now:
        now["budget"] = f"{now['budget'].seconds:g}s"
    for name, value in now.items():
        if value != begun[name]:
            option = name.replace("_", "-")
            raise ConfigError(
                f"--{option} is {value}, but {path} was begun with {begun[name]}; leave it out, "
                "or start a run of its own"
            )


def _report(context: typer.Context, run: "Run", *, as_json: bool, resumed: bool) -> int:
    from convolens.training.end_report import end_report
    from convolens.training.ending import resume_command

    if as_json:
        print_json(run.to_dict())
    else:
        # How a resumed run began nobody wrote down.
        again = "" if resumed else invocation(context).again("--seeds", "3", without=("--run=",))
        print_text(end_report(run, _columns(), again=again))
    if run.status == "interrupted":
        raise Interrupted(f"go on with: {resume_command(run.path)}")
    return 0


def _report_repeats(context: typer.Context, done: "Repeats", *, as_json: bool) -> int:
    if as_json:
        print_json(done.to_dict())
    else:
        print_text(str(done))
    if done.status == "interrupted":
        raise going_on(context, str(done.path))
    return 0


def _columns() -> int:
    from shutil import get_terminal_size

    return min(LONGEST_LINE, get_terminal_size().columns)
