"""The options of ``convolens train``, and those that ``cv`` and ``tune`` share with it."""

from pathlib import Path
from typing import Annotated, Any

import typer


def _folder_option(default: str) -> Any:
    return typer.Option(metavar="DIR", help=f"Folder of the result; by default runs/{default}-<n>.")


OptionalDataArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[DATA]",
        help="Name of a data set, such as digits (the default), or a folder, .csv, .parquet or "
        ".npz file.",
    ),
]
DataArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="Name of a data set, such as digits, or a folder, .csv, .parquet or .npz file.",
    ),
]
RecipeOption = Annotated[
    str | None,
    typer.Option(
        help="The name of a recipe, such as fast, accurate or notes, or a .json file as "
        "convolens tune writes it.",
        show_default="fast",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Another network than the recipe's, such as resnet20."),
]
RunOption = Annotated[Path | None, _folder_option("<data>-<recipe>")]
FoldsRunOption = Annotated[Path | None, _folder_option("<data>-cv")]
SearchRunOption = Annotated[Path | None, _folder_option("<data>-tune")]
EpochsOption = Annotated[
    float | None, typer.Option(help="Instead of the recipe's; a fraction is allowed.")
]
WholeEpochsOption = Annotated[
    float | None, typer.Option(help="Of a whole training, instead of the recipe's.")
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="A time in place of epochs: 60s, 2m or 1h for all that the command does. With --seeds "
        "each run has all of it, by one plan for all.",
    ),
]
FoldsBudgetOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="A time in place of epochs: 5m or 1h for all that the command does; each fold gets "
        "its part.",
    ),
]
SearchBudgetOption = Annotated[
    str | None, typer.Option(metavar="T", help="Time to spend: 90s, 10m, 1h.")
]
FoldsOption = Annotated[int, typer.Option("--folds", metavar="N", help="Parts to divide into.")]
RepeatsOption = Annotated[
    int, typer.Option(metavar="R", help="Do it all so often, each time divided anew.")
]
TrialsOption = Annotated[
    int | None, typer.Option(metavar="N", help="Settings to try, the recipe's own among them.")
]
AtOnceOption = Annotated[
    int | None,
    typer.Option(
        "--at-once",
        metavar="N",
        help="Folds trained at a time. Default: one a core, up to 4, where that pays.",
    ),
]
FoldsSeedOption = Annotated[
    int, typer.Option(min=0, help="Of the first fold's training; the others follow it.")
]
SearchSeedOption = Annotated[int, typer.Option(min=0, help="Of the search and of every training.")]
SeedOption = Annotated[
    int | None,
    typer.Option(min=0, help="The same seed gives the same bits.", show_default="0"),
]
SeedsOption = Annotated[
    int | None,
    typer.Option(metavar="N", help="Train N times, with the seeds from --seed on; say the spread."),
]
ClassWeightsOption = Annotated[
    str | None,
    typer.Option(metavar="none|balanced", help="Let rare classes weigh more in the loss."),
]
SamplingOption = Annotated[
    str | None,
    typer.Option(metavar="shuffled|balanced", help="Show every class equally often."),
]
MaxBadOption = Annotated[
    float,
    typer.Option(metavar="X", help="Share of bad files above which nothing is trained."),
]
CheckpointOption = Annotated[
    str,
    typer.Option(metavar="TIME", help="Between two checkpoints: 30s, 2m or off."),
]
ResumeOption = Annotated[
    bool,
    typer.Option("--resume", help="Go on with the run in --run as if it had never stopped."),
]
MustResumeOption = Annotated[
    bool, typer.Option("--resume", help="There must be something to go on with in --run DIR.")
]
ProgressOption = Annotated[
    str,
    typer.Option(
        metavar="auto|live|plain|jsonl|none",
        help="How to show on standard error how it goes; jsonl is lines of JSON for programs.",
    ),
]
TensorBoardOption = Annotated[
    bool,
    typer.Option("--tensorboard", help="Write files for TensorBoard, too, in the run's folder."),
]
