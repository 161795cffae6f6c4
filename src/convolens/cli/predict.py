"""``convolens predict``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from convolens.cli.output import (
    JsonOption,
    ModelArgument,
    print_json,
    print_text,
    say_how_it_is_read,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def predict(
    model: ModelArgument,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Picture files, or china, flower.")
    ],
    top: Annotated[int, typer.Option(min=1, help="How many classes to name for each.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Say what is on pictures."""
    from convolens.bundle import load_model

    trained = load_model(model)
    for path in images:
        say_how_it_is_read(path)
    probabilities = trained.predict_proba(images)
    results = [
        _prediction(path, row, trained.classes, top)
        for path, row in zip(images, probabilities, strict=True)
    ]
    if as_json:
        print_json(results)
    else:
        print_text("\n".join(_line(result) for result in results))


def _prediction(
    path: str, probabilities: "NDArray[np.float32]", classes: tuple[str, ...], top: int
) -> dict[str, Any]:
    order = (-probabilities).argsort(kind="stable")[:top]
    likeliest = [
        {"class": classes[i], "probability": float(probabilities[i])} for i in order.tolist()
    ]
    return {"path": path, **likeliest[0], "top": likeliest}


def _line(result: dict[str, Any]) -> str:
    entries = [f"{entry['class']} {entry['probability']:.1%}" for entry in result["top"]]
    return f"{result['path']}: {', '.join(entries)}"
