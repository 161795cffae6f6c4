"""``convolens tune``."""

import shlex
from typing import TYPE_CHECKING, Any

import typer

from convolens.cli import train_options as take
from convolens.cli.data_options import takes_data_options
from convolens.cli.experimenting import check_before_reading, data_options, interrupts_go_on, report
from convolens.cli.output import JsonOption

if TYPE_CHECKING:
    from convolens.experiments import Tuning


@takes_data_options
def tune(
    context: typer.Context,
    options: dict[str, Any],
    data: take.DataArgument,
    trials: take.TrialsOption = None,
    budget: take.SearchBudgetOption = None,
    recipe: take.RecipeOption = None,
    run: take.SearchRunOption = None,
    epochs: take.WholeEpochsOption = None,
    seed: take.SearchSeedOption = 0,
    resume: take.MustResumeOption = False,
    max_bad: take.MaxBadOption = 0.01,
    progress: take.ProgressOption = "auto",
    as_json: JsonOption = False,
) -> int:
    """Look for better settings of a recipe, judged on validation pictures alone.

    Give --trials, --budget or both. The same command on the same --run DIR goes on where it was
    stopped, with more trials or time if more are asked for. The folder has tune.json, trials.jsonl
    with one line a trial, and best.json with the best settings, which --recipe takes.

    Keys of --json: run (the folder), data, recipe, seed, status; trials (how many ended), of them
    completed, halted and failed; seconds (of all trainings); own_val_accuracy (of the recipe as it
    is); best: trial, settings, val_accuracy, val_loss, epochs, recipe_file; command (what trains
    with them). The last two are null where no trial ended.
    """
    from convolens.experiments import tune as search
    from convolens.experiments.showing import experiment_shown
    from convolens.training.durations import parse_duration

    check_before_reading(progress)
    with interrupts_go_on(context), experiment_shown(progress) as shown:
        done = search(
            data,
            recipe or "fast",
            trials=trials,
            budget=None if budget is None else parse_duration(budget, "--budget"),
            seed=seed,
            epochs=epochs,
            path=run,
            resume=resume,
            max_bad=max_bad,
            say=shown.say,
            on_event=shown.on_event,
            on_progress=shown.on_progress,
            **data_options(options),
        )
    command = _command(data, done, options)
    value, text = {**done.to_dict(), "command": command}, _sentences(done, command)
    return report(context, done.status, done.path, value=value, text=text, as_json=as_json)


def _command(data: str, done: "Tuning", options: dict[str, Any]) -> str | None:
    result = done.to_dict()
    if result["best"] is None:
        return None
    words = ["convolens", "train", data, "--recipe", result["best"]["recipe_file"]]
    return shlex.join(words) + (" (with the same options of the data)" if options else "")


def _sentences(done: "Tuning", command: str | None) -> str:
    result = done.to_dict()
    best = result["best"]
    if best is None or command is None:
        return f"no trial ended\nrun: {result['run']}"
    settings = ", ".join(f"{name} {_short(value)}" for name, value in best["settings"].items())
    lines = [
        (
            f"{result['trials']} trials: {result['completed']} in full, {result['halted']} halted, "
            f"{result['failed']} failed"
        ),
        (
            f"best: trial {best['trial']}, {best['val_accuracy']:.2%} on validation (the recipe "
            f"as it is: {result['own_val_accuracy']:.2%})"
        ),
        f"  {settings}",
        "the best of many is flattered by its luck on validation; to judge it, train with it:",
        f"  {command}",
        f"run: {result['run']}",
    ]
    return "\n".join(lines)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
