"""Several runs that answer one question: cross-validation, repeated seeds, tuning.

Each has a folder with a record, goes on where it was stopped, and gives then what it would have
given undisturbed.
"""

from convolens.experiments.comparison import Comparison, compare
from convolens.experiments.cross_validation import (
    CrossValidation,
    cross_validate,
    load_cross_validation,
)
from convolens.experiments.intervals import corrected_interval, mean_interval
from convolens.experiments.out_of_fold import OutOfFold
from convolens.experiments.recipe_files import find_recipe
from convolens.experiments.repeats import Repeats, load_repeats, repeat_training
from convolens.experiments.tuning import Tuning, tune

__all__ = [
    "Comparison",
    "CrossValidation",
    "OutOfFold",
    "Repeats",
    "Tuning",
    "compare",
    "corrected_interval",
    "cross_validate",
    "find_recipe",
    "load_cross_validation",
    "load_repeats",
    "mean_interval",
    "repeat_training",
    "tune",
]
