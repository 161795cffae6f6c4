"""What tuning may change in a recipe, and how far.

A space says names alone, beside the recipe's. How far each may go is one rule for all recipes,
around the value that the recipe has, so that a recipe can change and its space with it.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

from convolens.config import did_you_mean, to_dict
from convolens.errors import ConfigError
from convolens.training import Recipe
from convolens.zoo.registry import ARCHITECTURES

TUNED = "-tuned"
"""What the name of a recipe ends in whose settings were found by tuning."""

_COMPACT = (
    "learning_rate",
    "adam_learning_rate",
    "weight_decay",
    "label_smoothing",
    "shift",
    "flip",
    "width",
)

SPACES: dict[str, tuple[str, ...]] = {
    "fast": _COMPACT,
    "accurate": _COMPACT,
    "notes": ("learning_rate", "dropout", "shift", "flip"),
}
"""What is tuned in each recipe. In any other recipe it is all that :data:`RULES` knows of."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One setting with the values that it may take."""

    name: str
    """Of the field: of the recipe, of its optimiser, schedule or augmentation, or of an argument
    of its architecture."""
    kind: Literal["log", "linear", "whole", "choice"]
    """Evenly in the logarithm, evenly, a whole number, or one of ``choices``."""
    own: Any
    """The recipe's value."""
    low: float | int | None = None
    """Least value."""
    high: float | int | None = None
    """Greatest value."""
    step: int = 1
    """Between two whole numbers."""
    choices: tuple[Any, ...] = ()
    """Of a choice."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


@dataclass(frozen=True, kw_only=True)
class Factor:
    """From the recipe's value divided by a factor to the value times it."""

    factor: float

    def around(self, name: str, own: Any) -> Dimension:
        """The dimension around a value."""
        if own == 0:
            return Dimension(name=name, kind="choice", own=own, choices=(own,))
        return Dimension(
            name=name, kind="log", own=own, low=own / self.factor, high=own * self.factor
        )


@dataclass(frozen=True, kw_only=True)
class Between:
    """A range that holds the recipe's value too, wherever that is."""

    low: float | int
    high: float | int

    def around(self, name: str, own: Any) -> Dimension:
        """The dimension around a value."""
        whole = isinstance(self.low, int) and isinstance(own, int)
        return Dimension(
            name=name,
            kind="whole" if whole else "linear",
            own=own,
            low=min(self.low, own),
            high=max(self.high, own),
        )


@dataclass(frozen=True, kw_only=True)
class Halves:
    """Half, once, one and a half times and twice the recipe's whole number."""

    def around(self, name: str, own: Any) -> Dimension:
        """The dimension around a value."""
        step = max(1, own // 2)
        low = own - step if own > step else own
        return Dimension(name=name, kind="whole", own=own, low=low, high=own + 2 * step, step=step)


@dataclass(frozen=True, kw_only=True)
class OneOf:
    """A few values; the recipe's is among them."""

    values: tuple[Any, ...]

    def around(self, name: str, own: Any) -> Dimension:
        """The dimension around a value."""
        choices = self.values if own in self.values else (own, *self.values)
        return Dimension(name=name, kind="choice", own=own, choices=choices)


RULES: dict[str, Factor | Between | Halves | OneOf] = {
    "learning_rate": Factor(factor=4.0),
    "adam_learning_rate": Factor(factor=4.0),
    "weight_decay": Factor(factor=10.0),
    "label_smoothing": Between(low=0.0, high=0.2),
    "dropout": Between(low=0.0, high=0.6),
    "shift": OneOf(values=(0, 1, 2)),
    "flip": OneOf(values=(False, True)),
    "width": Halves(),
}
"""How far each setting may go."""


def space_of(recipe: Recipe) -> tuple[Dimension, ...]:
    """What tuning may change in a recipe.

    Args:
        recipe: known by its name to :data:`SPACES`, or any other.

    Returns:
        One dimension for each setting that the recipe has.

    >>> from convolens.recipes import fast
    >>> [dimension.name for dimension in space_of(fast())][:2]
    ['learning_rate', 'adam_learning_rate']
    """
    names = SPACES.get(recipe.name.removesuffix(TUNED), tuple(RULES))
    values = tunable(recipe)
    return tuple(RULES[name].around(name, values[name]) for name in names if name in values)


def tunable(recipe: Recipe) -> dict[str, Any]:
    """The recipe's own value of each setting that :data:`RULES` knows of and it has."""
    found: dict[str, Any] = {}
    for part in (recipe, *_parts(recipe).values()):
        for entry in fields(part):
            if entry.name in RULES:
                found.setdefault(entry.name, getattr(part, entry.name))
    arguments = {**_defaults(recipe.architecture), **recipe.arguments}
    for name, value in arguments.items():
        if name in RULES:
            found.setdefault(name, value)
    return found


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with some of its settings changed, wherever they are.

    Args:
        recipe: any.
        settings: name of a field of the recipe, of its optimiser, schedule or augmentation, or of
            an argument of its architecture, to the new value.

    Raises:
        ConfigError: a name that the recipe does not have, or a value that is not allowed.

    >>> from convolens.recipes import fast
    >>> changed = with_settings(fast(), {"learning_rate": 0.1, "width": 16})
    >>> changed.optimizer.learning_rate, changed.arguments
    (0.1, {'width': 16})
    """
    changes: dict[str, dict[str, Any]] = {}
    parts = {"": recipe, **_parts(recipe)}
    arguments = dict(recipe.arguments)
    for name, value in settings.items():
        owner = next((key for key, part in parts.items() if _has(part, name)), None)
        if owner is not None:
            changes.setdefault(owner, {})[name] = value
        elif name in {*_defaults(recipe.architecture), *arguments}:
            arguments[name] = value
        else:
            known = tunable(recipe)
            raise ConfigError(
                f"the recipe {recipe.name} has no setting {name!r}{did_you_mean(name, known)}"
            )
    own = changes.pop("", {})
    replaced = {name: replace(parts[name], **change) for name, change in changes.items()}
    return replace(recipe, **{"arguments": arguments, **replaced, **own})


def _parts(recipe: Recipe) -> dict[str, Any]:
    """The recipe's fields that are settings themselves."""
    values = {entry.name: getattr(recipe, entry.name) for entry in fields(recipe)}
    return {name: value for name, value in values.items() if is_dataclass(value)}


def _has(part: Any, name: str) -> bool:
    return any(entry.name == name for entry in fields(part))


def _defaults(architecture: str) -> dict[str, Any]:
    """Arguments of an architecture that have a default value."""
    known = ARCHITECTURES.get(architecture)
    if known is None:
        return {}
    parameters = inspect.signature(known.build).parameters
    return {
        name: parameters[name].default
        for name in known.arguments
        if name in parameters and parameters[name].default is not inspect.Parameter.empty
    }
