"""Text that fits and can be drawn; numbers as text."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convolens.plotting.figures import new_figure
from convolens.plotting.style import house_style
from convolens.plotting.values import compact, grid_texts, range_text
from convolens.plotting.words import drawable, drawable_names, fit, text_width

LETTERS = st.text(max_size=60)


@given(text=LETTERS, width=st.floats(0.4, 4), lines=st.integers(1, 3))
def test_no_line_is_wider_than_its_room(text, width, lines):
    fitted = fit(text, width, 9, lines)
    assert fitted.count("\n") < lines
    for line in fitted.split("\n"):
        assert text_width(line, 9) <= width or len(line) <= 2


@given(LETTERS)
def test_text_with_room_is_kept(text):
    assert fit(text, 1000, 9) == drawable(text)


WORDS = st.lists(st.text(alphabet="abc", min_size=1, max_size=4), max_size=9)


@given(WORDS, st.sampled_from(" -/_"))
def test_lines_leave_nothing_out(words, between):
    text = between.join(words)
    joined = fit(text, 0.6, 9, lines=200)
    assert joined.replace("\n", "").replace(" ", "") == drawable(text).replace(" ", "")


@settings(max_examples=25)
@given(st.lists(LETTERS, min_size=1, max_size=6))
def test_any_text_is_drawn_without_a_warning(names):
    with house_style(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = new_figure(1, constrained=False)
        for name in drawable_names(names):
            figure.text(0.5, 0.5, name)
        figure._repr_png_()


def test_the_measured_width_is_the_drawn_one():
    with house_style():
        figure = new_figure(1, constrained=False)
        for text in ("Ankle boot", "−0.123", "T-shirt/top", "…"):
            artist = figure.text(0, 0, text, size=10)
            drawn = artist.get_window_extent(figure.canvas.get_renderer()).width / 100
            assert text_width(text, 10) == pytest.approx(drawn, abs=0.035)


def test_ends_of_names_survive():
    names = [fit(f"a very long class name {n}", 1.0, 9) for n in range(3)]
    assert len(set(names)) == 3


@given(st.floats(-1e99, 1e99, allow_subnormal=False))
def test_a_compact_number_is_short_and_true(value):
    text = compact(value)
    assert len(text) <= 9
    assert float(text.replace("−", "-")) == pytest.approx(value, rel=0.051)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (0.1, "0.1"), (2.0, "2"), (99_999, "99999"), (1e5, "1.0e5")],
)
def test_compact_numbers(value, text):
    assert compact(value) == text


def test_ranges():
    assert range_text(0, 255) == "0…255"
    assert range_text(-0.5, -0.5) == "all −0.5"


@given(arrays.arrays(np.float64, (2, 3), elements=st.floats(-1e9, 1e9)))
def test_a_grid_of_numbers_is_true_to_its_digits(values):
    texts, factor = grid_texts(values, digits=3)
    powers = dict(zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789", strict=True))
    exponent = int("".join(powers[c] for c in factor.removeprefix("×10")) or "0")
    read = np.array([float(text.replace("−", "-")) for text in texts.flat]).reshape(2, 3)
    assert np.abs(read * 10.0**exponent - values).max() <= 0.0051 * np.abs(values).max()


def test_only_nothing_is_written_as_nothing():
    texts, _ = grid_texts(np.array([0.0, 1e-6, 0.5]))
    assert texts.tolist() == ["0", "0.000", "0.500"]
