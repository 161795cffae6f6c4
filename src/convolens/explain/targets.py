"""Which class is explained: the likeliest, one for all pictures, or one for each."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convolens.bundle import Model
from convolens.config import choose
from convolens.errors import ConfigError
from convolens.explain.networks import Explainable

Target = int | str | Sequence[int] | Sequence[str] | NDArray[Any] | None
"""None for the likeliest class of each picture; a class's number or, of a model, its name; or as
many of them as there are pictures."""


def read_target(model: Explainable, target: Target, n: int) -> NDArray[np.int64] | None:
    """The classes that are to be explained.

    Args:
        model: one that has names for its classes, or a network that has not.
        target: as said above.
        n: how many pictures there are.

    Returns:
        (n,) numbers of classes, or None for the likeliest ones.

    Raises:
        ConfigError: an unknown name, a number outside the classes, or another count than ``n``.
    """
    if target is None:
        return None
    if isinstance(target, str | Integral):
        return np.full(n, _number(model, target))
    given = np.asarray(target)
    if given.ndim == 0:
        return np.full(n, _number(model, given.item()))
    if given.shape != (n,):
        raise ConfigError(
            f"target has shape {given.shape} and there are {n} pictures; allowed: one class, or an "
            "array of one for each picture"
        )
    return np.array([_number(model, one) for one in given.tolist()])


def chosen(logits: Tensor, wanted: NDArray[np.int64] | None) -> Tensor:
    """The classes to explain in a batch.

    Args:
        logits: (n, classes).
        wanted: (n,) their numbers; the likeliest if None.

    Returns:
        (n,) int64, on the device of the logits.

    Raises:
        ConfigError: a number that is none of the network's classes.
    """
    if wanted is None:
        return logits.detach().argmax(dim=1)
    if len(wanted) and wanted.max() >= logits.shape[1]:
        raise ConfigError(_no_class(int(wanted.max()), logits.shape[1]))
    return torch.from_numpy(wanted).to(logits.device)


def picked(logits: Tensor, targets: Tensor) -> Tensor:
    """(n,): of each row of (n, classes) the entry of its target."""
    return logits.gather(1, targets[:, None])[:, 0]


def _number(model: Explainable, target: Any) -> int:
    names = model.classes if isinstance(model, Model) else None
    if isinstance(target, str):
        if names is None:
            raise ConfigError(
                f"target is {target!r}, and a bare network has no names for its classes; give a "
                "number"
            )
        return choose("class", target, {name: number for number, name in enumerate(names)})
    whole = isinstance(target, Integral) and not isinstance(target, bool)
    if not whole:
        raise ConfigError(f"target is {target!r}; allowed: a class's number or name")
    number = int(target)
    if number < 0 or (names is not None and number >= len(names)):
        raise ConfigError(_no_class(number, None if names is None else len(names)))
    return number


def _no_class(number: int, classes: int | None) -> str:
    allowed = "from 0 on" if classes is None else f"0 to {classes - 1}"
    return f"target is {number}; allowed: the number of a class, {allowed}"
