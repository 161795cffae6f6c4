"""Recipes as JSON: in a file such as tuning writes, and on the way to another process."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from convolens.config import choose, from_dict, to_dict
from convolens.errors import ConfigError
from convolens.files import read_json
from convolens.recipes import RECIPES
from convolens.training import Recipe


def find_recipe(recipe: Recipe | str | Path, *, epochs: float | None = None) -> Recipe:
    """A recipe by its name, or from a file.

    Args:
        recipe: a recipe; the name of one, such as "fast"; or a path that ends in ``.json``: what
            tuning writes (``best.json``), or a recipe's fields alone.
        epochs: instead of the recipe's.

    Raises:
        ConfigError: no such recipe or file, or settings that are not allowed.

    >>> find_recipe("fast").name
    'fast'
    """
    found = _find(recipe)
    return found if epochs is None else replace(found, epochs=epochs)


def as_json(recipe: Recipe) -> dict[str, Any]:
    """A recipe as plain JSON types.

    Raises:
        ConfigError: it has parts that a file cannot hold, such as an optimiser made by hand.

    >>> from_json(as_json(find_recipe("fast"))) == find_recipe("fast")
    True
    """
    settings = to_dict(recipe)
    if from_dict(Recipe, settings, source=f"recipe {recipe.name}") != recipe:
        raise ConfigError(
            f"the recipe {recipe.name} has parts that JSON cannot hold; use the package's own "
            "optimisers, schedules and augmentation"
        )
    return settings


def from_json(settings: Mapping[str, Any], *, source: str = "recipe") -> Recipe:
    """The recipe that :func:`as_json` turned into plain types.

    Raises:
        ConfigError: an unknown key, or a value that is not allowed.
    """
    return from_dict(Recipe, settings, source=source)


def _find(recipe: Recipe | str | Path) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(recipe, str | Path):
        raise ConfigError(
            "recipe must be a name, a .json file or a Recipe, such as recipes.fast(); got a "
            f"{type(recipe).__name__}"
        )
    if Path(recipe).suffix != ".json":
        return choose("recipe", str(recipe), RECIPES)()
    content = read_json(recipe, error=ConfigError)
    settings = content.get("recipe", content)
    if not isinstance(settings, dict):
        raise ConfigError(
            f"{recipe} holds the name of a recipe and not its settings; a file that convolens "
            "tune wrote (best.json) holds them"
        )
    return from_json(settings, source=str(recipe))
