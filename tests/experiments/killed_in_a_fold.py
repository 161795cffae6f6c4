"""A cross-validation that kills its own process in the middle of its second fold.

python killed_in_a_fold.py FOLDER DATA.npz RECIPE.json
"""

import os
import signal
import sys

from convolens.experiments import cross_validate
from convolens.training.cadence import EverySteps


class Kills(EverySteps):
    """A checkpoint every second step; after the second one of the second fold comes the end."""

    def __init__(self) -> None:
        super().__init__(2)
        self.last = 0
        self.folds = 1

    def due(self, step: int) -> bool:
        self.folds += step < self.last
        self.last = step
        return super().due(step)

    def saved(self, seconds: float) -> None:  # noqa: ARG002 - the interface of a cadence
        if self.folds == 2 and self.last >= 4:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    folder, data, recipe = sys.argv[1:]
    cross_validate(data, recipe, folds=3, path=folder, checkpoint_every=Kills())
