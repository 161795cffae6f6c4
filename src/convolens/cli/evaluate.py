"""``convolens evaluate``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convolens.cli.data_options import takes_data_options
from convolens.cli.invocation import invocation
from convolens.cli.output import (
    CalibratedOption,
    JsonOption,
    ModelArgument,
    print_json,
    print_text,
    say,
)

if TYPE_CHECKING:
    from convolens.bundle import Model
    from convolens.data import LabelledPictures
    from convolens.evaluation import Evaluation
    from convolens.reports import Judged
    from convolens.training import SeenPictures


DataArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[DATA]",
        help="Name or path of a data set; by default the one that the run was trained on.",
    ),
]
SplitOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="train, validation, test or all; by default the test part, or all pictures of a "
        "DATA that is not divided.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write a page with everything: every mistake with its picture, heat maps, curves, "
        "calibration, suspected labels.",
    ),
]
FiguresOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write the figures of the page, as PNG and SVG."),
]


MANY_STRANGE = 0.2
"""Of the pictures: so many that are unlike all that a model knows are worth a warning."""


@takes_data_options
def evaluate(
    context: typer.Context,
    model: ModelArgument,
    options: dict[str, Any],
    data: DataArgument = None,
    split: SplitOption = None,
    calibrated: CalibratedOption = True,
    report: ReportOption = None,
    figures: FiguresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge a model: accuracy with its interval, loss, calibration and every class.

    Keys of --json: n; accuracy, accuracy_low, accuracy_high (95 %); top_5_accuracy, log_loss,
    brier_score, ece (calibration error); macro and weighted (precision, recall, f1 over all
    classes); per_class: name, precision, recall, f1, each with _low and _high (95 %), support;
    confusion_matrix (row the right class); most_confused: right, called, count, share; trained_on
    (of these pictures, how many the model is known to have been trained on, or chosen by; null if
    unknown).
    """
    from convolens.bundle import load_model
    from convolens.evaluation import evaluate_pictures
    from convolens.training import count_seen

    _check_places(report, figures)  # before the work: it may take long
    trained = load_model(model)
    if data is None or (not options and _is_own(model, data)):
        pictures = _own_pictures(model, split or "test", options)
    else:
        pictures = _other_pictures(trained, data, split, options)
    evaluation = evaluate_pictures(trained, pictures, calibrated=calibrated)
    seen = count_seen(model, pictures.split)
    known = None if seen is None else seen.trained_on + seen.chosen_by
    say(f"judged on {pictures.which} of {pictures.name}")
    if known:
        say(
            f"warning: the model was trained on {known:,} of these {evaluation.n:,} pictures, or "
            "chosen by them: what follows is too good"
        )
    if trained.thresholds is not None and evaluation.familiarity is not None:
        strange = float((evaluation.familiarity < trained.thresholds.unknown.threshold).mean())
        if strange > MANY_STRANGE:
            say(
                f"warning: {strange:.0%} of these pictures are unlike all that the model was "
                "trained on, where 5% would be usual: are they of the same kind?"
            )
    if as_json:
        print_json({**evaluation.to_dict(), "trained_on": known})
    else:
        print_text(str(evaluation))
    if report is not None or figures is not None:
        command = invocation(context).again(without=("--json",))
        judged = _judged(model, trained, evaluation, pictures, seen, command)
        _write(replace(judged, calibrated=calibrated), report, figures)


def _judged(
    path: Path,
    model: "Model",
    evaluation: "Evaluation",
    pictures: "LabelledPictures",
    seen: "SeenPictures | None",
    command: str,
) -> "Judged":
    """All that the report tells of."""
    from convolens.reports import Judged
    from convolens.training import load_run
    from convolens.training.report import run_facts

    return Judged(
        model=model,
        evaluation=evaluation,
        pictures=pictures,
        command=command,
        trained_on=None if seen is None else seen.trained_on,
        chosen_by=0 if seen is None else seen.chosen_by,
        run=run_facts(load_run(path)) if (path / "run.json").is_file() else None,
    )


def _check_places(report: Path | None, figures: Path | None) -> None:
    from convolens.errors import ConfigError
    from convolens.reports.places import check_page_place

    if report is not None:
        if report.suffix.lower() not in (".html", ".htm") and not report.is_dir():
            raise ConfigError(f"{report} is a page, so its name must end in .html")
        check_page_place(report)
    if figures is not None and figures.exists() and not figures.is_dir():
        raise ConfigError(f"{figures} is a file; --figures takes a folder")


def _write(judged: "Judged", report: Path | None, figures: Path | None) -> None:
    from convolens.reports import write_evaluation_page, write_figures

    if report is not None:
        say(f"report: {write_evaluation_page(report, judged)}")
    if figures is not None:
        say(f"figures: {len(write_figures(judged, figures))} files in {figures}")


def _is_own(model: Path, data: str) -> bool:
    """Whether this is what the run was trained on: then its own division holds."""
    from convolens.training import load_run

    if not (model / "run.json").is_file():
        return False
    source = load_run(model).record["data"].get("source")
    return source in (data, str(Path(data).resolve()))


def _own_pictures(model: Path, split: str, options: dict[str, Any]) -> "LabelledPictures":
    from convolens.config import choose
    from convolens.data import pictures_of
    from convolens.errors import ConfigError
    from convolens.training import load_run

    if options:
        raise ConfigError(
            f"{', '.join(options)}: options of a data set need its name or path: "
            f"convolens evaluate {model} DATA"
        )
    if not (model / "run.json").is_file():
        raise ConfigError(
            f"{model} is a bundle without a run: name the data set to judge it on, as in "
            f"convolens evaluate {model} fashion-mnist"
        )
    dataset = load_run(model).data()
    choose(f"split of {dataset.name}", split, {**dataset.splits, "all": None})
    return pictures_of(dataset, split)


def _other_pictures(
    trained: "Model", data: str, split: str | None, options: dict[str, Any]
) -> "LabelledPictures":
    from convolens.data import PreparationDisplay, load_pictures
    from convolens.data.corrections import corrections_said

    height, width, channels = trained.input_shape
    # Files are read straight into the model's shape, exactly as predict reads them.
    own = {"size": (height, width), "channels": channels, "fit": trained.preprocessing.fit}
    with PreparationDisplay() as display:
        pictures = load_pictures(data, split, on_progress=display, **{**own, **options})
    skipped = sum(problem.skipped for problem in pictures.problems)
    if skipped:
        say(f"{skipped:,} files were skipped; see: convolens data {data}")
    for line in corrections_said(pictures.problems):
        say(line)
    return pictures
