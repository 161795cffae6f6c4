"""``convolens predict``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from convolens.cli.output import (
    CalibratedOption,
    JsonOption,
    ModelArgument,
    print_json,
    print_text,
    say,
    say_how_it_is_read,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from convolens.bundle import Model

WRONG_INPUT = 2


def predict(
    model: ModelArgument,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Picture files, or china, flower.")
    ],
    top: Annotated[int, typer.Option(min=1, help="How many classes to name for each.")] = 3,
    calibrated: CalibratedOption = True,
    as_json: JsonOption = False,
) -> int:
    """Say what is on pictures."""
    import numpy as np

    from convolens.bundle import load_model

    trained = load_model(model)
    read, refused = _read(images, trained)
    probabilities: Any = []
    if read:
        pictures = np.stack(list(read.values()))
        probabilities = trained.predict_proba(pictures, calibrated=calibrated)
    found = {
        number: _prediction(images[number], row, trained.classes, top)
        for number, row in zip(read, probabilities, strict=True)
    }
    if as_json:
        print_json(
            [found.get(n) or _no_prediction(path, refused[n]) for n, path in enumerate(images)]
        )
    elif found:
        print_text("\n".join(_line(found[number]) for number in sorted(found)))
    for reason in refused.values():
        say(f"convolens: {reason}")
    return WRONG_INPUT if refused else 0


def _read(
    images: list[str], trained: "Model"
) -> "tuple[dict[int, NDArray[np.uint8]], dict[int, str]]":
    """The pixels of each picture in the model's shape, or why there are none."""
    from convolens.errors import ImageError
    from convolens.images import fit_image

    read: dict[int, NDArray[np.uint8]] = {}
    refused: dict[int, str] = {}
    for number, path in enumerate(images):
        try:
            say_how_it_is_read(path)
            read[number] = fit_image(path, *trained.input_shape, policy=trained.preprocessing.fit)
        except ImageError as error:
            refused[number] = " ".join(str(error).split())
    return read, refused


def _no_prediction(path: str, reason: str) -> dict[str, Any]:
    return {"path": path, "class": None, "probability": None, "top": [], "error": reason}


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
