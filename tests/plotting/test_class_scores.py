"""Scores of every class: dots and intervals where they belong, the worst first."""

import numpy as np
import pytest

from convolens.errors import ConfigError
from convolens.evaluation import evaluate_probabilities
from convolens.plotting import plot_class_scores


def evaluation_of(n_classes=4, n=800, seed=0, labels=None):
    """Classes of higher numbers are the easier ones."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n) if labels is None else labels
    called = np.where(
        rng.random(n) < 0.4 + 0.5 * labels / n_classes, labels, rng.integers(0, n_classes, n)
    )
    names = tuple(f"class {k}" for k in range(n_classes))
    return evaluate_probabilities(np.eye(n_classes)[called], labels, names)


def dots(axes):
    return next(line.get_xydata() for line in axes.lines if line.get_marker() == "o")


def words(figure):
    return [text.get_text() for text in figure.texts]


def test_every_panel_has_a_dot_and_an_interval_for_every_class_worst_f1_first():
    judged = evaluation_of()
    intervals = judged.intervals()
    figure = plot_class_scores(judged)
    order = np.argsort([entry.f1 for entry in judged.per_class])
    for axes, name in zip(figure.axes, ("f1", "recall", "precision"), strict=True):
        expected = [getattr(judged.per_class[label], name) for label in order]
        assert dots(axes).tolist() == [[value, row] for row, value in enumerate(expected)]
        drawn = axes.lines[-2].get_xydata().reshape(-1, 3, 2)
        assert np.allclose(drawn[:, :2, 0], [getattr(intervals, name)[label] for label in order])
        assert drawn[:, 0, 1].tolist() == [0, 1, 2, 3]
        assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first row is on top
    placed = {t.get_text(): t.get_position()[1] for t in figure.texts if "class " in t.get_text()}
    assert [placed[f"class {label}"] for label in order] == sorted(
        (placed[f"class {label}"] for label in order), reverse=True
    )


def test_the_title_names_the_worst_and_the_best():
    judged = evaluation_of()
    worst, best = (judged.per_class[k] for k in (0, 3))
    assert words(plot_class_scores(judged))[0] == (
        f"F1 from {100 * worst.f1:.0f} % (class 0) to {100 * best.f1:.0f} % (class 3)"
    )


def test_panels_have_one_scale_that_holds_every_interval():
    judged = evaluation_of()
    axes = plot_class_scores(judged).axes
    assert len({each.get_xlim() for each in axes}) == 1
    low, high = axes[0].get_xlim()
    for name in ("f1", "recall", "precision"):
        assert all(low <= a and b <= high for a, b in getattr(judged.intervals(), name))


def test_of_many_classes_the_worst_thirty_are_drawn():
    judged = evaluation_of(100, 5000)
    figure = plot_class_scores(judged, judged.intervals())
    assert words(figure)[0].endswith("worst 30 of 100")
    drawn = dots(figure.axes[0])[:, 0]
    assert drawn.tolist() == sorted(entry.f1 for entry in judged.per_class)[:30]


def test_classes_without_pictures_are_left_out_and_said():
    labels = np.repeat([0, 1, 3], 50)
    figure = plot_class_scores(evaluation_of(4, 150, labels=labels))
    assert len(dots(figure.axes[0])) == 3
    assert "no picture, so no dot: class 2" in words(figure)[1]
    figure = plot_class_scores(evaluation_of(40, 50, labels=np.repeat([0, 1], 25)))
    assert "38 classes have no picture and no dot" in words(figure)[1]


def test_one_class_and_one_picture_are_drawn():
    judged = evaluate_probabilities(np.array([[1.0]]), np.array([0]), ("only",))
    assert words(plot_class_scores(judged))[0] == "F1 100 % (only)"


def test_a_long_name_does_not_push_the_scores_out_of_the_title():
    judged = evaluate_probabilities(np.eye(2), np.array([0, 1]), ("x" * 4000, "$5\nb"))
    assert words(plot_class_scores(judged))[0].startswith("F1 from 100 % to 100 %\nworst: xx")


def test_intervals_of_other_classes_are_refused():
    with pytest.raises(ConfigError, match=r"intervals of 5 classes for 4; give evaluation\.int"):
        plot_class_scores(evaluation_of(), evaluation_of(5).intervals())
