"""``convolens predict``."""

from math import ceil
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
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from convolens.bundle import Model

WRONG_INPUT = 2
UNLIKE = "unlike what the model was trained on"

RiskOption = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Say unsure so often that of the other answers at most this share is wrong, such as "
        "0.05; of what is unlike all that the model knows it is always unsure.",
    ),
]


def predict(
    model: ModelArgument,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Picture files, or china, flower.")
    ],
    top: Annotated[int, typer.Option(min=1, help="How many classes to name for each.")] = 3,
    risk: RiskOption = None,
    calibrated: CalibratedOption = True,
    as_json: JsonOption = False,
) -> int:
    """Say what is on pictures."""
    from convolens.bundle import load_model

    trained = load_model(model)
    threshold = None if risk is None else answering_threshold(trained, risk, calibrated=calibrated)
    read, refused = _read(images, trained)
    judged = _judged(trained, list(read.values()), threshold, calibrated=calibrated) if read else []
    found = {
        number: _prediction(images[number], row, trained.classes, top) | doubts
        for number, (row, doubts) in zip(read, judged, strict=True)
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


def answering_threshold(trained: "Model", risk: float, *, calibrated: bool) -> float:
    """How sure the model must be to answer at a risk.

    Raises:
        ConfigError: no picture is answered at that risk, or probabilities are not calibrated.
        ModelError: the model has no thresholds.
    """
    from convolens.errors import ConfigError

    if not calibrated:
        raise ConfigError(
            "--risk is kept by calibrated probabilities alone: leave out --uncalibrated"
        )
    found = trained.unsure_below(risk)
    if found.coverage == 0:
        least = trained.least_risk()
        raise ConfigError(
            f"at a risk of {risk:g} the model would be unsure of every picture: its validation "
            f"pictures promise no less than {ceil(1e4 * least) / 1e4:g}; name a risk above that"
        )
    return found.threshold


def _judged(
    trained: "Model",
    pictures: "list[NDArray[np.uint8]]",
    threshold: float | None,
    *,
    calibrated: bool,
) -> "Iterator[tuple[NDArray[np.float32], dict[str, Any]]]":
    """The probabilities of each picture, and what makes its answer doubtful; null is not known."""
    import numpy as np

    from convolens.prediction import to_probabilities

    outputs = trained.outputs(np.stack(pictures))
    probabilities = to_probabilities(outputs.logits, trained.temperature if calibrated else 1.0)
    nothing = [None] * len(pictures)
    known = trained.thresholds is not None
    familiarity = trained.familiarity(outputs).tolist() if known else nothing
    unknown = trained.unknown(outputs).tolist() if known else nothing
    for number, row in enumerate(probabilities):
        yield (
            row,
            {
                # A risk is promised for what is like the validation pictures, and nothing else.
                "unsure": None
                if threshold is None
                else bool(row.max() < threshold or unknown[number]),
                "unknown": unknown[number],
                "familiarity": familiarity[number],
            },
        )


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
    nothing = dict.fromkeys(("class", "probability", "unsure", "unknown", "familiarity"))
    return {"path": path, **nothing, "top": [], "error": reason}


def _prediction(
    path: str, probabilities: "NDArray[np.float32]", classes: tuple[str, ...], top: int
) -> dict[str, Any]:
    order = (-probabilities).argsort(kind="stable")[:top]
    likeliest = [
        {"class": classes[i], "probability": float(probabilities[i])} for i in order.tolist()
    ]
    return {"path": path, **likeliest[0], "top": likeliest}


def _line(result: dict[str, Any]) -> str:
    said = ", ".join(f"{entry['class']} {entry['probability']:.1%}" for entry in result["top"])
    if result["unsure"]:
        said = f"unsure ({said})"
    return f"{result['path']}: {said}{f'; {UNLIKE}' if result['unknown'] else ''}"
