"""Thinned lines: few points, the same look."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convolens.plotting.thinning import MOST_POINTS, thinned


def off_line(points, line):
    """How far each point is from the nearest piece of a line."""
    start, piece = line[:-1], np.diff(line, axis=0)
    length = np.maximum((piece**2).sum(axis=1), 1e-300)
    apart = points[:, None] - start
    along = np.clip((apart * piece).sum(axis=2) / length, 0, 1)
    return np.hypot(*(apart - along[..., None] * piece).transpose(2, 0, 1)).min(axis=1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 150))
def test_no_point_is_further_from_the_thinned_line_than_allowed(seed, n):
    rng = np.random.default_rng(seed)
    line = np.cumsum(rng.random((n, 2)) * (rng.random((n, 1)) < 0.3), axis=0)
    kept = thinned(line, 0.2)
    assert (off_line(line, kept) <= 0.2 + 1e-9).all()
    assert (kept[[0, -1]] == line[[0, -1]]).all()
    assert set(map(tuple, kept.tolist())) <= set(map(tuple, line.tolist()))


@pytest.mark.parametrize("n", [2, 3, 4_000, 50_000])
def test_a_curve_of_any_length_has_few_points(n):
    x = np.linspace(0, 3, n)
    noisy = np.random.default_rng(0).normal(np.sqrt(x), 0.2)
    assert 2 <= len(thinned(np.stack([x, noisy], axis=1), 0.004)) <= MOST_POINTS
    smooth = np.stack([x, np.sqrt(x)], axis=1)
    kept = thinned(smooth, 0.004)
    assert len(kept) <= 40
    assert off_line(smooth, kept).max() < 0.01


def test_points_that_are_all_one_stay_a_line():
    assert thinned(np.ones((9, 2)), 0.1).tolist() == [[1, 1], [1, 1]]
