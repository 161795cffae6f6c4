"""What no function draws: one clear line says why. And no function changes what it is given."""

import numpy as np
import pytest

from convolens import plotting as p
from convolens.errors import ConfigError

GREY = np.zeros((6, 8))
NAMES = ["a", "b"]


# ruff: noqa: E501 - one case a line reads best
@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: p.plot_image(np.zeros(3)), r"image has shape \(3,\); allowed: \(height, width\)"),
        (lambda: p.plot_image(np.zeros((4, 4, 4))), r"drop the transparency with image\[:, :, :3\]"),
        (lambda: p.plot_image(np.zeros((4, 4, 9))), "use plot_feature_maps"),
        (lambda: p.plot_image(np.zeros((2, 4, 4, 3))), "use plot_images"),
        (lambda: p.plot_image(np.zeros((0, 4))), r"image of shape \(0, 4\) is empty"),
        (lambda: p.plot_image(np.full((2, 2), np.nan)), "image has no finite value"),
        (lambda: p.plot_image(np.full((2, 2), 1e200)), "values up to 1e.200; allowed: to 1e100"),
        (lambda: p.plot_image([["a"]]), "image holds <U1; allowed: bool, integers, floating"),
        (lambda: p.plot_image([[1j]]), "image holds complex128"),
        (lambda: p.plot_image([[1, 2], [3]]), "image cannot be made an array"),
        (lambda: p.plot_image(None), "image holds object"),
        (lambda: p.plot_images([]), "images is empty; give at least one picture"),
        (lambda: p.plot_images(GREY), r"images has shape \(6, 8\)"),
        (lambda: p.plot_images([GREY, np.zeros(3)]), r"images\[1\] has shape \(3,\)"),
        (lambda: p.plot_images([GREY], [0, 1]), r"labels have shape \(2,\) for 1 pictures"),
        (lambda: p.plot_images([GREY], [0.5]), "labels hold float64; allowed: whole numbers"),
        (lambda: p.plot_images([GREY], [2], NAMES), "labels run from 2 to 2; allowed: 0 to 1"),
        (lambda: p.plot_images([GREY], [-1]), "labels run from -1 to -1; allowed: 0 and up"),
        (lambda: p.plot_images([GREY], class_names=NAMES), "class_names need labels"),
        (lambda: p.plot_images([GREY], columns=0), "columns is 0; allowed: whole numbers from 1 to 16"),
        (lambda: p.plot_images([GREY], columns=17), "columns is 17; allowed: whole numbers from 1 to 16"),
        (lambda: p.plot_images([GREY], columns=2.5), "columns is 2.5"),
        (lambda: p.plot_images([GREY], cmap="grey-ish"), "unknown colour map 'grey-ish'"),
        (lambda: p.plot_feature_maps(GREY), r"maps have shape \(6, 8\); allowed: \(height, width"),
        (lambda: p.plot_feature_maps(np.zeros((4, 4, 3)), NAMES), "filter_names has 2 entries for 3"),
        (lambda: p.plot_feature_maps(np.zeros((4, 4, 1)), "abc"), "filter_names is the text 'abc'"),
        (lambda: p.plot_feature_maps(np.zeros((4, 4, 1)), None, NAMES), "image_names has 2 entries"),
        (lambda: p.plot_filters(np.zeros((3, 3, 3))), r"filters have shape \(3, 3, 3\)"),
        (lambda: p.plot_filters(GREY, NAMES), "names has 2 entries for 1 filters"),
        (lambda: p.plot_crop(GREY, (2, 2), (0, 1)), r"rows is \(2, 2\); allowed: \(first, last\)"),
        (lambda: p.plot_crop(GREY, (0, 7), (0, 1)), "0 <= first < last <= 6"),
        (lambda: p.plot_crop(GREY, (0, 1), (-3, 1)), r"columns is \(-3, 1\)"),
        (lambda: p.plot_crop(GREY, (0, 1), slice(0, 6, 2)), r"columns is slice\(0, 6, 2\)"),
        (lambda: p.plot_crop(GREY, (0.5, 2), (0, 1)), r"rows is \(0.5, 2\)"),
        (lambda: p.plot_crop(GREY, 3, (0, 1)), "rows is 3"),
        (lambda: p.plot_crop(GREY, (0, 1, 2), (0, 1)), r"rows is \(0, 1, 2\)"),
        (lambda: p.plot_pooling(GREY, np.zeros((2, 2, 2))), r"after has shape \(2, 2, 2\)"),
        (lambda: p.plot_pooling(GREY, GREY, ("a",)), "give two, for before and after"),
        (lambda: p.plot_pooling(GREY, GREY, "ab"), "titles are 'ab'"),
        (lambda: p.plot_grid([], None), "panels is empty"),
        (lambda: p.plot_grid([GREY], NAMES), "titles has 2 entries for 1 panels"),
        (lambda: p.plot_grid([GREY] * 4, None, 2, row_labels=["a"]), "row_labels has 1 entries for 2"),
        (lambda: p.plot_grid([GREY] * 4, None, 2, column_labels=["a"]), "column_labels has 1 entries"),
        (lambda: p.plot_trace("trace"), "cannot draw a str; give what trace_conv2d or trace_pool2d"),
        (lambda: p.plot_predictions([GREY], [[1, 0]], [0], ["a"]), "class_names has 1 entries for 2"),
        (lambda: p.plot_predictions([GREY], [[3.0, -2]], [0], NAMES), "probabilities run from -2 to 3"),
        (lambda: p.plot_predictions([GREY], [[1, np.nan]], [0], NAMES), "probabilities"),
        (lambda: p.plot_predictions([GREY], [1, 0], [0], NAMES), r"probabilities have shape \(2,\)"),
        (lambda: p.plot_predictions([GREY], [[1, 0]], [2], NAMES), "labels run from 2 to 2"),
        (lambda: p.plot_learning_curves([]), "history is empty"),
        (lambda: p.plot_learning_curves([{"epoch": 1}]), "history has none of train_loss"),
        (lambda: p.plot_learning_curves([{"val_loss": 1}]), 'needs an "epoch"'),
        (lambda: p.plot_learning_curves([{"epoch": 1, "val_loss": 1}] * 2), "each larger than the last"),
        (lambda: p.plot_learning_curves([{"epoch": 1, "val_loss": "x"}]), "\"val_loss\" in history is 'x'"),
        (lambda: p.plot_learning_curves({"loss": [1, 2]}), "history is no list of mappings"),
        (lambda: p.plot_confusion_matrix(np.zeros((2, 3)), NAMES), r"matrix has shape \(2, 3\)"),
        (lambda: p.plot_confusion_matrix([[0.5, 0], [0, 1]], NAMES), "do not normalise it"),
        (lambda: p.plot_confusion_matrix([[1, -1], [0, 1]], NAMES), "whole numbers from 0"),
        (lambda: p.plot_confusion_matrix([[1, 0], [0, 1]], ["a"]), "class_names has 1 entries for 2"),
        (lambda: p.plot_confusion_matrix([[0, 0], [0, 0]], NAMES), "matrix counts nothing"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(draw, message):
    with pytest.raises(ConfigError, match=message) as caught:
        draw()
    assert "\n" not in str(caught.value)


def test_no_function_changes_its_input():
    rng = np.random.default_rng(0)
    picture = rng.normal(size=(8, 9, 3))
    picture[1, 1] = np.nan
    maps, grey = picture.copy(), picture[:, :, 0].copy()
    matrix, labels = rng.integers(0, 9, (2, 2)), np.array([1])
    given = (picture, maps, grey, matrix, labels)
    before = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    figures = [
        p.plot_image(picture),
        p.plot_images(picture[None], labels, NAMES),
        p.plot_feature_maps(maps),
        p.plot_filters(maps[:, :, None]),
        p.plot_crop(picture, (1, 3), (2, 5)),
        p.plot_pooling(picture, grey),
        p.plot_grid([picture, grey], NAMES),
        p.plot_predictions(picture[None], [[0.1, 0.9]], labels, NAMES),
        p.plot_confusion_matrix(matrix, NAMES),
    ]
    for figure in figures:
        figure._repr_png_()
    for array, old in zip(given, before, strict=True):
        assert np.array_equal(array, old, equal_nan=array.dtype.kind == "f")


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.longdouble])
def test_every_real_dtype_is_drawn(dtype):
    figure = p.plot_image(np.eye(5).astype(dtype))
    figure._repr_png_()
    seen = np.asarray(figure.axes[0].images[0].get_array())
    assert np.array_equal(seen, np.eye(5))


def test_torch_tensors_are_drawn():
    torch = pytest.importorskip("torch")
    figure = p.plot_images(torch.eye(4)[None])
    assert np.array_equal(figure.axes[0].images[0].get_array(), np.eye(4))
