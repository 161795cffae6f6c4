"""A trained model's probabilities fit: its temperature is that of its own validation pictures."""

import numpy as np
import pytest

from convolens.data import load_data
from convolens.evaluation import evaluate, fit_temperature
from convolens.recipes import fast
from convolens.training import Recipe, train_recipe


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    data = load_data("digits")
    recipe: Recipe = fast(epochs=3, label_smoothing=0.3)
    return train_recipe(data, recipe, path=tmp_path_factory.mktemp("calibrated") / "run")


def test_it_is_what_the_validation_pictures_ask_for(run):
    data, model = run.data(), run.model()
    own = model.predict_proba(data.validation.images, calibrated=False)
    expected = fit_temperature(own, data.validation.labels)
    assert model.temperature == pytest.approx(expected, rel=1e-3)
    assert model.temperature < 1  # so much smoothing makes it much too unsure
    (best,) = [each for each in run.history if each["epoch"] == run.results["best_epoch"]]
    assert best["temperature"] == model.temperature


def test_probabilities_of_other_pictures_fit_better(run):
    plain, mended = (
        evaluate(run.model(), run.data(), calibrated=calibrated) for calibrated in (False, True)
    )
    assert mended.accuracy == plain.accuracy
    assert mended.ece < plain.ece / 2
    assert mended.log_loss < plain.log_loss
    np.testing.assert_array_equal(run.test.probabilities, mended.probabilities)
