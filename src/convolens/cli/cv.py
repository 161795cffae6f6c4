"""``convolens cv``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convolens.cli.data_options import takes_data_options
from convolens.cli.invocation import going_on
from convolens.cli.output import JsonOption, print_json, print_text, say
from convolens.cli.train_options import CheckpointOption

if TYPE_CHECKING:
    from convolens.experiments import CrossValidation


@takes_data_options
def cv(
    context: typer.Context,
    options: dict[str, Any],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="Name of a data set, such as digits, or a folder, .csv, .parquet or .npz file.",
        ),
    ],
    n_folds: Annotated[int, typer.Option("--folds", metavar="N", help="Parts to divide into.")] = 5,
    repeats: Annotated[
        int, typer.Option(metavar="R", help="Do it all so often, each time divided anew.")
    ] = 1,
    recipe: Annotated[
        str,
        typer.Option(help="fast, accurate, notes, or a .json file as convolens tune writes it."),
    ] = "fast",
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the result; by default runs/<data>-cv-<n>."),
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Instead of the recipe's; a fraction is allowed.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the first fold's training; the others follow it.")
    ] = 0,
    at_once: Annotated[
        int | None,
        typer.Option("--at-once", metavar="N", help="Folds trained at a time, sharing the cores."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="There must be a run to go on with in --run DIR.")
    ] = False,
    max_bad: Annotated[
        float,
        typer.Option(metavar="X", help="Share of bad files above which nothing is trained."),
    ] = 0.01,
    checkpoint_every: CheckpointOption = "30s",
    as_json: JsonOption = False,
) -> int:
    """Judge a recipe by cross-validation: every picture by a model that never saw it.

    The same command on the same --run DIR goes on where it was stopped: finished folds are kept.
    The folder has cv.json, cv.png with the accuracy of every fold, out_of_fold.npz with the
    probabilities of every picture, and a run for each fold.

    Keys of --json: run (the folder), data, recipe, status, folds, repeats, seed; n (pictures);
    accuracy (mean over folds), accuracy_deviation (between folds), accuracy_low and accuracy_high
    (95 %), interval (how they were made); pooled_accuracy (share of all pictures), pooled_low,
    pooled_high and pooled_interval (null with groups); log_loss, ece (of the out-of-fold
    predictions, mean over repeats); train_seconds, total_seconds (sums); per_fold: repeat, fold,
    run, seed, n_train, n_validation, n_test, accuracy, val_accuracy, best_epoch, train_seconds,
    total_seconds. Interrupted, the keys from n to total_seconds are missing.
    """
    from convolens.data import PreparationDisplay
    from convolens.errors import ConfigError
    from convolens.experiments import cross_validate
    from convolens.training.durations import parse_duration

    parse_duration(checkpoint_every, "--checkpoint-every")
    if "folds" in options:
        raise ConfigError("--fold and a cross-validation both say what the test part is; use one")
    if "seed" in options:  # that of the division; trainings have one of their own
        options["split_seed"] = options.pop("seed")
    with PreparationDisplay() as display:
        done = cross_validate(
            data,
            recipe,
            folds=n_folds,
            repeats=repeats,
            seed=seed,
            epochs=epochs,
            path=run,
            at_once=at_once,
            resume=resume,
            max_bad=max_bad,
            checkpoint_every=checkpoint_every,
            say=say,
            on_progress=display,
            **options,
        )
    if as_json:
        print_json(done.to_dict())
    else:
        print_text(_sentences(done))
    if done.status == "interrupted":
        raise going_on(context, str(done.path))
    return 0


def _sentences(done: "CrossValidation") -> str:
    result = done.to_dict()
    if done.status != "completed":
        folds = result["folds"] * result["repeats"]
        return f"{len(result['per_fold'])} of {folds} folds are done\nrun: {result['run']}"
    lines = [
        (
            f"accuracy {result['accuracy']:.2%}, 95 % interval {result['accuracy_low']:.2%} to "
            f"{result['accuracy_high']:.2%}; deviation between folds "
            f"{result['accuracy_deviation']:.2%}"
        ),
        f"  {result['interval']}",
        f"pooled over {result['n']:,} pictures: {result['pooled_accuracy']:.2%}",
    ]
    if result["pooled_interval"] is not None:
        lines[-1] += (
            f", 95 % interval {result['pooled_low']:.2%} to {result['pooled_high']:.2%}\n"
            f"  {result['pooled_interval']}"
        )
    lines += [
        (
            f"log loss {result['log_loss']:.4f}, calibration error {result['ece']:.2%}; "
            f"{result['train_seconds']:.1f} s of training"
        ),
        f"picture: {done.path / 'cv.png'}",
        f"run: {result['run']}",
    ]
    return "\n".join(lines)
