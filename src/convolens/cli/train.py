"""``convolens train``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convolens.cli.data_options import takes_data_options
from convolens.cli.output import JsonOption, print_json, print_text, say

if TYPE_CHECKING:
    from convolens.training import Run

EXIT_INTERRUPTED = 130


@takes_data_options
def train(
    options: dict[str, Any],
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]",
            help="Name of a data set, such as digits (the default), or a folder, .csv, .parquet or "
            ".npz file.",
        ),
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="fast or notes.", show_default="fast")] = None,
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the run; by default runs/<data>-<recipe>-<n>."),
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Instead of the recipe's; a fraction is allowed.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="The same seed gives the same bits.", show_default="0"),
    ] = None,
    class_weights: Annotated[
        str | None,
        typer.Option(metavar="none|balanced", help="Let rare classes weigh more in the loss."),
    ] = None,
    sampling: Annotated[
        str | None,
        typer.Option(metavar="shuffled|balanced", help="Show every class equally often."),
    ] = None,
    max_bad: Annotated[
        float,
        typer.Option(metavar="X", help="Share of bad files above which nothing is trained."),
    ] = 0.01,
    checkpoint_every: Annotated[
        str,
        typer.Option(metavar="TIME", help="Between two checkpoints: 30s, 2m or off."),
    ] = "30s",
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run in --run as if it had never stopped."),
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Train a classifier, and keep everything of it in a run folder."""
    from convolens.training.durations import parse_duration
    from convolens.training.running import resume_command

    given = {
        "recipe": recipe,
        "epochs": epochs,
        "seed": seed,
        "class_weights": class_weights,
        "sampling": sampling,
    }
    parse_duration(checkpoint_every, "--checkpoint-every")  # before anything is read
    try:
        if resume:
            finished = _resumed(run, data, options, given, checkpoint_every)
        else:
            finished = _trained(run, data or "digits", options, given, max_bad, checkpoint_every)
    except KeyboardInterrupt as stop:
        for note in getattr(stop, "__notes__", ()):
            say(note)
        raise
    if as_json:
        print_json(finished.to_dict())
    else:
        print_text(_sentence(finished))
    if finished.status == "interrupted":
        say(f"go on with: {resume_command(finished.path)}")
        return EXIT_INTERRUPTED
    return 0


def _trained(
    path: Path | None,
    data: str,
    options: dict[str, Any],
    given: dict[str, Any],
    max_bad: float,
    checkpoint_every: str,
) -> "Run":
    from convolens.config import choose
    from convolens.data import PreparationDisplay, load_data
    from convolens.recipes import RECIPES
    from convolens.recipes import train as train_by_recipe

    settings = {key: value for key, value in given.items() if value is not None}
    chosen = choose("recipe", settings.pop("recipe", "fast"), RECIPES)()
    seed = settings.pop("seed", 0)
    chosen = replace(chosen, **settings)
    with PreparationDisplay() as display:
        dataset = load_data(data, on_progress=display, **options)
    return train_by_recipe(
        dataset,
        chosen,
        seed=seed,
        path=path,
        max_bad=max_bad,
        checkpoint_every=checkpoint_every,
    )


def _resumed(
    path: Path | None,
    data: str | None,
    options: dict[str, Any],
    given: dict[str, Any],
    checkpoint_every: str,
) -> "Run":
    """Go on with a run; what is given beside its folder must be what it began with."""
    from convolens.data import PreparationDisplay, load_data
    from convolens.errors import ConfigError
    from convolens.recipes.training import resume
    from convolens.training import load_run

    if path is None:
        raise ConfigError("--resume needs the run that it goes on with: add --run DIR")
    record = load_run(path).record
    recorded = {**record["recipe"], "recipe": record["recipe"]["name"], "seed": record["seed"]}
    for name, value in given.items():
        if value is not None and value != recorded[name]:
            option = name.replace("_", "-")
            raise ConfigError(
                f"--{option} is {value}, but {path} was begun with {recorded[name]}; leave it out, "
                "or start a run of its own"
            )
    if data is None and not options:
        return resume(path, checkpoint_every=checkpoint_every)
    source = record["data"]["source"] if data is None else data
    with PreparationDisplay() as display:
        dataset = load_data(
            source, on_progress=display, **{**record["data"].get("options", {}), **options}
        )
    return resume(path, dataset, checkpoint_every=checkpoint_every)


def _sentence(run: "Run") -> str:
    from convolens.evaluation import wilson_interval

    results = run.to_dict()
    judged = ""
    if (test := results["test_accuracy"]) is not None:
        n = run.record["data"]["counts"]["test"]
        low, high = wilson_interval(round(test * n), n)
        judged = f"{test:.2%} on {n:,} test pictures (95 % interval {low:.2%} to {high:.2%}), "
    return (
        f"{judged}{results['val_accuracy']:.2%} on validation, after {results['train_seconds']:.1f}"
        f" s of training ({results['images_per_second']:,.0f} images/s)\n"
        f"run: {results['run']}"
    )
