"""``convolens tune``."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convolens.cli.data_options import takes_data_options
from convolens.cli.invocation import going_on
from convolens.cli.output import JsonOption, print_json, print_text, say

if TYPE_CHECKING:
    from convolens.experiments import Tuning


@takes_data_options
def tune(
    context: typer.Context,
    options: dict[str, Any],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="Name of a data set, such as digits, or a folder, .csv, .parquet or .npz file.",
        ),
    ],
    trials: Annotated[
        int | None, typer.Option(metavar="N", help="Settings to try, the recipe's own among them.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="T", help="Time to spend: 90s, 10m, 1h.")
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="fast, accurate, notes, or a .json file as this command writes it.")
    ] = "fast",
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the result; by default runs/<data>-tune-<n>."),
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Of a whole training, instead of the recipe's.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the search and of every training.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="There must be a search to go on with in --run DIR.")
    ] = False,
    max_bad: Annotated[
        float,
        typer.Option(metavar="X", help="Share of bad files above which nothing is trained."),
    ] = 0.01,
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
    from convolens.data import PreparationDisplay
    from convolens.experiments import tune as search

    seconds = None
    if budget is not None:
        from convolens.training.durations import parse_duration

        seconds = parse_duration(budget, "--budget")
    with PreparationDisplay() as display:
        done = search(
            data,
            recipe,
            trials=trials,
            budget=seconds,
            seed=seed,
            epochs=epochs,
            path=run,
            resume=resume,
            max_bad=max_bad,
            say=say,
            on_progress=display,
            **_renamed(options),
        )
    command = _command(data, done, options)
    if as_json:
        print_json({**done.to_dict(), "command": command})
    else:
        print_text(_sentences(done, command))
    if done.status == "interrupted":
        raise going_on(context, str(done.path))
    return 0


def _renamed(options: dict[str, Any]) -> dict[str, Any]:
    """The seed of the division has another name where trainings have a seed, too."""
    return {("split_seed" if name == "seed" else name): value for name, value in options.items()}


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
