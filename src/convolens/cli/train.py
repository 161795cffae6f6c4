"""``convolens train``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from convolens.cli import train_options as take
from convolens.cli.data_options import takes_data_options
from convolens.cli.experimenting import (
    check_before_reading,
    chosen_budget,
    chosen_recipe,
    data_options,
    interrupts_go_on,
    report,
)
from convolens.cli.invocation import Interrupted, invocation
from convolens.cli.output import JsonOption, print_json, print_text
from convolens.errors import ConfigError
from convolens.extras import require

if TYPE_CHECKING:
    from convolens.experiments import Repeats
    from convolens.training import Recipe, Run

LONGEST_LINE = 100  # columns of the closing report, however wide the terminal is


@takes_data_options
def train(
    context: typer.Context,
    options: dict[str, Any],
    data: take.OptionalDataArgument = None,
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
    check_before_reading(progress, checkpoint_every=checkpoint_every)
    if tensorboard:
        require("tensorboard", extra="tensorboard")
    asked = _Asked(
        data=data,
        options=options,
        given={
            "recipe": recipe,
            "model": model,
            "epochs": epochs,
            "budget": chosen_budget(context, budget, epochs),
            "seed": seed,
            "class_weights": class_weights,
            "sampling": sampling,
        },
        path=run,
        max_bad=max_bad,
        progress=progress,
        how={"checkpoint_every": checkpoint_every, "tensorboard": tensorboard},
    )
    if seeds is not None:
        with interrupts_go_on(context):
            done = _repeated(asked, seeds, resume=resume)
        value, text = done.to_dict(), str(done)
        return report(context, done.status, done.path, value=value, text=text, as_json=as_json)
    try:
        finished = _resumed(asked) if resume else _trained(asked)
    except KeyboardInterrupt as stop:  # one that left no result
        raise Interrupted("\n".join(getattr(stop, "__notes__", ()))) from stop
    return _report(context, finished, as_json=as_json, resumed=resume)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What the command was asked for."""

    data: str | None
    options: dict[str, Any]
    """How the data are read."""
    given: dict[str, Any]
    """Settings of the recipe and the run; None for those that were not given."""
    path: Path | None
    max_bad: float
    progress: str
    how: dict[str, Any]
    """What changes no weight."""

    @property
    def source(self) -> str:
        """Of the data."""
        return self.data or "digits"

    def recipe(self) -> "Recipe":
        """The recipe, with the settings that are given beside it."""
        names = ("recipe", "model", "epochs", "class_weights", "sampling")
        return chosen_recipe(**{name: self.given[name] for name in names})

    def settings(self) -> dict[str, Any]:
        """Of a training, whether there is one or several."""
        given = {"seed": self.given["seed"] or 0, "budget": self.given["budget"]}
        return {**given, "path": self.path, "max_bad": self.max_bad, **self.how}


def _trained(asked: _Asked) -> "Run":
    from convolens.data import load_data
    from convolens.recipes import train as train_by_recipe
    from convolens.recipes.showing import preparation_shown

    recipe = asked.recipe()
    with preparation_shown(asked.progress) as on_progress:
        dataset = load_data(asked.source, on_progress=on_progress, **asked.options)
    return train_by_recipe(dataset, recipe, progress=asked.progress, **asked.settings())


def _repeated(asked: _Asked, seeds: int, *, resume: bool) -> "Repeats":
    from convolens.experiments import repeat_training
    from convolens.experiments.showing import experiment_shown

    recipe = asked.recipe()
    with experiment_shown(asked.progress) as shown:
        return repeat_training(
            asked.source,
            recipe,
            seeds=seeds,
            resume=resume,
            say=shown.say,
            on_event=shown.on_event,
            on_progress=shown.on_progress,
            **asked.settings(),
            **data_options(asked.options),
        )


def _resumed(asked: _Asked) -> "Run":
    """Go on with a run; what is given beside its folder must be what it began with."""
    from convolens.data import load_data
    from convolens.recipes import resume
    from convolens.recipes.showing import preparation_shown
    from convolens.training import load_run

    path, how = asked.path, {"progress": asked.progress, **asked.how}
    if path is None:
        raise ConfigError("--resume needs the run that it goes on with: add --run DIR")
    if (path / "seeds.json").is_file():
        raise ConfigError(f"{path} holds runs with several seeds; add the --seeds it began with")
    record = load_run(path).record
    _refuse_contradiction(path, record, asked.given)
    if asked.data is None and not asked.options:
        return resume(path, **how)
    source = record["data"]["source"] if asked.data is None else asked.data
    options = {**record["data"].get("options", {}), **asked.options}
    with preparation_shown(asked.progress) as on_progress:
        dataset = load_data(source, on_progress=on_progress, **options)
    return resume(path, dataset, **how)


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


def _columns() -> int:
    from shutil import get_terminal_size

    return min(LONGEST_LINE, get_terminal_size().columns)
