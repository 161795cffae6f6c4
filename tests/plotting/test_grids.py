"""Pictures in grids: what stands where, what is written below, and where a grid is cut."""

import numpy as np
import pytest

from convolens.plotting import plot_feature_maps, plot_filters, plot_grid, plot_images
from convolens.plotting.style import WIDTH

SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def texts(figure):
    return [text.get_text() for text in figure.texts if text.get_text()]


def place(figure, word):
    """(x, y) of a text, in shares of the figure."""
    return next(text.get_position() for text in figure.texts if text.get_text() == word)


def shown(axes):
    return np.asarray(axes.images[0].get_array())


def box(axes):
    return axes.get_position()


def test_images_are_in_reading_order_with_their_names_below():
    pictures = np.arange(6, dtype=np.uint8)[:, None, None] * np.ones((4, 4), np.uint8)
    figure = plot_images(pictures, [0, 1, 2, 2, 1, 0], ["a", "b", "c"], columns=3)
    assert texts(figure) == ["a", "b", "c", "c", "b", "a"]
    for index, axes in enumerate(figure.axes):
        row, column = divmod(index, 3)
        assert (shown(axes) == index).all()
        assert box(axes).x0 == pytest.approx(box(figure.axes[column]).x0)
        assert box(axes).y0 == pytest.approx(box(figure.axes[row * 3]).y0)
        x, y = figure.texts[index].get_position()
        assert x == pytest.approx((box(axes).x0 + box(axes).x1) / 2)
        assert box(axes).y0 - 0.1 < y < box(axes).y0
    assert box(figure.axes[0]).y0 > box(figure.axes[3]).y1


def test_images_share_one_scale_so_that_equal_colours_are_equal_values():
    figure = plot_images([np.full((2, 2), 0.1), np.full((2, 2), 3.0)])
    assert {axes.images[0].get_clim() for axes in figure.axes} == {(0.1, 3.0)}
    assert texts(figure) == ["Pixel values 0.1…3"]


def test_only_the_first_hundred_images_are_drawn_and_the_title_says_so():
    figure = plot_images(np.zeros((60_000, 2, 2), np.uint8), np.zeros(60_000, int), columns=10)
    assert len(figure.axes) == 100
    assert texts(figure)[0] == "First 100 of 60,000 pictures"
    assert figure.get_size_inches()[1] < 15


def test_few_images_leave_no_empty_columns():
    figure = plot_images(np.zeros((2, 4, 4)), columns=5)
    assert box(figure.axes[1]).x1 * WIDTH == pytest.approx(WIDTH, abs=0.1)


def test_a_colour_map_may_be_chosen():
    light = plot_images(np.zeros((1, 2, 2)), cmap="binary").axes[0].images[0]
    assert light.to_rgba(light.get_array())[0, 0].tolist() == [1, 1, 1, 1]


def test_names_a_font_lacks_are_told_apart_by_number():
    names = ["\ue000", "\ue001", "plain", "$5 & 10$"]
    figure = plot_images(np.zeros((4, 2, 2)), range(4), names)
    assert texts(figure) == ["0 □", "1 □", "plain", "$5 & 10$"]


def test_feature_maps_stand_image_by_filter():
    maps = np.arange(6.0).reshape(2, 1, 1, 3) + np.linspace(0, 0.5, 4).reshape(1, 2, 2, 1)
    figure = plot_feature_maps(maps, ["u", "v", "w"], ["china", "flower"])
    for index, axes in enumerate(figure.axes):
        image, filters = divmod(index, 3)
        assert np.array_equal(shown(axes), maps[image, :, :, filters])
    for column, name in enumerate("uvw"):
        cell = box(figure.axes[column])
        assert place(figure, name)[0] == pytest.approx((cell.x0 + cell.x1) / 2)
        assert place(figure, name)[1] > cell.y1
    for row, name in enumerate(["china", "flower"]):
        cell = box(figure.axes[row * 3])
        x, y = place(figure, name)
        assert x < cell.x0
        assert cell.y0 - 0.05 < y < cell.y1


def test_each_map_has_its_own_scale_and_says_it():
    maps = np.stack([SOBEL, SOBEL * 100, SOBEL * 0], axis=-1)
    figure = plot_feature_maps(maps)
    assert [axes.images[0].get_clim() for axes in figure.axes] == [(-2, 2), (-200, 200), (0, 1)]
    assert texts(figure)[-3:] == ["−2…2", "−200…200", "all 0"]


def test_a_map_without_a_number_is_marked_and_does_not_spoil_the_others():
    maps = np.stack([np.full((3, 3), np.nan), SOBEL], axis=-1)
    figure = plot_feature_maps(maps)
    assert "none finite" in texts(figure)
    assert "yellow: NaN or infinite (9 values)" in texts(figure)
    figure._repr_png_()


def test_maps_beyond_the_limit_are_named_in_the_title():
    figure = plot_feature_maps(np.zeros((30, 2, 2, 40)))
    assert texts(figure)[0] == "First 4 of 40 filters, first 25 of 30 images"
    assert len(figure.axes) == 100


def test_filters_have_their_names_and_the_right_line_under_each():
    """The notes called the vertical line horizontal and the other way round."""
    filters = np.zeros((7, 7, 1, 2))
    filters[:, 3, 0, 0] = 1
    filters[3, :, 0, 1] = 1
    figure = plot_filters(filters, ["vertical line", "horizontal line"])
    for axes, name in zip(figure.axes, ["vertical line", "horizontal line"], strict=True):
        ones = [text.get_position() for text in axes.texts if text.get_text() == "1"]
        columns, rows = {x for x, _ in ones}, {y for _, y in ones}
        assert (columns if name.startswith("vertical") else rows) == {3}
        assert len(rows if name.startswith("vertical") else columns) == 7
        assert box(axes).x0 < place(figure, name)[0] < box(axes).x1


def test_weights_are_written_where_they_are():
    axes = plot_filters(SOBEL / 8).axes[0]
    for text in axes.texts:
        column, row = text.get_position()
        assert float(text.get_text().replace("−", "-")) == SOBEL[row, column] / 8


def test_signed_filters_are_white_at_zero_blue_below_red_above():
    image = plot_filters(SOBEL).axes[0].images[0]
    assert image.get_clim() == (-2, 2)
    red, green, blue = np.moveaxis(image.to_rgba(image.get_array())[..., :3], -1, 0)
    assert (blue[SOBEL < 0] > red[SOBEL < 0]).all()
    assert (red[SOBEL > 0] > blue[SOBEL > 0]).all()
    assert np.stack([red, green, blue])[:, SOBEL == 0] == pytest.approx(1, abs=0.05)


def test_unsigned_filters_are_black_at_zero():
    image = plot_filters(np.eye(3) * 0.2).axes[0].images[0]
    assert image.get_clim() == (0, 0.2)
    assert image.to_rgba(image.get_array())[0, 1, :3].tolist() == [0, 0, 0]


def test_channels_that_are_alike_are_drawn_once_and_it_is_said():
    filters = np.repeat(np.eye(3)[:, :, None, None], 5, axis=2)
    figure = plot_filters(filters)
    assert len(figure.axes) == 1
    assert texts(figure)[0] == "Each is the same in all 5 channels"


def test_channels_of_a_filter_stand_beside_one_another():
    filters = np.random.default_rng(0).normal(size=(3, 3, 3, 4))
    figure = plot_filters(filters)
    for index, axes in enumerate(figure.axes):
        assert np.allclose(shown(axes), filters[:, :, index % 3, index // 3])
    for index in range(0, 12, 3):
        heights = {round(box(axes).y0, 9) for axes in figure.axes[index : index + 3]}
        assert len(heights) == 1


def test_a_layer_of_many_filters_is_cut_and_the_title_says_so():
    figure = plot_filters(np.random.default_rng(0).normal(size=(2, 2, 64, 30)))
    assert texts(figure)[0] == "First 16 of 30 filters, first 6 of 64 channels"
    assert len(figure.axes) == 96


def test_tiny_weights_are_written_with_their_power_of_ten():
    figure = plot_filters(SOBEL * 1e-7, ["tiny"])
    assert "×10⁻⁷" in texts(figure)
    assert figure.axes[0].texts[2].get_text() == "1.00"


def test_a_nan_weight_says_so():
    weights = SOBEL.copy()
    weights[0, 0] = np.nan
    figure = plot_filters(weights)
    assert figure.axes[0].texts[0].get_text() == "NaN"


def test_a_grid_names_rows_columns_and_sizes():
    maps = [np.eye(8), np.eye(4), np.eye(6), np.eye(3)]
    figure = plot_grid(
        maps, None, row_labels=["same", "valid"], column_labels=["stride 1", "stride 2"]
    )
    assert {"8 × 8", "4 × 4", "6 × 6", "3 × 3"} < set(texts(figure))
    assert place(figure, "same")[1] > place(figure, "valid")[1]
    assert place(figure, "stride 1")[0] < place(figure, "stride 2")[0]
    for axes, values in zip(figure.axes, maps, strict=True):
        assert np.array_equal(shown(axes), values)


def test_a_grid_takes_pictures_and_maps_of_any_size(china):
    figure = plot_grid([china, np.eye(5), np.ones((2, 90))], ["picture", "map", "strip"], columns=2)
    assert texts(figure)[:4] == ["picture", "427 × 640 × 3", "map", "5 × 5"]
    assert [axes.images[0].get_array().shape for axes in figure.axes] == [
        (427, 640, 3),
        (5, 5),
        (2, 90),
    ]


def test_a_grid_is_cut_after_whole_rows():
    figure = plot_grid([np.eye(2)] * 104, None, columns=7, title="all")
    assert len(figure.axes) == 98
    assert texts(figure)[0] == "all, first 98 of 104 panels"
