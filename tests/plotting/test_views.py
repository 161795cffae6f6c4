"""What ``convolens see`` draws: every map beside its filter, and labels for what varies alone."""

import numpy as np
import pytest
from matplotlib.colors import same_color

from convolens.explain import view_image
from convolens.ops import Pooling, SweepFilter, kernels, random_filters
from convolens.plotting import plot_view
from convolens.plotting.style import VERMILLION


def named(*names: str) -> list[SweepFilter]:
    return [SweepFilter(name=name, weights=kernels.named(name)) for name in names]


def texts(figure) -> list[str]:
    return [text.get_text().replace("\n", " ") for text in figure.texts]


def drawn(figure) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]


def shapes(figure) -> list[tuple[int, ...]]:
    return [image.shape for image in drawn(figure)]


def boxes(axes) -> list[list[float]]:
    """Left, top, right and bottom of what is outlined in red."""
    red = [patch for patch in axes.patches if same_color(patch.get_edgecolor(), VERMILLION)]
    return [patch.get_bbox().extents.tolist() for patch in red]


def test_without_filters_the_suitable_figure_is_drawn(china):
    assert len(plot_view(view_image(china, name="china")).axes) == 2  # the picture and its bar
    crop = plot_view(view_image(china, rows=(9, 60), columns=(5, 90)))
    assert shapes(crop) == [(427, 640, 3), (51, 85, 3)]
    before, after = plot_view(view_image(china, pooling=Pooling("max", 4))).axes
    assert before.get_position().width == pytest.approx(4 * after.get_position().width)


def test_input_filters_and_maps_are_drawn_and_told(china):
    view = view_image(china, name="china", filters=named("vertical_line", "sobel_y"))
    figure = plot_view(view)
    assert shapes(figure) == [(427, 640, 3), (7, 7), (427, 640), (3, 3), (427, 640)]
    np.testing.assert_array_equal(drawn(figure)[2], view.maps[0].values)
    np.testing.assert_array_equal(drawn(figure)[3], kernels.sobel_y())
    said = texts(figure)
    assert {"china", "input", "vertical_line", "sobel_y"} <= set(said)
    assert "input 427 × 640 × 3, scaled to 0…1; stride 1, padding same; maps 427 × 640" in said


def test_rows_are_filters_and_columns_are_what_varies(china):
    view = view_image(
        china, filters=named("box", "emboss"), strides=(1, 3), paddings=("same", "valid")
    )
    figure = plot_view(view)
    heads = ["stride 1, same", "stride 1, valid", "stride 3, same", "stride 3, valid"]
    assert [text for text in texts(figure) if text in heads] == heads
    assert not any("dilation" in text for text in texts(figure))
    maps = figure.axes[2:6], figure.axes[7:11]
    for row in maps:
        assert len({axes.get_position().y0 for axes in row}) == 1
        assert [axes.get_position().x0 for axes in row] == sorted(
            axes.get_position().x0 for axes in row
        )
    for above, below in zip(*maps, strict=True):
        assert above.get_position(original=True).x0 == below.get_position(original=True).x0
        assert above.get_position().y0 > below.get_position().y1


def test_no_label_of_many_combinations_is_cut(china):
    many = {"strides": (1, 2, 4), "paddings": ("same", "valid", 12), "dilations": (1, 3)}
    figure = plot_view(view_image(china, filters=named("sobel_x"), **many))
    said = [text for text in texts(figure) if text.startswith(("stride", "same", "dil"))]
    assert len(figure.axes) == 2 + 18
    assert not any("…" in text for text in said)
    assert sum(text.count("dilation 3") for text in texts(figure)) == 9


def test_a_pooled_map_stands_beside_its_own(china):
    view = view_image(
        china, filters=named("box", "emboss"), strides=(1, 2), pooling=Pooling("avg", 3)
    )
    figure = plot_view(view)
    expected = [
        values
        for made, pooled in zip(view.maps, view.pooled, strict=True)
        for values in (made.values, pooled.values)
    ]
    maps = [image for image in drawn(figure) if image.ndim == 2 and image.shape != (3, 3)]
    for one, other in zip(maps, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert "stride 2, avg 3×3" in texts(figure)


def test_maps_pooled_in_depth_follow_their_filters(china):
    view = view_image(china, filters=named("sobel_x", "sobel_y"), pooling=Pooling("depth", 2))
    figure = plot_view(view)
    np.testing.assert_array_equal(drawn(figure)[-1], view.pooled[0].values)
    assert " ".join(texts(figure)).count("largest of") == 1


def test_unequal_channels_of_a_filter_are_drawn_each(china):
    figure = plot_view(view_image(china, filters=random_filters(2, 3)))
    assert shapes(figure).count((3, 3)) == 6
    grey = plot_view(view_image(china[:, :, :1], filters=random_filters(2, 1)))
    assert shapes(grey).count((3, 3)) == 2


def test_a_crop_is_marked_on_the_whole_beside_its_maps(china):
    for strides in ((1,), (1, 2)):
        options = {"rows": (100, 300), "columns": (200, 400), "strides": strides}
        figure = plot_view(view_image(china, filters=named("box"), **options))
        assert shapes(figure)[:2] == [(427, 640, 3), (200, 200, 3)]
        assert boxes(figure.axes[0]) == [[199.5, 99.5, 399.5, 299.5]]


def test_the_traced_window_and_its_value_are_marked():
    picture = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    view = view_image(picture, filters=named("box"), strides=(2,))
    figure = plot_view(view, view.trace(1, 3))
    before, after = figure.axes[0], figure.axes[-1]
    # With stride 2 and "same" the odd pixel is at the right, where the window sticks out.
    assert boxes(before) == [[5.5, 1.5, 7.5, 4.5]]
    assert boxes(after) == [[2.5, 0.5, 3.5, 1.5]]


def test_a_window_too_small_to_see_is_ringed(china):
    view = view_image(china, pooling=Pooling("max", 2))
    before, after = plot_view(view, view.trace(100, 200)).axes
    assert not before.patches
    assert [line.get_xydata().tolist() for line in before.lines] == [[[400.5, 200.5]]] * 2
    assert after.lines[-1].get_xydata().tolist() == [[200, 100]]
    assert after.lines[-1].get_markeredgecolor() == VERMILLION


@pytest.mark.parametrize("weight", [3e38, -3e38, 0.0, 1e-40])
def test_extreme_weights_are_drawn_without_a_warning(weight):
    picture = np.zeros((5, 5, 3), np.uint8)
    picture[1:3, 1:3] = 255
    extreme = np.array([[weight, 0], [0, -weight]], np.float32)
    for weights in (extreme, np.full((2, 2), weight, np.float32)):
        filters = [SweepFilter(name="extreme", weights=weights)]
        plot_view(view_image(picture, filters=filters)).canvas.draw()
