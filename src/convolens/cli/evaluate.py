"""``convolens evaluate``."""

from typing import Annotated, Any

import typer

from convolens.cli.data_options import takes_data_options
from convolens.cli.output import JsonOption, ModelArgument, print_json, print_text


@takes_data_options
def evaluate(
    model: ModelArgument,
    options: dict[str, Any],
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]",
            help="Name or path of a data set; by default the one that the run was trained on.",
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation, test, or all of them.")] = "test",
    as_json: JsonOption = False,
) -> None:
    """Judge a model: accuracy with its interval, loss, calibration and every class."""
    from convolens.bundle import load_model
    from convolens.data import PreparationDisplay, load_data
    from convolens.errors import ConfigError
    from convolens.evaluation import evaluate as evaluate_model
    from convolens.training import load_run

    trained = load_model(model)
    if data is not None:
        height, width, channels = trained.input_shape
        # Files are read straight into the model's shape, exactly as predict reads them.
        own = {"size": (height, width), "channels": channels, "fit": trained.preprocessing.fit}
        with PreparationDisplay() as display:
            dataset = load_data(data, on_progress=display, **{**own, **options})
    elif options:
        raise ConfigError(
            f"{', '.join(options)}: options of a data set need its name or path: "
            f"convolens evaluate {model} DATA"
        )
    elif (model / "run.json").is_file():
        dataset = load_run(model).data()
    else:
        raise ConfigError(
            f"{model} is a bundle without a run: name the data set to judge it on, as in "
            f"convolens evaluate {model} fashion-mnist"
        )
    evaluation = evaluate_model(trained, dataset, split=split)
    if as_json:
        print_json(evaluation.to_dict())
    else:
        print_text(str(evaluation))
