"""All thresholds that a trained model carries."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.config import to_dict
from convolens.doubt.familiarity import NEAREST, NEIGHBOURS, UnknownBelow
from convolens.doubt.risks import RiskTable
from convolens.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """For saying "unsure" at any risk, and "unknown"; fitted on validation pictures.

    >>> table = RiskTable(thresholds=(0.5,), answered=(9,), wrong=(1,))
    >>> unknown = UnknownBelow(threshold=1.5, kept=0.95)
    >>> Thresholds(risks=table, unknown=unknown).to_dict()["unknown"]
    {'threshold': 1.5, 'kept': 0.95, 'score': 'energy'}
    """

    risks: RiskTable
    """Of calibrated probabilities."""
    unknown: UnknownBelow
    """Of the network's own logits."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


def check_neighbours(thresholds: Thresholds | None, neighbours: NDArray[np.float32] | None) -> None:
    """Refuse neighbours that are missing, superfluous or no numbers.

    Raises:
        ConfigError: with what is wrong.
    """
    needed = thresholds is not None and thresholds.unknown.score == NEIGHBOURS
    if needed != (neighbours is not None):
        word = "missing from" if needed else "superfluous in"
        raise ConfigError(f"the neighbours that thresholds are about are {word} its weights")
    if neighbours is not None and (
        neighbours.ndim != 2 or len(neighbours) < NEAREST or not np.isfinite(neighbours).all()
    ):
        raise ConfigError(
            f"neighbours must be finite numbers, at least {NEAREST} x features; got shape "
            f"{neighbours.shape}"
        )
