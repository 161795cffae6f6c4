"""Histograms of familiarity: shares of each set, and who is below the threshold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.patches import Rectangle, StepPatch

from convolens.errors import ConfigError
from convolens.plotting import plot_familiarity
from convolens.plotting.chart import percent

RNG = np.random.default_rng(0)
KNOWN, NOISE = RNG.normal(9, 2, 3000), RNG.normal(4, 1, 500)


def steps(axes):
    return [patch.get_data() for patch in axes.patches if isinstance(patch, StepPatch)]


def words(figure):
    return [text.get_text() for text in figure.texts]


def test_the_bars_are_the_shares_of_each_set():
    values, edges, _ = steps(plot_familiarity(KNOWN, 6.0).axes[0])[0]
    assert values.sum() == pytest.approx(1)
    counts, _ = np.histogram(KNOWN, edges)
    assert np.allclose(values[1:-1], counts[1:-1] / len(KNOWN))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30), st.floats(-1e6, 1e6))
def test_the_bars_left_of_the_threshold_are_what_is_called_unknown(scores, threshold):
    figure = plot_familiarity(scores, threshold)
    values, edges, _ = steps(figure.axes[0])[0]
    line = figure.axes[0].lines[0].get_xdata()[0]
    assert line == threshold
    left = values[edges[1:] <= threshold].sum()
    # An edge is the threshold but for rounding, that moves at most what lies just there.
    near = np.mean(np.abs(np.array(scores) - threshold) <= 1e-9 * max(1, abs(threshold)))
    assert abs(left - np.mean(np.array(scores) < threshold)) <= near + 1e-12


def test_every_set_says_how_much_of_it_is_called_unknown():
    figure = plot_familiarity(KNOWN, 6.0, {"noise": NOISE}, name="test pictures")
    known, noise = (percent(np.mean(each < 6.0)) for each in (KNOWN, NOISE))
    assert words(figure) == [
        f"{known} called unknown",
        f"test pictures: 3,000, of which {known} are called unknown",
        f"noise: 500, of which {noise} are called unknown",
    ]
    assert [text.get_text() for text in figure.axes[0].texts] == ["unknown below 6"]


def test_sets_differ_in_more_than_colour():
    figure = plot_familiarity(KNOWN, 6.0, {"a": NOISE, "b": NOISE + 1, "c": NOISE + 2})
    patches = [p for p in figure.axes[0].patches if isinstance(p, StepPatch)]
    looks = {(str(patch._unscaled_dash_pattern), patch.get_hatch()) for patch in patches}
    assert len(looks) >= 5  # fill or hatch, and outline
    keys = [key for key in figure.get_children() if isinstance(key, Rectangle)][1:]  # of the page
    assert len({(str(key._unscaled_dash_pattern), key.get_hatch()) for key in keys}) == 4


def test_scores_far_out_are_held_by_the_bins_at_the_ends():
    figure = plot_familiarity(np.append(KNOWN, 1e9), 6.0)
    assert figure.axes[0].get_xlim()[1] < 20
    assert steps(figure.axes[0])[0].values.sum() == pytest.approx(1)
    assert "lies beyond" in figure.axes[0].get_xlabel()
    assert "beyond" not in plot_familiarity([1.0, 2.0], 1.5).axes[0].get_xlabel()


@pytest.mark.parametrize(("scores", "threshold"), [([3.0], 3.0), ([0.0] * 9, -50.0), ([1], 2)])
def test_scores_that_are_all_one_are_drawn(scores, threshold):
    figure = plot_familiarity(scores, threshold, {"x" * 3000: [3.0], "$5\n鞋": [2]})
    figure._repr_png_()


@pytest.mark.parametrize(
    ("scores", "threshold", "others", "said"),
    [
        ([], 0.0, {}, "scores must be numbers of shape"),
        ([[1.0]], 0.0, {}, "scores must be numbers of shape"),
        (["a"], 0.0, {}, "scores must be numbers of shape"),
        ([np.nan, 1], 0.0, {}, "scores must be finite"),
        ([1.0], float("nan"), {}, "threshold is nan; give a finite number"),
        ([1.0], 0.0, {"noise": [np.inf]}, r"others\['noise'\] must be finite"),
        ([1.0], 0.0, {key: [1.0] for key in "abcd"}, "4 other sets; allowed: at most 3"),
    ],
)
def test_what_cannot_be_drawn_is_refused(scores, threshold, others, said):
    with pytest.raises(ConfigError, match=said):
        plot_familiarity(scores, threshold, others)
