"""One picture: its colours, its bars, its axes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.colors import to_rgb

from convolens.plotting import plot_image
from convolens.plotting.pictures import ink_on, rgb_pixels, unit_limits
from convolens.plotting.style import NOT_FINITE


def colours(image):
    """What is seen of a picture, (height, width, 3) in 0..1."""
    return np.asarray(image.to_rgba(image.get_array()))[..., :3]


def test_a_grey_picture_gets_lighter_with_its_values():
    values = np.random.default_rng(0).random((6, 7)).astype(np.float32)
    seen = colours(plot_image(values).axes[0].images[0])
    order = np.argsort(values, axis=None)
    assert (np.diff(seen[..., 0].ravel()[order]) >= 0).all()
    assert np.abs(seen - values[..., None]).max() < 1 / 200


@pytest.mark.parametrize(
    ("picture", "limits"),
    [
        (np.array([[100, 120]], np.uint8), (0, 255)),
        (np.array([[100, 120]], np.int64), (0, 255)),
        (np.array([[-3, 300]], np.int32), (-3, 300)),
        (np.array([[0.4, 0.5]]), (0, 1)),
        (np.array([[0.4, 1.5]]), (0.4, 1.5)),
        (np.array([[-1.0, np.nan, np.inf, 2.0]]), (-1, 2)),
        (np.array([[7.0, 7.0]]), (7, 8)),
        (np.array([[True, False]]), (0, 255)),
    ],
)
def test_the_scale_follows_dtype_and_range(picture, limits):
    assert plot_image(picture).axes[0].images[0].get_clim() == limits


def test_the_bar_of_a_grey_picture_is_its_scale():
    figure = plot_image(np.array([[-2.0, 5.0]]))
    bar = figure.axes[1]
    assert bar.get_ylim() == (-2.0, 5.0)
    assert bar.get_ylabel() == "pixel value"


def test_no_bar_if_none_is_wanted(china):
    assert len(plot_image(china, colorbar=False).axes) == 1
    assert len(plot_image(china).axes) == 2


def test_a_byte_picture_is_shown_as_it_is(china):
    assert np.array_equal(plot_image(china).axes[0].images[0].get_array(), china)


def test_three_bars_show_each_channel_and_its_mean(china):
    bars = plot_image(china).axes[1]
    shades = bars.images[0].get_array()
    assert np.array_equal(shades[-1], np.eye(3) * 255)  # pure red, green, blue at the top
    assert not shades[0].any()
    assert bars.get_ylim() == (0, 255)
    assert [label.get_text() for label in bars.get_xticklabels()] == ["R", "G", "B"]
    means = [line.get_ydata()[0] for line in bars.lines if line.get_color() == "black"]
    assert means[-3:] == pytest.approx(china.mean(axis=(0, 1)))


def test_channel_means_are_written(china):
    texts = [text.get_text() for text in plot_image(china).texts]
    assert "lines in the bars: means 145, 145, 141" in texts


def test_pixels_are_centred_on_whole_numbers(china):
    axes = plot_image(china).axes[0]
    assert axes.get_xlim() == (-0.5, 639.5)
    assert axes.get_ylim() == (426.5, -0.5)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("column", "row")


def test_a_huge_picture_is_thinned_but_keeps_its_coordinates():
    picture = np.arange(9000, dtype=np.float32)[None].repeat(40, axis=0) / 9000
    axes = plot_image(picture).axes[0]
    shown = axes.images[0].get_array()
    assert max(shown.shape) <= 2048
    assert axes.get_xlim() == (-0.5, 8999.5)
    assert shown[0, 0] < 0.001
    assert shown[0, -1] > 0.99


def test_what_is_not_finite_is_marked_and_counted():
    picture = np.full((5, 5), 0.5)
    picture[1, 2], picture[3, 3] = np.nan, np.inf
    figure = plot_image(picture)
    seen = colours(figure.axes[0].images[0])
    for place in ((1, 2), (3, 3)):
        assert seen[place] == pytest.approx(to_rgb(NOT_FINITE), abs=1e-6)
    assert "yellow: NaN or infinite (2 values)" in [text.get_text() for text in figure.texts]


def test_a_colour_pixel_with_a_missing_channel_is_marked():
    picture = np.full((4, 4, 3), 0.25)
    picture[2, 1, 0] = np.nan
    seen = plot_image(picture).axes[0].images[0].get_array()
    assert seen[2, 1].tolist() == [240, 228, 66]
    assert seen[0, 0].tolist() == [64, 64, 64]


@given(arrays.arrays(np.float64, (2, 3, 3), elements=st.floats(-1e100, 1e100)))
def test_colours_keep_the_order_of_values(picture):
    pixels = rgb_pixels(picture, unit_limits(picture))
    order = np.argsort(picture, axis=None, kind="stable")
    assert (np.diff(pixels.ravel()[order].astype(int)) >= 0).all()


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_ink_is_readable_on_every_colour(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    light = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    contrast = 1.05 / (light + 0.05) if ink_on(colour) == "white" else (light + 0.05) / 0.05
    assert contrast >= 4.5


def test_without_a_title_shape_and_dtype_are_said(china):
    assert plot_image(china).texts[0].get_text() == "427 × 640 × 3, uint8"
    assert plot_image(china, title="Roof").texts[0].get_text() == "Roof"
