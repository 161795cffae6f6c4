"""Small data and a small recipe: an experiment's runs must cost next to nothing here."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from convolens.recipes import fast
from convolens.training import Recipe


@pytest.fixture(scope="session")
def arrays():
    """(X, y): 180 digits of five classes."""
    bunch = load_digits(n_class=5)
    return np.rint(bunch.images[:180] * (255 / 16)).astype(np.uint8), bunch.target[:180]


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return replace(fast(epochs=1), arguments={"width": 4}, precision="float32", batch_size=16)
