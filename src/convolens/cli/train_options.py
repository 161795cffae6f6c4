"""The options of ``convolens train``."""

from pathlib import Path
from typing import Annotated

import typer

DataArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[DATA]",
        help="Name of a data set, such as digits (the default), or a folder, .csv, .parquet or "
        ".npz file.",
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
RunOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of the run; by default runs/<data>-<recipe>-<n>."),
]
EpochsOption = Annotated[
    float | None, typer.Option(help="Instead of the recipe's; a fraction is allowed.")
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="A time in place of epochs: 60s, 2m or 1h for all that the command does. With --seeds "
        "each run has all of it.",
    ),
]
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
