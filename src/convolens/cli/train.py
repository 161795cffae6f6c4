"""``convolens train``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convolens.cli.data_options import takes_data_options
from convolens.cli.output import JsonOption, print_json, print_text

if TYPE_CHECKING:
    from convolens.training import Run

EXIT_INTERRUPTED = 130


@takes_data_options
def train(
    options: dict[str, Any],
    data: Annotated[
        str,
        typer.Argument(
            metavar="[DATA]",
            help="Name of a data set, such as digits, or a folder, .csv, .parquet or .npz file.",
        ),
    ] = "digits",
    recipe: Annotated[str, typer.Option(help="fast or notes.")] = "fast",
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the run; by default runs/<data>-<recipe>-<n>."),
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Instead of the recipe's; a fraction is allowed.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bits.")] = 0,
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
    as_json: JsonOption = False,
) -> int:
    """Train a classifier, and keep everything of it in a run folder."""
    from convolens.config import choose
    from convolens.data import PreparationDisplay, load_data
    from convolens.recipes import RECIPES
    from convolens.recipes import train as train_by_recipe

    changes = {"epochs": epochs, "class_weights": class_weights, "sampling": sampling}
    chosen = choose("recipe", recipe, RECIPES)()
    chosen = replace(chosen, **{key: value for key, value in changes.items() if value is not None})
    with PreparationDisplay() as display:
        dataset = load_data(data, on_progress=display, **options)
    finished = train_by_recipe(dataset, chosen, seed=seed, path=run, max_bad=max_bad)
    if as_json:
        print_json(finished.to_dict())
    else:
        print_text(_sentence(finished))
    return EXIT_INTERRUPTED if finished.status == "interrupted" else 0


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
