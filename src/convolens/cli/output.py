"""What every command shares: its options, and where its words go."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object on standard output, and nothing else."),
]
ModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A model bundle or a run folder.")
]


CalibratedOption = Annotated[
    bool,
    typer.Option(
        "--calibrated/--uncalibrated",
        help="Probabilities with the model's temperature, or the network's own.",
    ),
]


def print_json(value: Any) -> None:
    """Print one JSON object (or list) on standard output; NaN is refused, as JSON has none."""
    print(json.dumps(value, indent=2, allow_nan=False))  # noqa: T201


def print_text(text: str) -> None:
    """Print the result for people on standard output."""
    print(text)  # noqa: T201


def say_how_it_is_read(picture: str) -> None:
    """Tell of a picture file of which only a part is used, such as an animation."""
    from convolens.images import SAMPLE_NAMES, describe_image

    if picture not in SAMPLE_NAMES and (note := describe_image(picture).note):
        say(f"{picture}: {note}")


def say(message: str) -> None:
    """A message on standard error, where it does not mix with results."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201
