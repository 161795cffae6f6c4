"""The arithmetic of one value, as drawn: the numbers must be those of the trace, and add up."""

import numpy as np
import pytest

from convolens.ops import trace_conv2d, trace_pool2d
from convolens.plotting import plot_trace

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (9, 9, 2), dtype=np.uint8)


def numbers(axes):
    """The numbers written in a grid, by their place."""
    columns, rows = (int(abs(np.diff(limits)[0])) for limits in (axes.get_xlim(), axes.get_ylim()))
    grid = np.full((rows, columns), np.nan)
    for text in axes.texts:
        column, row = text.get_position()
        grid[row, column] = float(text.get_text().replace("−", "-"))
    return grid


def texts(figure):
    return [text.get_text() for text in figure.texts]


def hatched(axes):
    """Centres of the hatched cells, as (row, column)."""
    paths = [patch.get_path() for patch in axes.patches if patch.get_hatch()]
    squares = [square for path in paths for square in path.to_polygons()]
    return {tuple(np.ptp(s, axis=0)[::-1] / 2 + s.min(axis=0)[::-1]) for s in squares}


def test_the_three_grids_of_each_channel_are_written_out():
    weights = RNG.integers(-3, 4, (3, 3, 2, 1))
    trace = trace_conv2d(PICTURE, weights, 2, 4)
    figure = plot_trace(trace)
    for channel in range(2):
        window, weight, product = figure.axes[3 * channel : 3 * channel + 3]
        assert np.array_equal(numbers(window), trace.window[:, :, channel])
        assert np.array_equal(numbers(weight), trace.weights[:, :, channel])
        assert np.array_equal(numbers(product), trace.products[:, :, channel])
        assert np.array_equal(numbers(window) * numbers(weight), numbers(product))


def test_the_sum_line_is_sum_plus_bias():
    trace = trace_conv2d(PICTURE[:, :, :1], [[1, 2], [3, 4]], 0, 0, bias=[-7])
    total = int((PICTURE[:2, :2, 0] * np.array([[1, 2], [3, 4]])).sum())
    assert texts(plot_trace(trace))[-1] == f"{total} + bias −7 = {total - 7}"


def test_the_parts_of_the_channels_are_added_with_their_signs():
    weights = np.array([1, -1]).reshape(1, 1, 2, 1)
    figure = plot_trace(trace_conv2d(PICTURE, weights, 3, 5))
    first, second = (int(value) for value in PICTURE[3, 5])
    assert f"sum of products: {first} − {second} = {first - second}".replace("= -", "= −") in texts(
        figure
    )


def test_rows_and_columns_of_the_picture_are_named():
    trace = trace_conv2d(PICTURE[:, :, :1], np.eye(3), 0, 4, padding="same", dilations=2)
    axes = plot_trace(trace).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["−2", "0", "2"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "4", "6"]


def test_padding_is_hatched_in_window_and_products_and_nowhere_else():
    trace = trace_conv2d(PICTURE[:, :, :1], np.ones((3, 3)), 0, 8, padding="same")
    figure = plot_trace(trace)
    outside = {(row, column) for row, column in np.argwhere(trace.padded)}
    window, weights, products = figure.axes
    assert (
        hatched(window) == hatched(products) == outside == {(0, 0), (0, 1), (0, 2), (1, 2), (2, 2)}
    )
    assert hatched(weights) == set()
    assert "hatched: padding outside the picture, which counts as 0" in texts(figure)


def test_many_channels_are_cut_and_the_rest_is_summed():
    picture = RNG.normal(size=(4, 4, 10))
    trace = trace_conv2d(picture, np.ones((1, 1, 10, 1)), 1, 2)
    figure = plot_trace(trace)
    assert len(figure.axes) == 3 * 4
    rest = picture[1, 2, 4:].sum()
    line = next(text for text in texts(figure) if "more channels" in text)
    assert line.startswith("6 more channels, whose products sum to ")
    assert float(line.split()[-1].replace("−", "-")) == pytest.approx(rest, rel=1e-3)


def test_numbers_too_wide_for_a_row_of_grids_stand_below_one_another():
    trace = trace_conv2d(RNG.random((9, 9, 1)), RNG.random((7, 7)), 0, 0)
    window, weights, products = (axes.get_position() for axes in plot_trace(trace).axes)
    assert window.x0 == weights.x0 == products.x0
    assert window.y0 > weights.y1
    assert weights.y0 > products.y1


def test_a_window_too_large_for_numbers_lists_its_largest_products():
    trace = trace_conv2d(RNG.random((30, 30, 1)), RNG.normal(size=(25, 25)), 0, 0)
    figure = plot_trace(trace)
    assert not any(axes.texts for axes in figure.axes)
    line = next(text for text in texts(figure) if text.startswith("625 products; the largest: "))
    largest = float(line.split(": ")[1].split(",")[0].replace("−", "-"))
    assert abs(largest) == pytest.approx(np.abs(trace.products).max(), rel=0.01)


def test_the_largest_value_is_outlined():
    trace = trace_pool2d(PICTURE, 1, 2, 1, pool_size=3)
    figure = plot_trace(trace)
    window = figure.axes[0]
    outline = window.patches[-1]
    assert outline.get_hatch() is None
    column, row = outline.get_x() + 0.5, outline.get_y() + 0.5
    seen = numbers(window)
    assert seen[int(row), int(column)] == seen.max() == trace.value
    assert figure.axes[1].texts[0].get_text() == str(trace.value)
    place = f"row {3 + int(row)}, column {6 + int(column)}"
    assert f"largest: {trace.value}, from {place} of the picture" in texts(figure)


def test_padding_never_wins_and_is_not_written_as_a_number():
    trace = trace_pool2d(-1.0 - PICTURE, 4, 4, 0, padding="same")
    window = plot_trace(trace).axes[0]
    assert [text.get_text() for text in window.texts][1:] == ["–"] * 3
    assert hatched(window) == {(0, 1), (1, 0), (1, 1)}


def test_the_mean_is_written_out():
    trace = trace_pool2d(PICTURE[:, :, :1], 4, 0, mode="avg", padding="same")
    first, second = (int(value) for value in PICTURE[8, :2, 0])
    total, mean = first + second, (first + second) / 2
    expected = f"sum {total} / 2 values = {mean:g}"
    assert expected in texts(plot_trace(trace))
    assert not [p for p in plot_trace(trace).axes[0].patches if not p.get_hatch()]


def test_a_trace_without_any_finite_number_is_still_drawn():
    trace = trace_conv2d(np.full((3, 3, 1), np.nan), np.ones((3, 3)), 0, 0)
    figure = plot_trace(trace)
    figure._repr_png_()
    assert figure.axes[0].texts[0].get_text() == "NaN"
    assert texts(figure)[-1] == "NaN + bias 0 = NaN"
