"""Reliability diagrams: dots where the pictures are, and what the title says."""

import numpy as np
import pytest

from convolens.errors import ConfigError
from convolens.evaluation import accuracy, expected_calibration_error, reliability
from convolens.plotting import plot_reliability


def judged(n=3000, too_sure=1.0):
    """Two classes; the likeliest is right as often as its probability says, or less."""
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, n)
    wrong = rng.random(n) > 0.5 + (sure - 0.5) / too_sure
    return np.stack([sure, 1 - sure], axis=1), wrong.astype(np.int64)


def dots(figure):
    """(confidence, accuracy) of open and of filled dots."""
    lines = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    return [line.get_xydata() for line in lines]


def test_a_dot_stands_at_the_confidence_and_accuracy_of_every_bin_with_pictures():
    bins = reliability(*judged())
    drawn = np.concatenate(dots(plot_reliability(bins)))
    expected = [(each.confidence, each.accuracy) for each in bins if each.n]
    assert np.allclose(drawn[np.argsort(drawn[:, 0])], expected)


def test_filled_are_those_whose_interval_misses_the_diagonal():
    open_dots, filled = dots(plot_reliability(reliability(*judged(too_sure=2.0))))
    assert len(filled) > len(open_dots)
    assert (filled[:, 1] < filled[:, 0]).all()
    open_dots, filled = dots(plot_reliability(reliability(*judged())))
    assert len(filled) <= 1 < len(open_dots)


def test_the_title_is_the_calibration_error_and_the_line_below_its_direction():
    probabilities, labels = judged(too_sure=2.0)
    title, lean, *_ = [
        text.get_text() for text in plot_reliability(reliability(probabilities, labels)).texts
    ]
    error = 100 * expected_calibration_error(probabilities, labels)
    assert title == f"calibration error {error:.0f} %, on 3,000 pictures"
    off = 100 * (probabilities.max(axis=1).mean() - accuracy(probabilities, labels))
    assert lean == f"over all it is {off:.1f} points surer than it is right"


def test_the_bars_count_the_pictures_of_each_bin():
    bins = reliability(*judged(400))
    lower = plot_reliability(bins).axes[1]
    assert [bar.get_height() for bar in lower.patches] == [each.n for each in bins]
    assert [text.get_text() for text in lower.texts] == [str(each.n or "") for each in bins]


@pytest.mark.parametrize(("n", "bins", "said"), [(9000, 15, "3.0k"), (30_000, 15, "10k")])
def test_a_count_without_room_is_shortened(n, bins, said):
    probabilities = np.repeat([[0.5, 0.5], [0.75, 0.25], [0.99, 0.01]], n // 3, axis=0)
    labels = np.zeros(len(probabilities), dtype=np.int64)
    lower = plot_reliability(reliability(probabilities, labels, bins)).axes[1]
    assert {text.get_text() for text in lower.texts} == {"", said}


def test_with_many_bins_the_axis_counts():
    lower = plot_reliability(reliability(*judged(), bins=100)).axes[1]
    assert not lower.texts
    assert lower.get_yticks()[-1] == max(bar.get_height() for bar in lower.patches)


@pytest.mark.parametrize("bins", [(), reliability(*judged())[:7], [0.5], [None]])
def test_without_pictures_there_is_nothing_to_draw(bins):
    with pytest.raises(ConfigError, match=r"evaluation\.reliability\(\.\.\.\)"):
        plot_reliability(bins)
