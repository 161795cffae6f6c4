"""A picture beside a part of it, and beside its pooled self."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convolens.plotting import plot_crop, plot_pooling


def inches(axes):
    axes.figure.canvas.draw()
    box = axes.get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted())
    return box.width, box.height


def test_the_box_is_where_the_crop_is_in_pixels(china):
    figure = plot_crop(china, rows=(150, 220), columns=(130, 250))
    whole = figure.axes[0]
    figure.canvas.draw()
    box = whole.patches[-1].get_window_extent()
    across, down = whole.transData.transform([(129.5, 149.5), (249.5, 219.5)])
    # What is drawn, dot by dot: the lower edge of the box has the larger row.
    assert (box.x0, box.x1) == pytest.approx((across[0], down[0]))
    assert (box.y1, box.y0) == pytest.approx((across[1], down[1]))
    assert whole.patches[-1].get_fill() is False


def test_the_outline_is_drawn_around_the_cropped_pixels():
    """Seen in the pixels of the drawing themselves, not in what matplotlib was told."""
    figure = plot_crop(np.zeros((40, 60), np.uint8), rows=(10, 30), columns=(20, 50))
    figure.canvas.draw()
    drawing = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)
    orange = np.abs(drawing - [0xD5, 0x5E, 0x00]).sum(axis=2) < 40
    whole = figure.axes[0]
    height = drawing.shape[0]
    for column, row in ((19.5, 20), (49.5, 20), (35, 9.5), (35, 29.5)):
        x, y = whole.transData.transform((column, row))
        near = orange[round(height - y) - 2 : round(height - y) + 3, round(x) - 2 : round(x) + 3]
        assert near.any(), (column, row)
    x, y = whole.transData.transform((35, 20))
    assert not orange[round(height - y), round(x)]


def test_the_part_is_the_part_with_its_own_coordinates(china):
    beside = plot_crop(china, slice(150, 220), slice(130, 250)).axes[1]
    assert np.array_equal(beside.images[0].get_array(), china[150:220, 130:250])
    assert beside.get_xlim() == (129.5, 249.5)
    assert beside.get_ylim() == (219.5, 149.5)
    assert beside.get_title(loc="left") == "rows 150:220\ncolumns 130:250"
    assert (beside.get_xlabel(), beside.get_ylabel()) == ("column", "row")


def test_equal_values_have_equal_colours_in_the_whole_and_the_part():
    values = np.arange(600.0).reshape(20, 30)
    figure = plot_crop(values, (3, 6), (2, 9))
    assert figure.axes[0].images[0].get_clim() == figure.axes[1].images[0].get_clim() == (0, 599)


def test_open_slices_and_titles():
    figure = plot_crop(np.zeros((9, 9)), slice(None), slice(4, None), title="Right half")
    assert figure.axes[1].get_title(loc="left") == "rows 0:9\ncolumns 4:9"
    assert figure.get_suptitle() == "Right half"


@settings(max_examples=8)
@given(
    sizes=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    pool=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_a_pixel_is_as_large_before_as_after_pooling(sizes, pool):
    before = np.zeros(sizes)
    after = before[:: pool[0], :: pool[1]]
    figure = plot_pooling(before, after)
    scales = [
        (width / picture.shape[1], height / picture.shape[0])
        for axes, picture in zip(figure.axes, (before, after), strict=True)
        for width, height in [inches(axes)]
    ]
    assert scales[0] == pytest.approx(scales[1], rel=1e-6)
    assert scales[0][0] == pytest.approx(scales[0][1], rel=1e-6)


def test_pooled_by_two_is_drawn_at_half_width_and_height(china):
    figure = plot_pooling(china[:70, :120], china[:70:2, :120:2])
    (width, height), (half_width, half_height) = map(inches, figure.axes)
    assert (half_width, half_height) == pytest.approx((width / 2, height / 2))


def test_titles_and_shapes_are_written(china):
    figure = plot_pooling(china, china.max(axis=2, keepdims=True), ("Before", "After"))
    assert {"Before", "427 × 640 × 3", "After", "427 × 640"} == {
        text.get_text() for text in figure.texts
    }


def test_both_have_one_scale():
    figure = plot_pooling(np.full((4, 4), 5.0), np.full((2, 2), -5.0))
    assert {axes.images[0].get_clim() for axes in figure.axes} == {(-5.0, 5.0)}
