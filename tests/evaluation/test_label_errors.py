"""Wrong labels that were planted are found; whether a model learned from them or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from tests.evaluation.conftest import predictions

from convolens.errors import ConfigError
from convolens.evaluation import estimate_joint, find_label_errors


@settings(deadline=None)
@given(predictions())
def test_whatever_the_predictions(given_predictions):
    probabilities, labels = given_predictions
    joint = estimate_joint(probabilities, labels)
    assert (joint >= 0).all()
    shares = np.bincount(labels, minlength=len(joint)) / len(labels)
    np.testing.assert_allclose(joint.sum(axis=1), shares, atol=1e-12)
    found = find_label_errors(probabilities, labels)
    np.testing.assert_array_equal(found.joint, joint)
    assert found.noise == pytest.approx(1 - np.trace(joint))
    assert ((found.quality >= 0) & (found.quality <= 1)).all()
    np.testing.assert_array_equal(found.given, labels[found.indices])
    np.testing.assert_array_equal(found.suggested, probabilities[found.indices].argmax(axis=1))
    assert (found.suggested != found.given).all()
    assert (np.diff(found.quality[found.indices]) >= 0).all()


def noise_of(kind, rate, classes):
    """Row the true class, column the label."""
    if kind == "similar":
        return (1 - rate) * np.eye(classes) + rate * np.roll(np.eye(classes), 1, axis=1)
    off = rate / (classes - 1)
    return np.full((classes, classes), off) + (1 - rate - off) * np.eye(classes)


def planted(rate, kind="symmetric", *, learned=True, seed=0, classes=6, n=6000):
    """Probabilities of a good model, labels of which a share is wrong, and which.

    A model that ``learned`` from such labels expects them; any other says what it sees.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    logits = 0.7 * rng.normal(size=(n, classes)) + 6 * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    noise = noise_of(kind, rate, classes)
    if learned:
        probabilities = probabilities @ noise
    labels = (rng.random(n)[:, None] > noise[truth].cumsum(axis=1)[:, :-1]).sum(axis=1)
    return probabilities, labels, labels != truth


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("kind", ["symmetric", "similar"])
@pytest.mark.parametrize(("rate", "least"), [(0.05, 0.75), (0.1, 0.85), (0.2, 0.95)])
def test_planted_errors_are_found(rate, least, kind, learned):
    probabilities, labels, wrong = planted(rate, kind, learned=learned)
    found = find_label_errors(probabilities, labels)
    assert found.noise == pytest.approx(wrong.mean(), rel=0.25)
    assert wrong[found.indices].mean() > 0.98
    assert wrong[found.indices].sum() > least * wrong.sum()
    worst = found.quality.argsort()[: wrong.sum()]
    assert wrong[worst].mean() > 0.98
    np.testing.assert_allclose(found.joint * 6, noise_of(kind, rate, 6).T, atol=0.06)


def test_one_wrong_label_among_few_pictures_comes_first():
    probabilities, labels, _ = planted(0.0, n=60, classes=3)
    labels[4] = (labels[4] + 1) % 3
    assert find_label_errors(probabilities, labels).indices.tolist() == [4]


def test_right_labels_are_left_alone():
    probabilities, labels, _ = planted(0.0)
    assert len(find_label_errors(probabilities, labels).indices) < 0.001 * len(labels)


def test_copies_with_other_labels_come_first():
    probabilities, labels, _ = planted(0.1)
    sure = np.flatnonzero(probabilities.argmax(axis=1) == labels)
    one, other = sure[0], next(at for at in sure if labels[at] != labels[sure[0]])
    same = next(at for at in sure[1:] if labels[at] == labels[one])
    pairs = np.array([[one, other], [one, same]])
    found = find_label_errors(probabilities, labels, copies=pairs)
    assert set(found.indices[:2]) == {one, other}
    assert found.contrary_copy.tolist() == [True] * 2 + [False] * (len(found.indices) - 2)
    without = find_label_errors(probabilities, labels)
    assert found.indices[2:].tolist() == without.indices.tolist()


@pytest.mark.parametrize("copies", [np.array([[0, 9]]), np.array([[-1, 0]]), np.array([0, 1])])
def test_copies_that_are_none(copies):
    with pytest.raises(ConfigError, match=r"copies are pairs of positions, \(m, 2\), in 0..1"):
        find_label_errors(np.array([[0.5, 0.5]] * 2), np.array([0, 1]), copies=copies)
