"""How probably labels are right, against the same worked out plainly with all classes."""

import numpy as np
import pytest
from tests.evaluation.test_label_errors import noise_of, planted

from convolens.evaluation import find_label_errors
from convolens.evaluation.label_judging import judge_labels


def right_by_all(probabilities, labels, noise):
    """How probably each label is right; every class takes part."""
    found = []
    for said, label in zip(
        probabilities / probabilities.sum(1, keepdims=True), labels, strict=True
    ):
        truth = said.copy()
        for _ in range(20):
            truth = truth * (noise @ (said / (noise.T @ truth)))
            truth = truth / truth.sum()
        belief = truth * noise[:, label]
        found.append(belief[label] / belief.sum())
    return np.array(found)


@pytest.mark.parametrize("classes", [2, 9, 25])
def test_of_few_classes_all_take_part(classes):
    probabilities, labels, _ = planted(0.1, classes=classes, n=300)
    noise = noise_of("similar", 0.1, classes)
    found = judge_labels(probabilities, labels, noise).right
    np.testing.assert_allclose(found, right_by_all(probabilities, labels, noise), atol=1e-9)


@pytest.mark.parametrize("classes", [26, 40, 200])
def test_classes_that_are_alike_count_as_one_without_loss(classes):
    """Where all but some have one probability, and any label may be wrong in any way."""
    rng = np.random.default_rng(0)
    probabilities = np.full((300, classes), 0.02 / classes)
    for row in probabilities:
        some = rng.choice(classes, 20, replace=False)
        row[some] += 0.98 * rng.dirichlet(np.full(20, 0.5))
    labels = rng.integers(0, classes, 300)
    noise = noise_of("symmetric", 0.1, classes)
    found = judge_labels(probabilities, labels, noise)
    np.testing.assert_allclose(found.right, right_by_all(probabilities, labels, noise), atol=1e-9)
    shares = np.bincount(labels, minlength=classes) / 300
    np.testing.assert_allclose(found.joint.sum(axis=1), shares, atol=1e-12)
    assert (found.joint >= 0).all()


@pytest.mark.parametrize("kind", ["symmetric", "similar"])
def test_many_classes_are_judged_as_by_all(kind):
    probabilities, labels, wrong = planted(0.1, kind, classes=60, n=1000)
    noise = noise_of(kind, 0.1, 60)
    found = judge_labels(probabilities, labels, noise).right
    expected = right_by_all(probabilities, labels, noise)
    assert np.abs(found - expected).mean() < 0.01
    assert ((found < 0.5) != (expected < 0.5)).sum() <= 3
    assert wrong[found < 0.5].mean() > 0.98


def test_planted_errors_among_many_classes_are_found():
    probabilities, labels, wrong = planted(0.1, "similar", classes=100, n=12_000)
    found = find_label_errors(probabilities, labels)
    assert wrong[found.indices].mean() > 0.98
    assert wrong[found.indices].sum() > 0.85 * wrong.sum()
    assert found.noise == pytest.approx(wrong.mean(), rel=0.25)
