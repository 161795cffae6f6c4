"""Learning curves: what is drawn, which epoch is best, and what is missing."""

import itertools

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


def told(*steps):
    keys = ("step", "loss", "accuracy", "learning_rate")
    return [dict(zip(keys, step, strict=True)) for step in steps]


def at_steps(*ends, **columns):
    """A history whose epochs end at these steps."""
    return [{**entry, "step": end} for entry, end in zip(history(**columns), ends, strict=True)]


def test_with_steps_the_learning_rate_stands_below_and_training_is_drawn_from_them():
    epochs = at_steps(10, 20, train_loss=[9, 9], val_loss=[2, 1], val_accuracy=[0.5, 0.6])
    steps = told((5, 3, 0.1, 0.2), (10, 2, 0.2, 0.1), (20, 1, 0.3, 0.0))
    loss, accuracy, rate = plot_learning_curves(epochs, steps).axes
    assert rate.get_ylabel() == "learning rate"
    assert curve(loss) == [[0.5, 3], [1, 2], [2, 1]]
    assert curve(accuracy) == [[0.5, 0.1], [1, 0.2], [2, 0.3]]
    assert curve(rate) == [[0.5, 0.2], [1, 0.1], [2, 0]]
    assert rate.get_ylim()[0] == 0
    assert rate.get_xlabel() == "epoch"
    train, val = loss.lines[:2]
    assert train.get_linewidth() < val.get_linewidth()


def test_an_epoch_cut_short_ends_where_it_was_judged():
    epochs = at_steps(10, 14, val_loss=[2, 1])
    steps = told((10, 3, 0.1, 0.1), (12, 2, 0.1, 0.1), (14, 1, 0.1, 0.1), (15, 0, 0.1, 0.1))
    assert curve(plot_learning_curves(epochs, steps).axes[0]) == [[1, 3], [1.5, 2], [2, 1]]


def test_one_epoch_is_a_curve_where_steps_are_known():
    epochs = at_steps(4, val_accuracy=[0.9], train_accuracy=[0.5])
    axes = plot_learning_curves(epochs, told(*[(n, 1, n / 4, 0.1) for n in (1, 2, 3, 4)])).axes[1]
    assert curve(axes)[0] == [0.25, 0.25]
    assert axes.get_xlim()[0] < 0.3 < 1 < axes.get_xlim()[1] < 1.3


def test_steps_that_were_done_again_count_once():
    epochs = at_steps(10, val_loss=[2])
    again = told(*[(n, 1, 0.1, 0.1) for n in (2, 4, 6)], *[(n, 2, 0.1, 0.1) for n in (4, 8)])
    assert curve(plot_learning_curves(epochs, again).axes[0]) == [[0.2, 1], [0.4, 2], [0.8, 2]]


def test_steps_without_their_place_are_left_out():
    steps = told((5, 3, 0.1, 0.2))
    figure = plot_learning_curves(history(val_loss=[2, 1], train_loss=[4, 3]), steps)
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss"]
    assert curve(figure.axes[0]) == [[1, 4], [2, 3]]


def test_the_best_value_is_ringed():
    figure = plot_learning_curves(history(val_loss=[2, 1, 3], val_accuracy=[0.5, 0.9, 0.6]))
    rings = [
        [line.get_xydata().tolist() for line in axes.lines if line.get_markerfacecolor() == "none"]
        for axes in figure.axes
    ]
    assert rings == [[[[2, 1]]], [[[2, 0.9]]]]


@pytest.mark.parametrize("n", [1, 3, 100])
def test_words_stay_apart_in_runs_of_every_length(n):
    values = {"val_loss": np.linspace(2, 1, n), "val_accuracy": np.linspace(0.1, 0.9, n)}
    steps = told(*[(k, 2 / k, 1 - 1 / k, 1e-5 * (1 - k / (4 * n))) for k in range(1, 4 * n + 1)])
    figure = plot_learning_curves(at_steps(*range(4, 4 * n + 1, 4), **values), steps)
    figure.canvas.draw()
    for axes in figure.axes:
        labels = [axes.yaxis.label, *axes.texts]
        boxes = [text.get_window_extent() for text in labels]
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
        assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
        assert all(figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1 for box in boxes)


def test_a_note_stands_below():
    axes = plot_learning_curves(history(val_loss=[4, 1]), note="of some pictures").axes
    assert axes[-1].get_xlabel().splitlines() == ["epoch", "of some pictures"]
