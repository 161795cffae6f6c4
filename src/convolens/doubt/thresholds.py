"""All thresholds that a trained model carries."""

from dataclasses import dataclass
from typing import Any

from convolens.config import to_dict
from convolens.doubt.familiarity import UnknownBelow
from convolens.doubt.risks import RiskTable


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
