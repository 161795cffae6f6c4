"""Predictions of all kinds."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def predictions(draw: st.DrawFn, most: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, classes) and labels (n,); with few different values, so that some tie."""
    n, classes = draw(st.integers(1, most)), draw(st.integers(2, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    probabilities = rng.dirichlet(np.full(classes, draw(st.sampled_from([0.2, 1.0]))), size=n)
    if draw(st.booleans()):
        counts = rng.multinomial(4, np.full(classes, 1 / classes), size=n)
        probabilities = counts / 4
    # scikit-learn cuts off below 2e-16, we at the smallest number of the type: stay above both.
    probabilities = 0.999 * probabilities + 0.001 / classes
    return probabilities, rng.integers(0, classes, size=n)


def calibrated(n: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and labels that are drawn by them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.3), size=n)
    cumulated = probabilities.cumsum(axis=1)
    labels = (rng.random((n, 1)) > cumulated[:, :-1]).sum(axis=1)
    return probabilities, labels
