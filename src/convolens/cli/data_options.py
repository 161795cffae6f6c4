"""The options that say how a data set is read, the same for every command that reads one."""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from convolens.errors import ConfigError

_PANEL = "How the data are read"


def _option(name: str, help_text: str, metavar: str | None = None) -> Any:
    return typer.Option(name, help=help_text, metavar=metavar, rich_help_panel=_PANEL)


_OPTIONS: dict[str, Any] = {
    "size": Annotated[
        str | None,
        _option("--size", "Pixels that pictures are brought to: a side, or HEIGHTxWIDTH.", "N"),
    ],
    "channels": Annotated[int | None, _option("--channels", "1 for grey, 3 for colour.", "1|3")],
    "fit": Annotated[
        str | None, _option("--fit", "How other proportions are made to fit.", "pad|crop|stretch")
    ],
    "images": Annotated[
        str | None, _option("--images", "Column or array that holds the pictures.", "NAME")
    ],
    "labels": Annotated[
        list[str] | None,
        _option(
            "--labels",
            "Column or array that holds the labels; or a list of corrected ones, FILE.csv, as cv "
            "writes it and you fill in its column corrected.",
            "NAME|FILE.csv",
        ),
    ],
    "group": Annotated[
        str | None,
        _option(
            "--group",
            "Column, or pattern to find in a path: pictures of a group stay on one side.",
            "NAME",
        ),
    ],
    "shape": Annotated[
        str | None, _option("--shape", "Of flat rows: HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS.", "S")
    ],
    "channels_first": Annotated[
        bool | None, _option("--channels-first", "The channels of arrays come before the height.")
    ],
    "value_range": Annotated[
        str | None, _option("--range", "Darkest and brightest value of an array's pixels.", "LO:HI")
    ],
    "validation_size": Annotated[
        str | None, _option("--validation", "Pictures to validate on: 500 or 0.1.", "N")
    ],
    "test_size": Annotated[str | None, _option("--test", "Pictures to test on: 500 or 0.1.", "N")],
    "folds": Annotated[
        str | None, _option("--fold", "Test on one of several folds: 1/5 to 5/5.", "K/N")
    ],
    "sample": Annotated[
        float | None, _option("--sample", "Use a share of the pictures, of each class alike.", "X")
    ],
    "split_seed": Annotated[
        int | None, _option("--split-seed", "Another division at random.", "N")
    ],
    "split_file": Annotated[
        Path | None, _option("--split-file", "Divide as this file says.", "FILE")
    ],
    "max_pixels": Annotated[
        int | None, _option("--max-pixels", "Pixels of the largest picture that is read.", "N")
    ],
}


def takes_data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command with a parameter ``options`` gets the options of :func:`load_data` in it."""
    own = inspect.signature(command)
    kept = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in own.parameters.items()
        if name != "options"
    ]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _OPTIONS.items()
    ]

    @wraps(command)
    def run(**given: Any) -> Any:
        options = {name: given.pop(name) for name in _OPTIONS}
        return command(options=_load_options(options), **given)

    parameters = [*kept, *shared]
    run.__signature__ = own.replace(parameters=parameters)  # pyright: ignore[reportAttributeAccessIssue]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _load_options(given: dict[str, Any]) -> dict[str, Any]:
    """From what was typed to what :func:`convolens.data.load_data` takes."""
    options = {name: value for name, value in given.items() if value not in (None, [])}
    if "labels" in options:
        options |= _labels(options.pop("labels"))
    readers: dict[str, Callable[[str], Any]] = {
        "size": lambda text: _whole_numbers("--size", text, "x", (1, 2), "64 or 48x64"),
        "shape": lambda text: _whole_numbers("--shape", text, "x", (2, 3), "28x28 or 32x32x3"),
        "value_range": _range,
        "validation_size": lambda text: _amount("--validation", text),
        "test_size": lambda text: _amount("--test", text),
    }
    for name, read in readers.items():
        if name in options:
            options[name] = read(options[name])
    if "folds" in options:
        fold, folds = _fold(options["folds"])
        options |= {"folds": folds, "fold": fold}
    if "split_seed" in options:
        options["seed"] = options.pop("split_seed")
    if "max_pixels" in options:
        from convolens.images import ImageLimits

        options["limits"] = ImageLimits(pixels=options.pop("max_pixels"))
    return options


def _labels(given: list[str]) -> dict[str, Any]:
    """A column's name, a list of corrections, or both."""
    files = [value for value in given if value.lower().endswith(".csv")]
    names = [value for value in given if value not in files]
    for values, what in ((files, "lists of corrected labels"), (names, "columns of labels")):
        if len(values) > 1:
            raise ConfigError(
                f"--labels names two {what}, {' and '.join(values)}; allowed: one NAME, one "
                "FILE.csv, or one of each"
            )
    chosen = {"labels": names, "corrections": [Path(file) for file in files]}
    return {name: values[0] for name, values in chosen.items() if values}


def _whole_numbers(
    option: str, text: str, between: str, counts: tuple[int, int], example: str
) -> Any:
    try:
        numbers = tuple(int(part) for part in text.lower().split(between))
    except ValueError:
        numbers = ()
    if not counts[0] <= len(numbers) <= counts[1]:
        raise ConfigError(f"{option} is {text!r}; allowed: such as {example}")
    return numbers[0] if len(numbers) == 1 else numbers


def _amount(option: str, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ConfigError(
            f"{option} is {text!r}; allowed: a number of pictures, such as 500, or a share, "
            "such as 0.1"
        ) from None


def _range(text: str) -> tuple[float, float]:
    low, _, high = text.partition(":")
    try:
        return float(low), float(high)
    except ValueError:
        raise ConfigError(f"--range is {text!r}; allowed: LO:HI, such as 0:16") from None


def _fold(text: str) -> tuple[int, int]:
    numbers = _whole_numbers("--fold", text, "/", (2, 2), "1/5 to 5/5")
    if not 1 <= numbers[0] <= numbers[1]:
        raise ConfigError(f"--fold is {text!r}; allowed: K/N with K from 1 to N")
    return numbers[0] - 1, numbers[1]
