"""``convolens cv``."""

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
from convolens.cli.output import JsonOption
from convolens.errors import ConfigError

if TYPE_CHECKING:
    from convolens.experiments import CrossValidation


@takes_data_options
def cv(
    context: typer.Context,
    options: dict[str, Any],
    data: take.DataArgument,
    n_folds: take.FoldsOption = 5,
    repeats: take.RepeatsOption = 1,
    recipe: take.RecipeOption = None,
    model: take.ModelOption = None,
    run: take.FoldsRunOption = None,
    epochs: take.EpochsOption = None,
    budget: take.FoldsBudgetOption = None,
    seed: take.FoldsSeedOption = 0,
    at_once: take.AtOnceOption = None,
    resume: take.MustResumeOption = False,
    max_bad: take.MaxBadOption = 0.01,
    checkpoint_every: take.CheckpointOption = "30s",
    progress: take.ProgressOption = "auto",
    as_json: JsonOption = False,
) -> int:
    """Judge a recipe by cross-validation: every picture by a model that never saw it.

    The same command on the same --run DIR goes on where it was stopped: finished folds are kept.
    The folder has cv.json, cv.png with the accuracy of every fold, out_of_fold.npz with the
    probabilities of every picture, a run for each fold, and label_errors.csv: the labels that are
    probably wrong, the worst first. Fill in its column corrected, in a spreadsheet or an editor,
    with the right class, or - to leave the picture out, and give the list to any command that reads
    DATA: --labels label_errors.csv.

    Keys of --json: run (the folder), data, recipe, status, folds, repeats, seed; n (pictures);
    accuracy (mean over folds), accuracy_deviation (between folds), accuracy_low and accuracy_high
    (95 %), interval (how they were made); pooled_accuracy (share of all pictures), pooled_low,
    pooled_high and pooled_interval (null with groups); log_loss, ece (of the out-of-fold
    predictions, mean over repeats); train_seconds, total_seconds (sums); label_errors (how many
    labels are suspected), label_noise (the share of all that is wrong, as estimated),
    label_errors_file (the list of them); per_fold: repeat, fold, run, seed, n_train, n_validation,
    n_test, accuracy, val_accuracy, best_epoch, train_seconds, total_seconds. Interrupted, the keys
    from n to label_errors_file are missing.
    """
    from convolens.experiments import cross_validate
    from convolens.experiments.showing import experiment_shown

    check_before_reading(progress, checkpoint_every=checkpoint_every)
    if "folds" in options:
        raise ConfigError("--fold and a cross-validation both say what the test part is; use one")
    limit = chosen_budget(context, budget, epochs)
    chosen = chosen_recipe(recipe, model, epochs=epochs)
    with interrupts_go_on(context), experiment_shown(progress) as shown:
        done = cross_validate(
            data,
            chosen,
            folds=n_folds,
            repeats=repeats,
            seed=seed,
            budget=limit,
            path=run,
            at_once=at_once,
            resume=resume,
            max_bad=max_bad,
            checkpoint_every=checkpoint_every,
            say=shown.say,
            on_event=shown.on_event,
            on_progress=shown.on_progress,
            **data_options(options),
        )
    value, text = done.to_dict(), _sentences(done)
    return report(context, done.status, done.path, value=value, text=text, as_json=as_json)


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
        _suspected(result),
        f"picture: {done.path / 'cv.png'}",
        f"run: {result['run']}",
    ]
    return "\n".join(lines)


def _suspected(result: dict[str, Any]) -> str:
    count, noise = result["label_errors"], result["label_noise"]
    if not count:
        return (
            f"no label is suspected to be wrong; the list is empty: {result['label_errors_file']}"
        )
    return (
        f"{count:,} label{'s are' if count > 1 else ' is'} suspected, {noise:.1%} of all estimated "
        f"to be wrong: {result['label_errors_file']}"
    )
