"""``convolens explain``."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convolens.cli.invocation import invocation
from convolens.cli.output import (
    JsonOption,
    ModelArgument,
    print_json,
    print_text,
    say,
    say_how_it_is_read,
)
from convolens.cli.predict import RiskOption, answering_threshold
from convolens.errors import ConfigError

if TYPE_CHECKING:
    from convolens.data import Dataset
    from convolens.explain import Explanation

PAGE, FIGURES = ".html", (".png", ".svg", ".pdf")


def explain(
    context: typer.Context,
    model: ModelArgument,
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="A picture file, or china, or flower.")
    ],
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The convolution or pooling to look at; by default the last convolution.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COLUMN[,CHANNEL]",
            help="Work out this value of the layer; by default its largest.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="NAME", help="What speaks for this class; by default the likeliest."
        ),
    ] = None,
    nearest: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=100, help="Also the N nearest pictures that it was trained on."
        ),
    ] = 0,
    risk: RiskOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write all of it as a page (.html), or the gist as a picture (.png, .svg, .pdf).",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a model says of a picture what it says.

    What it predicts, where in the picture that is which speaks for it, the picture's way through
    the layers, and the arithmetic of one value, number by number.
    """
    kind = None if out is None else _checked_place(out, image)  # before the work: it may take long
    place = None if at is None else _place(at)
    from convolens.bundle import load_model
    from convolens.explain import METHODS, explain_picture, find_neighbours

    trained = load_model(model)
    if risk is not None:
        answering_threshold(trained, risk, calibrated=True)  # refuses one that cannot be kept
    dataset = _data_of(model) if nearest else None
    say_how_it_is_read(image)
    explanation = explain_picture(
        trained,
        image,
        layer,
        place,
        target,
        risk=risk,
        methods=METHODS if kind == PAGE else (),
    )
    if dataset is not None:
        found = find_neighbours(trained, image, dataset.train, dataset.class_names, nearest)
        explanation = replace(explanation, nearest=found)
    if out is not None:
        command = invocation(context).again(without=("--json",))
        say(f"written: {_write(explanation, image, out, command)}")
    if as_json:
        print_json(_as_json(explanation, image))
    elif out is None:
        print_text(f"{image}: {explanation}")
    else:
        print_text(f"{image}: {_in_short(explanation)}")


def _checked_place(out: Path, image: str) -> str:
    """The ending of the file to write, refused where it is none of ours."""
    from convolens.reports.places import check_page_place

    kind = out.suffix.lower()
    if kind == PAGE:
        check_page_place(out)
    elif kind not in FIGURES:
        got = f"ends in {out.suffix!r}" if kind else "has no ending"
        raise ConfigError(
            f"cannot write {out.name!r}, which {got}; allowed: .html for a page, and "
            f"{', '.join(FIGURES)} for a picture"
        )
    elif out.is_dir():
        raise ConfigError(f"{out} is a folder; name a file with --out")
    if out.resolve() == Path(image).resolve():
        raise ConfigError(f"{out} is the picture to explain; name another file with --out")
    return kind


def _place(text: str) -> tuple[int, int] | tuple[int, int, int]:
    found = re.fullmatch(r"([0-9]{1,9}),([0-9]{1,9})(?:,([0-9]{1,9}))?", text.replace(" ", ""))
    if found is None:
        raise ConfigError(
            f"--at is {text!r}; it must be ROW,COLUMN or ROW,COLUMN,CHANNEL in whole numbers from 0"
        )
    row, column, channel = (None if part is None else int(part) for part in found.groups())
    assert row is not None
    assert column is not None
    return (row, column) if channel is None else (row, column, channel)


def _data_of(model: Path) -> "Dataset":
    from convolens.training import load_run

    if not (model / "run.json").is_file():
        raise ConfigError(
            f"{model} is a bundle without a run, and --nearest looks among the pictures that a run "
            "was trained on: name the run, or leave out --nearest"
        )
    return load_run(model).data()


def _write(explanation: "Explanation", image: str, out: Path, command: str) -> Path:
    """Write the page or the picture."""
    try:
        if out.suffix.lower() == PAGE:
            from convolens.images import load_image
            from convolens.reports import write_explanation_page

            name = Path(image).name
            original = load_image(image)
            return write_explanation_page(
                out, explanation, name=name, original=original, command=command
            )
        from convolens.plotting import plot_explanation, save_figure

        return save_figure(plot_explanation(explanation, title=Path(image).name), out)
    except OSError as error:
        raise ConfigError(
            f"cannot write {out}: {error.strerror}; name another file with --out"
        ) from None


def _as_json(explanation: "Explanation", image: str) -> dict[str, Any]:
    return {"path": image, **explanation.to_dict()}


def _in_short(explanation: "Explanation") -> str:
    from convolens.explain.explanation_text import heat_words, prediction_words

    return f"{prediction_words(explanation)}\n{heat_words(explanation)}"
