"""Learning curves: loss, accuracy and learning rate over the epochs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.plotting.curve_panels import Best, Curve, draw_rate, draw_values
from convolens.plotting.figures import Figure, new_figure
from convolens.plotting.style import BLUE, VERMILLION, house_style

_KEYS = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
_HEIGHT, _RATE_HEIGHT = 2.3, 1.4  # inches of a panel


def plot_learning_curves(
    history: Sequence[Mapping[str, Any]],
    steps: Sequence[Mapping[str, Any]] = (),
    *,
    note: str = "",
) -> Figure:
    """Loss above accuracy above learning rate over the epochs, the best epoch marked.

    The best epoch is the last one that says so under "best". Where none does, it is the one of
    highest validation accuracy, the first of equals; without that the one of lowest validation
    loss; without validation none is marked.

    Args:
        history: one mapping an epoch, in order, with "epoch" and any of "train_loss", "val_loss",
            "train_accuracy" and "val_accuracy" (0..1). A value may be missing, None or NaN. "best"
            may be True in those that were the best so far.
        steps: what was measured between: mappings with "step" and any of "loss", "accuracy" (0..1)
            and "learning_rate", in the order in which they were told; steps that were done again
            count once. The training curves are then drawn from them, which shows a run of one
            epoch, too, and the learning rate below. They need "step" in ``history``.
        note: a line below, such as what the training curves are of.

    Returns:
        A figure; a panel with nothing to show is left out.

    Raises:
        ConfigError: no epochs, epochs that do not increase, or nothing to show.

    >>> epochs = [{"epoch": 1, "val_accuracy": 0.8}, {"epoch": 2, "val_accuracy": 0.9}]
    >>> [text.get_text() for text in plot_learning_curves(epochs).axes[0].texts]
    ['best: epoch 2, 90.0 %', 'validation']
    """
    epochs = _column(history, "epoch", "history")
    if len(epochs) == 0:
        raise ConfigError("history is empty; give one mapping an epoch")
    if not np.isfinite(epochs).all() or (np.diff(epochs) <= 0).any():
        raise ConfigError('every entry of history needs an "epoch", each larger than the last')
    columns = {key: _column(history, key, "history") for key in _KEYS}
    if not any(np.isfinite(values).any() for values in columns.values()):
        raise ConfigError(f"history has none of {', '.join(_KEYS)}; give at least one number")
    named = [number for number, entry in enumerate(history) if entry.get("best") is True]
    best = named[-1] if named else _best(columns)
    at, between = _between(epochs, _column(history, "step", "history"), steps)
    panels = {what: _curves(epochs, columns, at, between, what) for what in ("loss", "accuracy")}
    rate = Curve("learning rate", at, between["learning_rate"]) if len(at) else None
    return _draw(
        epochs,
        {what: curves for what, curves in panels.items() if curves},
        rate if rate is not None and rate.is_there else None,
        None if best is None else Best(epochs[best], *(c[best] for c in _validated(columns))),
        note,
    )


@house_style()
def _draw(
    epochs: NDArray[np.float64],
    panels: dict[str, list[Curve]],
    rate: Curve | None,
    best: Best | None,
    note: str,
) -> Figure:
    heights = [_HEIGHT] * len(panels) + [_RATE_HEIGHT] * (rate is not None)
    figure = new_figure(0.5 + sum(heights))
    axes = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    if rate is not None:
        draw_rate(axes[-1], rate, best)
    # The best epoch is said once, above all panels.
    for number, (what, curves) in enumerate(panels.items()):
        draw_values(axes[number], epochs, curves, what, best, says_best=number == 0)
    axes[-1].set_xlabel(f"epoch\n{note}" if note else "epoch")
    return figure


def _curves(
    epochs: NDArray[np.float64],
    columns: dict[str, NDArray[np.float64]],
    at: NDArray[np.float64],
    between: dict[str, NDArray[np.float64]],
    what: str,
) -> list[Curve]:
    train = Curve("training", at, between[what], BLUE, thin=True)
    if not train.is_there:
        train = Curve("training", epochs, columns[f"train_{what}"], BLUE, line="--")
    validation = Curve("validation", epochs, columns[f"val_{what}"], VERMILLION)
    return [curve for curve in (train, validation) if curve.is_there]


def _between(
    epochs: NDArray[np.float64],
    done: NDArray[np.float64],
    steps: Sequence[Mapping[str, Any]],
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Where steps lie among the epochs, and what was measured there."""
    measured: list[Mapping[str, Any]] = []
    numbers = _column(steps, "step", "steps")
    known = np.isfinite(done)
    for entry, number in zip(steps, numbers, strict=True):
        if not (known.any() and 0 <= number <= np.nanmax(done)):
            continue
        while measured and float(measured[-1]["step"]) >= number:
            measured.pop()
        measured.append(entry)
    at = np.interp(
        _column(measured, "step", "steps"), [0, *done[known]], [0, *epochs[known]]
    )  # an epoch cut short is as wide as the others
    keys = ("loss", "accuracy", "learning_rate")
    return at, {key: _column(measured, key, "steps") for key in keys}


def _validated(columns: dict[str, NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
    return columns["val_loss"], columns["val_accuracy"]


def _best(columns: dict[str, NDArray[np.float64]]) -> int | None:
    for key, sign in (("val_accuracy", 1), ("val_loss", -1)):
        values = np.where(np.isfinite(columns[key]), sign * columns[key], -np.inf)
        if np.isfinite(values).any():
            return int(values.argmax())
    return None


def _column(entries: Sequence[Mapping[str, Any]], key: str, name: str) -> NDArray[np.float64]:
    if isinstance(entries, Mapping | str) or not all(isinstance(e, Mapping) for e in entries):
        raise ConfigError(f"{name} is no list of mappings; give one mapping an epoch")
    return np.array([_number(entry.get(key), key, name) for entry in entries], dtype=np.float64)


def _number(value: Any, key: str, name: str) -> float:
    try:
        return math.nan if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(f'"{key}" in {name} is {value!r}; allowed: a number or None') from None
