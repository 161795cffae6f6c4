"""ROC and precision-recall curves: the right lines, the worst classes named, few points."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from convolens.errors import ConfigError
from convolens.plotting import plot_precision_recall_curves, plot_roc_curves
from convolens.plotting.class_areas import areas_under_roc, average_precisions
from convolens.plotting.figures import figure_svg

BOTH = pytest.mark.parametrize("draw", [plot_roc_curves, plot_precision_recall_curves])


def judged(n_classes, n, sharp=3.0, seed=0):
    """Probabilities that know something of the labels; lower classes are the harder ones."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    logits = rng.normal(size=(n, n_classes)).astype(np.float32)
    logits[np.arange(n), labels] += sharp * (0.5 + labels / n_classes)
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True), labels


def words(figure):
    return [text.get_text() for text in figure.texts]


def thick(axes):
    """The lines of named classes."""
    return [line for line in axes.lines if line.get_linewidth() > 1.5]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 60), st.integers(2, 6))
def test_areas_are_those_of_scikit_learn(seed, n, n_classes):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 5, (n, n_classes)) / 4  # with many ties
    labels = rng.integers(0, n_classes, n)
    roc, precision = areas_under_roc(scores, labels), average_precisions(scores, labels)
    for label in range(n_classes):
        own = labels == label
        if not own.any():
            assert np.isnan(roc[label])
            assert np.isnan(precision[label])
            continue
        expected = metrics.average_precision_score(own, scores[:, label])
        assert precision[label] == pytest.approx(expected)
        if own.all():
            assert np.isnan(roc[label])
        else:
            assert roc[label] == pytest.approx(metrics.roc_auc_score(own, scores[:, label]))


def test_a_line_is_the_curve_of_scikit_learn():
    probabilities, labels = judged(3, 2000, sharp=1.0)
    axes = plot_roc_curves(probabilities, labels, ["a", "b", "c"]).axes[0]
    for label, line in enumerate(thick(axes)):  # the hardest class is the first of both
        false, true, _ = metrics.roc_curve(labels == label, probabilities[:, label])
        drawn = np.interp(false, *line.get_xydata().T)
        assert np.abs(drawn - true).max() < 0.03
        assert abs(np.trapezoid(*line.get_xydata().T[::-1]) - np.trapezoid(true, false)) < 0.001


def test_a_precision_line_is_the_curve_of_scikit_learn():
    probabilities, labels = judged(2, 60, sharp=1.0)
    axes = plot_precision_recall_curves(probabilities, labels, ["a", "b"]).axes[0]
    drawn = thick(axes)[0].get_xydata()
    precision, recall, _ = metrics.precision_recall_curve(labels == 0, probabilities[:, 0])
    expected = set(zip(recall.round(6), precision.round(6), strict=True))
    assert {(x, y) for x, y in drawn.round(6)} <= expected | {(0.0, float(drawn[0, 1].round(6)))}


def test_few_classes_are_all_named_with_their_areas_worst_first():
    probabilities, labels = judged(3, 2000)
    figure = plot_roc_curves(probabilities, labels, ["a", "b", "c"])
    areas = [metrics.roc_auc_score(labels == k, probabilities[:, k]) for k in range(3)]
    assert words(figure)[0] == f"mean area under the curve {np.mean(areas):.3f}, of 3 classes"
    named = [f"{name}\n{area:.3f}" for name, area in zip("abc", areas, strict=True)]
    assert [text for text in words(figure) if "\n" in text] == named


@BOTH
def test_of_many_classes_the_worst_five_are_named_and_the_others_grey(draw):
    probabilities, labels = judged(40, 4000)
    figure = draw(probabilities, labels, [f"c{k}" for k in range(40)])
    axes = figure.axes[0]
    assert len(thick(axes)) == 5
    grey = [line for line in axes.lines if line.get_color() == "#a6a6a6"]
    assert len(grey) == 10
    assert "worst 5 of 40 classes" in words(figure)
    assert any(text.startswith("10 of 35 others\n") for text in words(figure))
    assert sum(text.startswith("c") and "\n" in text for text in words(figure)) == 5


def test_lines_differ_in_more_than_colour():
    axes = plot_roc_curves(*judged(9, 900), [str(k) for k in range(9)]).axes[0]
    lines = thick(axes)
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == 5
    numbers = [text for text in axes.texts if text.get_bbox_patch() is not None]
    assert [text.get_text() for text in numbers] == ["1", "2", "3", "4", "5"]
    for text, line in zip(numbers, lines, strict=True):
        assert text.get_bbox_patch().get_edgecolor()[:3] != (0, 0, 0)
        x, y = text.get_position()
        assert (
            np.abs(np.hypot(*(line.get_path().interpolated(50).vertices - (x, y)).T)).min() < 0.02
        )


@BOTH
@pytest.mark.parametrize("sharp", [0.0, 2.0, 30.0, -30.0])
def test_numbers_never_cover_one_another(draw, sharp):
    figure = draw(*judged(6, 500, sharp), list("abcdef"))
    figure.canvas.draw()
    boxes = [text.get_bbox_patch().get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 5
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


@BOTH
def test_where_every_line_is_high_the_axis_ends_early_and_says_so(draw):
    figure = draw(*judged(3, 3000, 12.0), ["a", "b", "c"])
    low, high = figure.axes[0].get_xlim()
    assert high - low < 1
    assert any(text.startswith("zoomed in") for text in words(figure))
    whole = draw(*judged(3, 3000, 0.5), ["a", "b", "c"])
    assert whole.axes[0].get_xlim() == (0, 1)
    assert not any(text.startswith("zoomed in") for text in words(whole))


@BOTH
def test_a_class_without_pictures_has_no_curve_and_is_named(draw):
    probabilities, labels = judged(3, 300)
    figure = draw(probabilities, np.where(labels == 1, 0, labels), ["a", "the b", "c"])
    assert "no picture, so no curve: the b" in words(figure)
    assert len(thick(figure.axes[0])) == 2
    figure = draw(probabilities, np.arange(300) % 2 * 2, ["a", "b", "c"])
    assert words(figure)[0].endswith("of 2 classes")


@BOTH
def test_the_file_stays_small(draw):
    svg = figure_svg(draw(*judged(60, 20_000, 1.0), [f"class {k}" for k in range(60)]))
    assert len(svg) < 85_000


@BOTH
@pytest.mark.parametrize(
    ("probabilities", "labels", "names", "said"),
    [
        ([0.5, 0.5], [0, 1], ["a", "b"], r"\(n, classes\)"),
        ([[0.5, np.nan]], [0], ["a", "b"], "finite"),
        ([[0.5, 0.5]], [0, 1], ["a", "b"], "labels have shape"),
        ([[0.5, 0.5]], [2], ["a", "b"], "labels run from 2 to 2"),
        ([[0.5, 0.5], [0.4, 0.6]], [0, 1], ["a"], "1 entries for 2 classes"),
    ],
)
def test_what_does_not_fit_is_refused(draw, probabilities, labels, names, said):
    with pytest.raises(ConfigError, match=said):
        draw(probabilities, labels, names)


def test_pictures_of_one_class_have_no_roc_curve():
    with pytest.raises(ConfigError, match="pictures of two classes or more; all are of one"):
        plot_roc_curves([[0.5, 0.5], [0.4, 0.6]], [1, 1], ["a", "b"])
