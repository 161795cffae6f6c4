"""Confusion matrices: counts as written, mistakes as seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convolens.plotting import plot_confusion_matrix
from convolens.plotting.confusion import shares_of_mistakes

MATRIX = np.array([[900, 10, 90], [0, 999, 1], [30, 0, 0]])
NAMES = ["shirt", "bag", "coat"]


def cells(axes):
    return {text.get_position(): text.get_text() for text in axes.texts}


def colours(axes):
    image = axes.images[0]
    return image.to_rgba(image.get_array())[..., :3]


def test_every_count_is_written_in_its_row_and_column():
    axes = plot_confusion_matrix(MATRIX, NAMES).axes[0]
    written = cells(axes)
    for row, column in np.ndindex(3, 3):
        assert written[column, row] == str(MATRIX[row, column])


def test_rows_are_the_right_class_and_columns_the_predicted_one():
    figure = plot_confusion_matrix(MATRIX, NAMES)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES
    assert [label.get_text() for label in axes.get_xticklabels()] == NAMES
    where = {text.get_text(): text.get_position() for text in figure.texts}
    box = axes.get_position()
    assert where["right class"][0] < box.x0
    assert where["predicted class"][1] < box.y0
    assert "1,899 of 2,030 right (93.5 %)" in where


def test_colour_is_the_share_of_the_row_not_the_count():
    """30 of 30 is worse than 90 of 1,000."""
    seen = colours(plot_confusion_matrix(MATRIX, NAMES).axes[0]).sum(axis=2)
    assert seen[2, 0] < seen[0, 2] < seen[0, 1] < seen[1, 2] < seen[1, 0]


def test_the_diagonal_does_not_drown_a_rare_mistake():
    matrix = np.diag([10_000] * 3)
    matrix[0, 1] = 3
    seen = colours(plot_confusion_matrix(matrix, NAMES).axes[0])
    assert np.ptp(seen[np.arange(3), np.arange(3)], axis=0).max() == 0
    assert seen[0, 1].sum() < 1  # the darkest of the scale
    assert (seen[1, 0] == 1).all()


@settings(max_examples=30)
@given(arrays.arrays(np.int64, (4, 4), elements=st.integers(0, 10**6)))
def test_shares_of_mistakes_and_of_the_right_add_up(counts):
    shares = shares_of_mistakes(counts)
    totals = counts.sum(axis=1)
    right = np.diag(counts) / np.maximum(totals, 1)
    assert np.allclose(shares.sum(axis=1) + right, totals > 0)
    assert not np.diag(shares).any()


def test_a_perfect_model_needs_no_scale_of_mistakes():
    figure = plot_confusion_matrix(np.eye(3, dtype=int), NAMES)
    assert len(figure.axes) == 1
    assert any(text.get_text() == "3 of 3 right (100.0 %)" for text in figure.texts)


def test_with_a_hundred_classes_the_commonest_mistakes_are_listed():
    matrix = np.diag([50] * 100)
    matrix[7, 31], matrix[60, 2] = 9, 25
    figure = plot_confusion_matrix(matrix, [f"name {n}" for n in range(100)])
    listed = [text.get_text() for text in figure.texts]
    at = listed.index("commonest mistakes (right → predicted)")
    assert listed[at + 1 :] == [
        "60 name 60 → 2 name 2: 25 (33 %)",
        "7 name 7 → 31 name 31: 9 (15 %)",
    ]
    assert not figure.axes[0].texts


def test_with_twenty_classes_what_fits_is_written_and_the_rest_is_listed():
    matrix = np.diag([1000] * 20)
    matrix[3, 4] = 17
    figure = plot_confusion_matrix(matrix, [f"c{n}" for n in range(20)])
    assert cells(figure.axes[0]) == {(4, 3): "17"}
    assert "c3 → c4: 17 (2 %)" in [text.get_text() for text in figure.texts]


def test_names_of_any_length_and_script_keep_the_matrix_in_the_figure():
    figure = plot_confusion_matrix(MATRIX, ["x" * 4000, "鞋\n鞋", "$a_"])
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0].startswith("xxx")
    assert "…" in labels[0]
    assert labels[2] == "$a_"
    assert figure.axes[0].get_position().width * 6 > 2
    figure._repr_png_()


@pytest.mark.parametrize("n", [1, 2, 25, 26, 300])
def test_any_number_of_classes_is_drawn(n):
    figure = plot_confusion_matrix(np.eye(n, dtype=int), [str(k) for k in range(n)])
    figure._repr_png_()
    assert figure.get_size_inches()[0] == 6


def test_counts_may_come_as_floats():
    axes = plot_confusion_matrix([[2.0, 1.0], [0.0, 3.0]], ["a", "b"]).axes[0]
    assert cells(axes)[1, 0] == "1"
