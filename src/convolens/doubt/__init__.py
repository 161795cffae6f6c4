"""What a model needs to say "unsure" and "unknown": numbers that it carries, and how they are used.

They are fitted by ``evaluation``, on validation pictures; here is what a trained model does with
them, which needs no labels.
"""

from convolens.doubt.familiarity import SCORES, UnknownBelow, energy, max_logit
from convolens.doubt.risks import (
    TRIES,
    RiskTable,
    UnsureBelow,
    binomial_upper,
    least_risk,
    pick_threshold,
)
from convolens.doubt.thresholds import Thresholds

__all__ = [
    "SCORES",
    "TRIES",
    "RiskTable",
    "Thresholds",
    "UnknownBelow",
    "UnsureBelow",
    "binomial_upper",
    "energy",
    "least_risk",
    "max_logit",
    "pick_threshold",
]
