"""Scores of how familiar an input is, by SciPy, and what a threshold flags."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.special import logsumexp

from convolens.errors import ConfigError
from convolens.evaluation import energy, fit_unknown, max_logit

logits = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2), elements=st.floats(-1e4, 1e4, width=32)
)


@given(logits)
def test_the_scores_are_those_of_scipy(values):
    doubles = values.astype(np.float64)
    np.testing.assert_allclose(energy(values), logsumexp(doubles, axis=1), rtol=1e-12, atol=1e-12)
    assert (max_logit(values) == doubles.max(axis=1)).all()
    assert (energy(values) >= max_logit(values)).all()


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.floats(0.01, 1))
def test_no_more_are_flagged_than_was_allowed(scores, kept):
    values = np.array(scores, dtype=np.float64)
    found = fit_unknown(values, kept=kept)
    flagged = (values < found.threshold).mean()
    assert found.kept == pytest.approx(1 - flagged)
    assert flagged <= 1 - kept + 1e-9
    higher = values[values > found.threshold]
    # The next higher score as a threshold would flag more than that.
    assert not len(higher) or (values < higher.min()).mean() > 1 - kept - 1e-9


@pytest.mark.parametrize("values", [np.zeros((0, 3)), np.zeros(3), np.array([[np.nan, 1]])])
def test_logits_that_are_none(values):
    with pytest.raises(ConfigError, match="logits must be finite numbers"):
        energy(values)


@pytest.mark.parametrize(
    ("values", "kept"), [(np.zeros(0), 0.9), (np.array([np.nan]), 0.9), (np.zeros(3), 0.0)]
)
def test_thresholds_that_cannot_be_fitted(values, kept):
    with pytest.raises(ConfigError):
        fit_unknown(values, kept=kept)
