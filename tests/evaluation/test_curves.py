"""Curves of one class against the rest, by scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from convolens.errors import ConfigError
from convolens.evaluation import precision_recall_curve, roc_curve

scored = st.lists(
    st.tuples(st.integers(0, 9).map(lambda tenths: tenths / 10), st.booleans()),
    min_size=2,
    max_size=40,
).map(lambda rows: (np.array([score for score, _ in rows]), np.array([own for _, own in rows])))


@settings(deadline=None)
@given(scored.filter(lambda each: each[1].any() and not each[1].all()))
def test_the_roc_curve_is_that_of_scikit_learn(given_scores):
    scores, positive = given_scores
    found = roc_curve(scores, positive)
    false, true, thresholds = oracle.roc_curve(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose(found.false_positive_rate, false)
    np.testing.assert_allclose(found.true_positive_rate, true)
    np.testing.assert_allclose(found.thresholds, thresholds)
    assert found.auc == pytest.approx(oracle.roc_auc_score(positive, scores))


@settings(deadline=None)
@given(scored.filter(lambda each: each[1].any()))
def test_precision_and_recall_are_those_of_scikit_learn(given_scores):
    scores, positive = given_scores
    found = precision_recall_curve(scores, positive)
    precision, recall, thresholds = oracle.precision_recall_curve(positive, scores)
    # Its curve goes from the laxest threshold on, and ends at a point of no threshold.
    np.testing.assert_allclose(found.precision, precision[-2::-1])
    np.testing.assert_allclose(found.recall, recall[-2::-1])
    np.testing.assert_allclose(found.thresholds, thresholds[::-1])
    expected = oracle.average_precision_score(positive, scores)
    assert found.average_precision == pytest.approx(expected)


@pytest.mark.parametrize(
    ("scores", "positive", "words"),
    [
        (np.zeros(3), np.ones(2, bool), "must both have shape"),
        (np.zeros(0), np.zeros(0, bool), "must both have shape"),
        (np.array([np.nan, 1]), np.array([True, False]), "NaN"),
        (np.zeros(2), np.zeros(2, bool), "all of them are others"),
        (np.zeros(2), np.ones(2, bool), "all of them are of the class"),
    ],
)
def test_what_has_no_curve(scores, positive, words):
    with pytest.raises(ConfigError, match=words):
        roc_curve(scores, positive)


def test_precision_without_anything_to_find():
    with pytest.raises(ConfigError, match="there are none"):
        precision_recall_curve(np.zeros(2), np.zeros(2, bool))
