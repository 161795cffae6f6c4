"""``convolens compare``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from convolens.cli.data_options import takes_data_options
from convolens.cli.output import JsonOption, print_json, print_text, say


@takes_data_options
def compare(
    options: dict[str, Any],
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN RUN...",
            help="Run folders, bundles, or folders of train --seeds, which count as one each.",
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Judge on this data set; by default on the test pictures of the runs' own.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="train, validation, test or all; by default test."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Which of several trained models is better, on the same pictures; or that it cannot be told.

    Two models are compared picture by picture: McNemar's exact test says whether the difference
    can be told, a paired bootstrap how large it is. Folders of several seeds are compared as
    recipes, with the spread of their seeds.

    Keys of --json: pictures, n; runs, the best first: run, seeds, accuracy, accuracy_low,
    accuracy_high (95 %), accuracies, parameters, bytes, train_seconds, images_per_second,
    trained_on; differences of each other from the best: other, difference, low, high, confidence,
    told, would_tell, only_best, only_other, p_value, method; better (null where it cannot be told),
    verdict.
    """
    from convolens.data import PreparationDisplay
    from convolens.experiments import compare as compare_runs

    with PreparationDisplay() as display:
        result = compare_runs(runs, data, split=split, on_progress=display, **options)
    say(f"judged on {result.pictures}")
    if data is not None and "corrections" not in options:
        for path in filter(_has_corrected_labels, runs):
            say(
                f"warning: {path} was trained with a list of corrected labels, and is judged by "
                f"the labels as they are in {data}; give the list with --labels, too"
            )
    for each in result.contestants:
        if each.trained_on:
            say(
                f"warning: {each.name} was trained on {each.trained_on:,} of these {result.n:,} "
                "pictures, or chosen by them: what follows is too good for it"
            )
    if as_json:
        print_json(result.to_dict())
    else:
        print_text(str(result))


def _has_corrected_labels(run: Path) -> bool:
    """Whether a run read its data with a list of corrections."""
    from convolens.training import load_run

    if not (run / "run.json").is_file():
        return False
    return "corrections" in load_run(run).record["data"].get("options", {})
