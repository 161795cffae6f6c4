"""Reliability by scikit-learn, temperature by SciPy's optimiser."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.calibration import calibration_curve
from tests.evaluation.conftest import calibrated, predictions

from convolens.errors import ConfigError
from convolens.evaluation import (
    expected_calibration_error,
    fit_temperature,
    reliability,
    with_temperature,
)


@settings(deadline=None)
@given(predictions(), st.integers(1, 20))
def test_the_diagram_is_that_of_scikit_learn(given_predictions, bins):
    probabilities, labels = given_predictions
    entries = reliability(probabilities, labels, bins)
    right = probabilities.argmax(axis=1) == labels
    confidence = probabilities.max(axis=1)
    accuracies, confidences = calibration_curve(right, confidence, n_bins=bins)
    filled = [entry for entry in entries if entry.n]
    np.testing.assert_allclose([entry.accuracy for entry in filled], accuracies)
    np.testing.assert_allclose([entry.confidence for entry in filled], confidences)
    assert sum(entry.n for entry in entries) == len(labels)
    gaps = sum(entry.n * abs(entry.accuracy - entry.confidence) for entry in filled)
    expected = expected_calibration_error(probabilities, labels, bins)
    assert gaps / len(labels) == pytest.approx(expected, abs=1e-12)
    for entry in entries:
        assert (entry.accuracy is None) == (entry.n == 0)
        if entry.n:
            assert entry.low < confidence.max() + 1e-12
            assert entry.accuracy_low <= entry.accuracy <= entry.accuracy_high


def loss_with_one_more(probabilities, labels, temperature):
    """Sum of the log losses, and the mean one of an average picture of any class."""
    logs = np.log(with_temperature(probabilities, temperature))
    own = logs[np.arange(len(labels)), labels]
    return -own.sum() - logs.mean()


@settings(deadline=None, max_examples=40)
@given(predictions())
def test_the_temperature_has_the_least_log_loss(given_predictions):
    probabilities, labels = given_predictions
    found = fit_temperature(probabilities, labels)
    best = minimize_scalar(
        lambda power: loss_with_one_more(probabilities, labels, np.exp(power)),
        bounds=(np.log(0.01), np.log(100)),
        method="bounded",
    )
    assert 0.01 <= found <= 100
    assert loss_with_one_more(probabilities, labels, found) <= best.fun + 1e-6


@pytest.mark.parametrize("n", [20, 200])
def test_few_pictures_that_are_all_right_do_not_make_it_certain(n):
    labels = np.arange(n) % 3
    probabilities = 0.7 * np.eye(3)[labels] + 0.1
    mended = with_temperature(probabilities, fit_temperature(probabilities, labels))
    # Of n and one of which nothing is known a third is right there.
    assert mended[0].max() == pytest.approx((n + 1 / 3) / (n + 1), rel=1e-6)


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_a_temperature_that_was_applied_is_found(true):
    probabilities, labels = calibrated(20_000, 5)
    wrong = with_temperature(probabilities, 1 / true)
    assert fit_temperature(wrong, labels) == pytest.approx(true, rel=0.05)
    mended = with_temperature(wrong, fit_temperature(wrong, labels))
    assert expected_calibration_error(mended, labels) < 0.02
    if true != 1:
        assert expected_calibration_error(wrong, labels) > 0.05


@given(predictions(), st.floats(0.05, 20))
def test_a_temperature_changes_no_prediction(given_predictions, temperature):
    probabilities, _ = given_predictions
    changed = with_temperature(probabilities, temperature)
    np.testing.assert_allclose(changed.sum(axis=1), 1)
    rows = np.arange(len(changed))
    top = probabilities.argmax(axis=1)
    np.testing.assert_allclose(changed[rows, top], changed.max(axis=1))
    back = with_temperature(changed, 1 / temperature)
    assert temperature < 0.5 or np.abs(back - probabilities).max() < 1e-6


def test_probabilities_that_are_zero_stay_so():
    certain = np.array([[1.0, 0.0, 0.0]], dtype=np.float32)
    assert with_temperature(certain, 2.0).tolist() == certain.tolist()
    assert with_temperature(certain, 2.0).dtype == np.float32
    assert 0.01 <= fit_temperature(certain, np.array([0])) <= 100


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_temperatures_that_are_none(temperature):
    with pytest.raises(ConfigError, match="a temperature is a number above 0; got"):
        with_temperature(np.array([[0.5, 0.5]]), temperature)


def test_a_diagram_needs_a_bin():
    with pytest.raises(ConfigError, match="bins must be at least 1; got 0"):
        reliability(np.array([[0.5, 0.5]]), np.array([0]), bins=0)
