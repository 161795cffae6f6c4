"""What a run can be expected to take and to reach, said before it starts."""

from dataclasses import dataclass

import numpy as np

from convolens.training.settings import Recipe

# Mean accuracy on pictures never seen, by (data set, recipe) and epochs: benchmarks/README.md.
# All were trained on the whole training part.
REACHED: dict[tuple[str, str], dict[float, float]] = {
    ("fashion-mnist", "fast"): {1.5: 0.922, 3.0: 0.931, 10.0: 0.935},
}


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Of a run, as far as it is known."""

    seconds: float | None = None
    """From the first step to the trained and judged model."""
    accuracy: float | None = None
    """On pictures that the training never saw."""
    seconds_per_step: float = 0.05
    """Of a training step on this machine."""


PICTURES = {"fashion-mnist": 55_000}
"""Of a data set, how many the training parts had on which it was measured."""


def expected_accuracy(data: str, recipe: Recipe, n_train: int) -> float | None:
    """What a recipe reached on a known data set, between the numbers of epochs that were measured.

    None where nothing was measured, for arguments of its own, balanced classes or a part of the
    pictures, or only for fewer or more epochs by more than half.
    """
    reached = REACHED.get((data, recipe.name))
    if not reached or recipe.epochs is None or recipe.arguments or recipe.balanced:
        return None
    if not 0.9 <= n_train / PICTURES[data] <= 1.2:
        return None
    epochs = sorted(reached)
    if not epochs[0] / 1.5 <= recipe.epochs <= epochs[-1] * 1.5:
        return None
    values = [reached[each] for each in epochs]
    return float(np.interp(np.log(recipe.epochs), np.log(epochs), values))
