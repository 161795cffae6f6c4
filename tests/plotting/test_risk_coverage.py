"""Risk against coverage: the curve, and thresholds on it."""

import numpy as np
import pytest

from convolens.errors import ConfigError
from convolens.evaluation import risk_coverage
from convolens.plotting import plot_risk_coverage
from convolens.plotting.chart import spread


def curve_of(n=5000, seed=0):
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.5, 1, n)
    wrong = rng.random(n) > sure
    return risk_coverage(np.stack([sure, 1 - sure], axis=1), wrong.astype(np.int64))


def words(figure):
    return [text.get_text() for text in figure.texts]


def test_the_line_is_the_curve_but_for_a_third_of_a_point():
    curve = curve_of()
    axes = plot_risk_coverage(curve).axes[0]
    line = axes.lines[0].get_xydata()
    assert len(line) < 200 < len(curve.risk)
    height = axes.get_ylim()[1]
    seen = curve.coverage > 0.05
    drawn = np.interp(curve.coverage[seen], *line.T)
    # Steep teeth may lie beside the line and yet within a third of a point of it.
    assert np.abs(drawn - curve.risk[seen]).max() < 0.02 * height
    assert np.allclose(line[-1], [1, curve.risk[-1]])


def test_the_first_pictures_do_not_set_the_scale():
    """The surest of all is wrong: a risk of 1 at a coverage of 1 in 1,000."""
    probabilities = np.stack([np.linspace(0.99, 0.6, 1000), np.linspace(0.01, 0.4, 1000)], axis=1)
    labels = np.zeros(1000, dtype=np.int64)
    labels[0] = 1
    assert plot_risk_coverage(risk_coverage(probabilities, labels)).axes[0].get_ylim()[1] < 0.05


def test_a_mark_stands_where_its_threshold_ends_the_curve():
    curve = curve_of()
    figure = plot_risk_coverage(curve, {"strict": 0.9, "lax": 0.6})
    dots = [line.get_xydata()[0] for line in figure.axes[0].lines if line.get_marker() == "o"]
    for (coverage, risk), threshold in zip(dots, (0.9, 0.6), strict=True):
        answered = curve.thresholds >= threshold
        assert coverage == curve.coverage[answered][-1]
        assert risk == curve.risk[answered][-1]
    said = words(figure)[-1]
    assert said.startswith("lax: unsure below 0.60: 79 % answered, ")
    assert said.endswith("% wrong")
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "2"]


def test_a_mark_at_which_nothing_is_answered_is_said_and_not_drawn():
    figure = plot_risk_coverage(curve_of(), {"1 % risk": 2.0})
    assert words(figure)[-1] == "1 % risk: unsure below 2.00: nothing is answered"
    assert len(figure.axes[0].lines) == 1


def test_the_title_says_the_risk_of_answering_all():
    curve = curve_of()
    assert words(plot_risk_coverage(curve))[0] == (
        f"{100 * curve.risk[-1]:.0f} % wrong where all are answered"
    )


def test_a_model_without_mistakes_is_drawn():
    figure = plot_risk_coverage(risk_coverage(np.array([[1.0, 0.0]]), np.array([0])))
    assert words(figure)[0] == "0 % wrong where all are answered"
    assert figure.axes[0].get_ylim() == (0, 0.01)


def test_names_of_any_length_keep_what_is_said():
    figure = plot_risk_coverage(curve_of(), {"x" * 5000: 0.9, "$5\nrisk": 0.8})
    assert "…" in words(figure)[-3]
    assert "unsure below 0.90" in words(figure)[-3]
    assert words(figure)[-1].startswith("$5 risk: unsure")


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ({"a": float("nan")}, "threshold of mark 'a' is nan; give a number"),
        ({str(n): 0.5 for n in range(10)}, "10 marks; allowed: at most 9"),
    ],
)
def test_marks_that_cannot_be_drawn_are_refused(marks, said):
    with pytest.raises(ConfigError, match=said):
        plot_risk_coverage(curve_of(), marks)


def test_places_are_spread_in_their_order_and_inside():
    rng = np.random.default_rng(0)
    for _ in range(50):
        places = rng.uniform(0, 1, rng.integers(0, 8)).round(1)
        moved = np.array(spread(places, 0.11, 0, 1))
        order = np.argsort(places, kind="stable")
        assert (np.diff(moved[order]) > 0.11 - 1e-9).all()
        assert (moved >= -1e-9).all()
        assert (moved <= 1 + 1e-9).all()
