"""Learning curves: what is drawn, which epoch is best, and what is missing."""

import numpy as np
import pytest

from convolens.plotting import plot_learning_curves


def history(**columns):
    n = len(next(iter(columns.values())))
    return [
        {"epoch": index + 1, **{key: values[index] for key, values in columns.items()}}
        for index in range(n)
    ]


def words(axes):
    return [text.get_text() for text in axes.texts]


def curve(axes, index=0):
    return axes.lines[index].get_xydata().tolist()


def test_loss_stands_above_accuracy_with_the_values_given():
    figure = plot_learning_curves(
        history(
            train_loss=[3, 1], val_loss=[4, 2], train_accuracy=[0.1, 0.3], val_accuracy=[0, 0.2]
        )
    )
    loss, accuracy = figure.axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert loss.get_position().y0 > accuracy.get_position().y1 - 0.1
    assert curve(loss, 0) == [[1, 3], [2, 1]]
    assert curve(loss, 1) == [[1, 4], [2, 2]]
    assert curve(accuracy, 0) == [[1, 0.1], [2, 0.3]]
    assert accuracy.get_xlabel() == "epoch"


def test_lines_are_named_at_their_ends_and_differ_in_more_than_colour():
    loss = plot_learning_curves(history(train_loss=[3, 1], val_loss=[4, 2])).axes[0]
    assert words(loss)[-2:] == ["training", "validation"]
    assert loss.get_legend() is None
    train, val = loss.lines[:2]
    assert train.get_linestyle() != val.get_linestyle()
    names = {text.get_text(): text.get_color() for text in loss.texts}
    assert (names["training"], names["validation"]) == (train.get_color(), val.get_color())


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"val_accuracy": [0.5, 0.9, 0.9, 0.8]}, "best: epoch 2, 90.0 %"),
        ({"val_accuracy": [0.5, 0.9], "val_loss": [1, 2]}, "best: epoch 2, 90.0 %"),
        ({"val_loss": [3.0, 1.25, 2.0]}, "best: epoch 2, loss 1.25"),
        ({"val_accuracy": [None, 0.1, float("nan")]}, "best: epoch 2, 10.0 %"),
        ({"val_accuracy": [0.97], "train_loss": [0.1]}, "best: epoch 1, 97.0 %"),
    ],
)
def test_the_best_epoch_is_marked_in_every_panel(columns, said):
    figure = plot_learning_curves(history(**columns))
    assert words(figure.axes[0])[0] == said
    epoch = float(said.split()[2].rstrip(","))
    for axes in figure.axes:
        assert epoch in [
            line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1
        ]


def test_without_validation_no_epoch_is_best():
    axes = plot_learning_curves(history(train_loss=[2, 1])).axes[0]
    assert words(axes) == ["training"]
    assert len(axes.lines) == 1


def test_a_panel_without_values_is_left_out():
    figure = plot_learning_curves(history(train_loss=[2, 1], val_accuracy=[None, None]))
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss"]


def test_missing_values_are_bridged():
    axes = plot_learning_curves(history(val_loss=[4, None, float("nan"), 1])).axes[0]
    assert curve(axes) == [[1, 4], [4, 1]]


def test_a_single_epoch_shows_its_points():
    figure = plot_learning_curves(history(train_loss=[2], val_loss=[1]))
    axes = figure.axes[0]
    assert [line.get_marker() for line in axes.lines[:2]] == ["o", "o"]
    assert axes.get_xticks().tolist() == [1]
    assert axes.get_xlim()[0] < 1 < axes.get_xlim()[1]


def test_accuracy_is_in_per_cent():
    figure = plot_learning_curves(history(val_accuracy=[0.5, 0.9]))
    figure.canvas.draw()
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert all(label.endswith(" %") for label in labels)
    assert "70 %" in labels


def test_names_do_not_touch_where_lines_end_together():
    axes = plot_learning_curves(history(train_loss=[2, 1], val_loss=[3, 1])).axes[0]
    heights = [text.xy[1] for text in axes.texts[-2:]]
    assert abs(heights[0] - heights[1]) > 0.05


def test_a_long_history_is_thinned():
    figure = plot_learning_curves(history(train_loss=np.linspace(1, 0, 50_000)))
    assert len(curve(figure.axes[0])) <= 1000


def test_what_a_resumed_run_records_is_fine():
    rows = [{"epoch": 3, "val_loss": np.float32(0.5), "note": "x"}, {"epoch": 7, "val_loss": 1}]
    assert words(plot_learning_curves(rows).axes[0])[0] == "best: epoch 3, loss 0.5"


def test_the_epoch_that_was_kept_is_the_one_marked():
    """A balanced run keeps the epoch that is best by class, whatever its plain accuracy."""
    epochs = history(val_accuracy=[0.7, 0.9, 0.8])
    for entry, best in zip(epochs, (True, False, True), strict=True):
        entry["best"] = best
    assert words(plot_learning_curves(epochs).axes[0])[0] == "best: epoch 3, 80.0 %"
