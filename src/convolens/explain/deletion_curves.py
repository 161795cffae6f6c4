"""Curves of deletion and insertion, what lies under them, and what they say."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST = 10
"""Pictures without which there is no verdict."""
_SURE = 1.96  # standard errors: the 95 % of a normal distribution


@dataclass(frozen=True, eq=False, kw_only=True)
class DeletionInsertion:
    """How a class's probability falls and rises along a heat map's order, beside chance."""

    shares: NDArray[np.float64]
    """(steps + 1,): of the pixels that were taken out, or put in, from 0 to 1."""
    deletion: NDArray[np.float32]
    """(n, steps + 1): probability of the target, pixels taken out from the hottest on."""
    insertion: NDArray[np.float32]
    """Likewise, pixels put in from the hottest on."""
    chance_deletion: NDArray[np.float32]
    """(n, orders, steps + 1): the same by maps that were moved to a random place."""
    chance_insertion: NDArray[np.float32]
    """Likewise."""
    targets: NDArray[np.int64]
    """(n,) the class whose probability it is."""
    seed: int
    """Of the moves."""

    @property
    def deletion_areas(self) -> NDArray[np.float64]:
        """(n,) under each curve, 0..1: the lower, the better the map."""
        return self._areas(self.deletion)

    @property
    def insertion_areas(self) -> NDArray[np.float64]:
        """(n,) likewise: the higher, the better."""
        return self._areas(self.insertion)

    @property
    def chance_deletion_areas(self) -> NDArray[np.float64]:
        """(n, orders)."""
        return self._areas(self.chance_deletion)

    @property
    def chance_insertion_areas(self) -> NDArray[np.float64]:
        """(n, orders)."""
        return self._areas(self.chance_insertion)

    @property
    def gains(self) -> NDArray[np.float64]:
        """(n, orders) by how much a map is better than a moved one, above 0 if it is.

        The mean of how much lower its deletion is and how much higher its insertion.
        """
        lower = self.chance_deletion_areas - self.deletion_areas[:, None]
        higher = self.insertion_areas[:, None] - self.chance_insertion_areas
        return (lower + higher) / 2

    @property
    def gain(self) -> tuple[float, float, float]:
        """Mean gain over the pictures with its 95 % interval, lower and upper end.

        Of one picture the interval has no width; it is no wider than the pictures differ.
        """
        each = self.gains.mean(axis=1)
        error = float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else 0.0
        mean = float(each.mean())
        return mean, mean - _SURE * error, mean + _SURE * error

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        wins, pairs = int((self.gains > 0).sum()), self.gains.size
        found = f"better than {wins} of {pairs} maps that were moved to a random place"
        if len(self.targets) < FEWEST:
            return f"{found}; for a verdict there must be {FEWEST} pictures or more"
        _, low, high = self.gain
        if low > 0:
            return f"the maps mark what counts: {found}"
        if high < 0:
            return f"the maps mark what does not count: {found}"
        return f"the maps cannot be told from chance: {found}"

    def __str__(self) -> str:
        return self.verdict

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, curves and areas as means over the pictures."""
        gain, low, high = self.gain
        curves = {
            "deletion": self.deletion,
            "insertion": self.insertion,
            "chance_deletion": self.chance_deletion.mean(axis=1),
            "chance_insertion": self.chance_insertion.mean(axis=1),
        }
        return {
            "n": len(self.targets),
            "orders": self.chance_deletion.shape[1],
            "seed": self.seed,
            "shares": self.shares.tolist(),
            "curves": {name: curve.mean(axis=0).tolist() for name, curve in curves.items()},
            "areas": {name: float(self._areas(curve).mean()) for name, curve in curves.items()},
            "gain": gain,
            "gain_low": low,
            "gain_high": high,
            "verdict": self.verdict,
        }

    def _areas(self, curves: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(np.trapezoid(curves.astype(np.float64), self.shares, axis=-1))
