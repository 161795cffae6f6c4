import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from convolens.errors import ConfigError
from convolens.experiments import corrected_interval, mean_interval
from convolens.experiments.intervals import student_t_quantile
from convolens.experiments.summaries import spread_over_seeds

shares = st.lists(st.floats(0, 1), min_size=2, max_size=30)


@given(st.floats(0.01, 0.999), st.integers(1, 400))
def test_the_t_quantile_is_scipys(confidence, degrees):
    expected = stats.t.ppf((1 + confidence) / 2, degrees)
    assert student_t_quantile(confidence, degrees) == pytest.approx(expected, rel=1e-9)


@given(shares, st.integers(2, 20))
def test_the_corrected_interval_is_that_of_an_independent_calculation(values, folds):
    variance = np.var(values, ddof=1) * (1 / len(values) + 1 / (folds - 1))
    expected = stats.t.interval(0.95, len(values) - 1, np.mean(values), np.sqrt(variance) + 1e-300)
    low, high = corrected_interval(values, 1 / (folds - 1))
    assert (low, high) == pytest.approx(expected, abs=1e-9)


@given(shares)
def test_without_a_correction_it_is_students_and_narrower(values):
    error = stats.sem(values)
    expected = stats.t.interval(0.95, len(values) - 1, np.mean(values), error + 1e-300)
    low, high = mean_interval(values)
    assert (low, high) == pytest.approx(expected, abs=1e-9)
    wide = corrected_interval(values, 1 / 4)
    assert wide[1] - wide[0] >= high - low


def test_what_has_no_interval():
    with pytest.raises(ConfigError, match="at least two values; got 1"):
        mean_interval([0.5])
    with pytest.raises(ConfigError, match="test_over_train must be 0 or more"):
        corrected_interval([0.5, 0.6], float("nan"))
    with pytest.raises(ConfigError, match="degrees is 0"):
        student_t_quantile(0.95, 0)
    with pytest.raises(ConfigError, match="confidence must be between"):
        student_t_quantile(1.0, 3)
    alone = spread_over_seeds([0.5])
    assert (alone.mean, alone.deviation, alone.low, alone.high) == (0.5, None, None, None)
    near = spread_over_seeds([0.99, 1.0])
    assert near.high == 1.0
