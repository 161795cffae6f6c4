"""``convolens train``."""

from pathlib import Path
from typing import Annotated

import typer

from convolens.cli.output import JsonOption, print_json, print_text

EXIT_INTERRUPTED = 130


def train(
    data: Annotated[
        str,
        typer.Argument(
            metavar="[DATA]", help="Name of a known data set, or path of a folder of IDX files."
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
    as_json: JsonOption = False,
) -> int:
    """Train a classifier, and keep everything of it in a run folder."""
    from convolens.recipes import train as train_by_recipe

    finished = train_by_recipe(data, recipe, epochs=epochs, seed=seed, path=run)
    if as_json:
        print_json(finished.to_dict())
    else:
        print_text(_sentence(finished.to_dict()))
    return EXIT_INTERRUPTED if finished.status == "interrupted" else 0


def _sentence(results: dict[str, object]) -> str:
    test = results["test_accuracy"]
    judged = f"{test:.2%} on the test pictures, " if test is not None else ""
    return (
        f"{judged}{results['val_accuracy']:.2%} on validation, after {results['train_seconds']:.1f}"
        f" s of training ({results['images_per_second']:,.0f} images/s)\n"
        f"run: {results['run']}"
    )
