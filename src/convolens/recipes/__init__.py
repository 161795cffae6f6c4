"""Complete named settings, and training by them."""

from convolens.recipes.named import RECIPES, fast, notes
from convolens.recipes.training import train

__all__ = ["RECIPES", "fast", "notes", "train"]
