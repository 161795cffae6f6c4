"""Wrong labels that were planted are found; by a plain reference, and by how many are right."""

import numpy as np
import pytest
from hypothesis import given, settings
from tests.evaluation.conftest import predictions

from convolens.errors import ConfigError
from convolens.evaluation import estimate_joint, find_label_errors


def plain_joint(probabilities, labels):
    """The same in loops, from the paper."""
    n, classes = probabilities.shape
    table = np.zeros((classes, classes))
    usual = [
        np.mean([p[k] for p, y in zip(probabilities, labels, strict=True) if y == k])
        if k in labels
        else np.inf
        for k in range(classes)
    ]
    for p, y in zip(probabilities, labels, strict=True):
        sure = [k for k in range(classes) if p[k] >= usual[k] - 1e-6]
        if sure:
            table[y, max(sure, key=lambda k: (p[k], -k))] += 1
    joint = np.zeros_like(table)
    for k in range(classes):
        row = table[k] if table[k].sum() else np.eye(classes)[k]
        joint[k] = row / row.sum() * (labels == k).sum() / n
    return joint


@settings(deadline=None)
@given(predictions())
def test_the_joint_is_that_of_the_paper(given_predictions):
    probabilities, labels = given_predictions
    joint = estimate_joint(probabilities, labels)
    np.testing.assert_allclose(joint, plain_joint(probabilities, labels), atol=1e-12)
    assert joint.sum() == pytest.approx(1)
    found = find_label_errors(probabilities, labels)
    assert found.noise == pytest.approx(1 - np.trace(joint))
    assert (found.given == labels[found.indices]).all()
    assert (found.suggested != found.given).all()
    assert (np.diff(found.quality[found.indices]) >= 0).all()
    # Never more of a label for another class than the joint says.
    for label in set(found.given.tolist()):
        most = np.rint(joint[label] * len(labels)).sum() - np.rint(
            joint[label, label] * len(labels)
        )
        assert (found.given == label).sum() <= most


def planted(noise, seed=0, classes=6, n=3000):
    """Probabilities of a good model, the truth, and labels of which a share is wrong."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, classes)) + 5 * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = truth.copy()
    flipped = rng.random(n) < noise
    labels[flipped] = (truth[flipped] + rng.integers(1, classes, flipped.sum())) % classes
    return probabilities, labels, flipped


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.2])
def test_planted_errors_are_found(noise):
    probabilities, labels, flipped = planted(noise)
    found = find_label_errors(probabilities, labels)
    assert found.noise == pytest.approx(flipped.mean(), abs=0.02)
    assert flipped[found.indices].mean() > 0.9
    assert flipped[found.indices].sum() > 0.9 * flipped.sum()
    assert flipped[found.indices[: len(found.indices) // 4]].mean() > 0.98


def test_right_labels_are_left_alone():
    probabilities, labels, _ = planted(0.0)
    assert len(find_label_errors(probabilities, labels).indices) < 0.01 * len(labels)


def test_copies_with_other_labels_come_first():
    probabilities, labels, _ = planted(0.1)
    sure = np.flatnonzero(probabilities.argmax(axis=1) == labels)
    one, other = sure[0], next(at for at in sure if labels[at] != labels[sure[0]])
    same = next(at for at in sure[1:] if labels[at] == labels[one])
    found = find_label_errors(probabilities, labels, copies=np.array([[one, other], [one, same]]))
    assert set(found.indices[:2]) == {one, other}
    assert found.contrary_copy.tolist() == [True] * 2 + [False] * (len(found.indices) - 2)
    without = find_label_errors(probabilities, labels)
    assert found.indices[2:].tolist() == without.indices.tolist()


@pytest.mark.parametrize("copies", [np.array([[0, 9]]), np.array([[-1, 0]]), np.array([0, 1])])
def test_copies_that_are_none(copies):
    with pytest.raises(ConfigError, match=r"copies are pairs of positions, \(m, 2\), in 0..1"):
        find_label_errors(np.array([[0.5, 0.5]] * 2), np.array([0, 1]), copies=copies)
