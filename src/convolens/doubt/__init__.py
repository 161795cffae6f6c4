"""What a model needs to say "unsure" and "unknown": numbers that it carries, and how they are used.

They are fitted by ``evaluation``, on validation pictures; here is what a trained model does with
them, which needs no labels.
"""

from convolens.doubt.familiarity import (
    CHUNK,
    NEAREST,
    NEIGHBOURS,
    SCORES,
    UnknownBelow,
    energy,
    familiarity,
    max_logit,
    neighbourhood,
)
from convolens.doubt.risks import (
    TRIES,
    RiskTable,
    UnsureBelow,
    binomial_upper,
    least_risk,
    pick_threshold,
)
from convolens.doubt.thresholds import Thresholds, check_neighbours

__all__ = [
    "CHUNK",
    "NEAREST",
    "NEIGHBOURS",
    "SCORES",
    "TRIES",
    "RiskTable",
    "Thresholds",
    "UnknownBelow",
    "UnsureBelow",
    "binomial_upper",
    "check_neighbours",
    "energy",
    "familiarity",
    "least_risk",
    "max_logit",
    "neighbourhood",
    "pick_threshold",
]
