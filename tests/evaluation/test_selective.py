"""Risk, coverage and saying "unsure": by counting, by SciPy and by trying it many times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta
from tests.evaluation.conftest import calibrated, predictions

from convolens.errors import ConfigError
from convolens.evaluation import (
    binomial_upper,
    least_risk,
    pick_threshold,
    risk_coverage,
    risk_table,
    unsure_below,
)


@settings(deadline=None)
@given(predictions())
def test_the_curve_is_what_counting_gives(given_predictions):
    probabilities, labels = given_predictions
    confidence = probabilities.max(axis=1)
    wrong = probabilities.argmax(axis=1) != labels
    curve = risk_coverage(probabilities, labels)
    assert curve.thresholds.tolist() == sorted(set(confidence.tolist()), reverse=True)
    for threshold, coverage, risk in zip(curve.thresholds, curve.coverage, curve.risk, strict=True):
        answered = confidence >= threshold
        assert coverage == pytest.approx(answered.mean())
        assert risk == pytest.approx(wrong[answered].mean())
    steps = np.searchsorted(-curve.thresholds, -confidence)
    assert curve.area == pytest.approx(curve.risk[steps].mean())


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
       st.floats(1e-6, 0.5))  # fmt: skip
def test_the_bound_is_the_exact_one_of_scipy(counts, error):
    successes, n = counts
    expected = 1.0 if successes == n else beta.ppf(1 - error, successes + 1, n - successes)
    assert binomial_upper(successes, n, error) == pytest.approx(expected, abs=1e-9)


def test_the_risk_is_kept_as_often_as_was_promised():
    """On pictures of the same kind, of which there are enough to know the risk exactly."""
    everything, truth = calibrated(200_000, 4, seed=1)
    sure, wrong = everything.max(axis=1), everything.argmax(axis=1) != truth
    broken, coverages = 0, []
    for trial in range(200):
        chosen = np.random.default_rng(trial).choice(len(truth), 4000)
        found = unsure_below(everything[chosen], truth[chosen], risk=0.2, confidence=0.9)
        answered = sure >= found.threshold
        broken += bool(answered.any()) and wrong[answered].mean() > 0.2
        coverages.append(answered.mean())
    assert broken <= 0.1 * 200
    best = risk_coverage(everything, truth)
    possible = best.coverage[best.risk <= 0.2].max()
    assert 0.6 * possible < np.mean(coverages) < possible


def test_a_risk_that_cannot_be_kept_leaves_nothing_answered():
    probabilities, labels = np.array([[0.9, 0.1]] * 10), np.ones(10, dtype=int)
    found = unsure_below(probabilities, labels, risk=0.05)
    assert (found.coverage, found.seen_risk) == (0.0, 0.0)
    assert found.threshold > 1
    everything = unsure_below(probabilities, 0 * labels, risk=0.6)
    assert (everything.coverage, everything.threshold) == (1.0, 0.9)


@pytest.mark.parametrize("name", ["risk", "confidence"])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, np.nan])
def test_numbers_outside_their_range(name, value):
    options = {"risk": 0.1, "confidence": 0.95, name: value}
    with pytest.raises(ConfigError, match=f"{name} must be between 0 and 1; got"):
        unsure_below(np.array([[0.5, 0.5]]), np.array([0]), **options)


@given(predictions(), st.floats(0.01, 0.99), st.floats(0.05, 0.99))
def test_a_table_picks_what_trying_every_threshold_finds(given_predictions, risk, confidence):
    probabilities, labels = given_predictions
    sure, wrong = probabilities.max(axis=1), probabilities.argmax(axis=1) != labels
    ranked = np.sort(sure)[::-1]
    n = len(labels)
    expected = 2.0
    for twentieths in range(1, 21):  # the strictest first, the laxest that passes stays
        threshold = ranked[max(1, int(np.ceil(twentieths * n / 20 - 1e-9))) - 1]
        answered = sure >= threshold
        mistakes, there = int(wrong[answered].sum()), int(answered.sum())
        error = (1 - confidence) / 20
        upper = 1.0 if mistakes == there else beta.ppf(1 - error, mistakes + 1, there - mistakes)
        if abs(upper - risk) < 1e-6:
            return
        expected = threshold if upper <= risk else expected
    table = risk_table(probabilities, labels)
    found = pick_threshold(table, risk, confidence=confidence)
    assert found == unsure_below(probabilities, labels, risk, confidence=confidence)
    assert found.threshold == expected
    assert table.answered[0] == n
    assert (found.coverage == 0) == (risk < least_risk(table, confidence=confidence))
