"""``convolens evaluate``."""

from typing import Annotated

import typer

from convolens.cli.output import JsonOption, ModelArgument, print_json, print_text


def evaluate(
    model: ModelArgument,
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]",
            help="Name or path of a data set; by default the one that the run was trained on.",
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    as_json: JsonOption = False,
) -> None:
    """Judge a model: accuracy with its interval, loss, calibration and every class."""
    from convolens.bundle import load_model
    from convolens.data import load_data
    from convolens.errors import ConfigError
    from convolens.evaluation import evaluate as evaluate_model
    from convolens.training import load_run

    trained = load_model(model)
    if data is not None:
        dataset = load_data(data)
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
