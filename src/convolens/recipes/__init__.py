"""Complete named settings, and training by them."""

from convolens.recipes.models import with_model
from convolens.recipes.named import RECIPES, fast, notes
from convolens.recipes.training import resume, train

__all__ = ["RECIPES", "fast", "notes", "resume", "train", "with_model"]
