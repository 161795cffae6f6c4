"""What the figures of a network's inside say."""

import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle
from torch import nn

from convolens import plotting
from convolens.errors import ConfigError
from convolens.explain import (
    activation_statistics,
    effective_receptive_field,
    receptive_field,
    trace_value,
)
from convolens.ops import trace_conv2d
from convolens.plotting import Figure

PICTURE = np.random.default_rng(0).random((9, 9, 6))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(6, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(3), nn.Flatten()
    )
    return layers.eval()


def test_the_channels_that_change_the_sum_most_are_drawn(network: nn.Module) -> None:
    trace = trace_value(network, PICTURE, "0", 4, 4, 2)
    figure = plotting.plot_value_trace(trace)
    largest = np.argsort(-np.abs(trace.channel_sums))[:3]
    named = [text for text in texts(figure) if text.startswith("channel ")]
    assert named == [f"channel {channel}" for channel in largest]
    *grids, chart = figure.axes
    assert len(grids) == 9  # window, weights and products of each
    bars = [bar.get_height() for bar in chart.patches if isinstance(bar, Rectangle)]
    assert sorted(bars) == pytest.approx(
        sorted([*trace.channel_sums, *trace.channel_sums[largest]])
    )
    values = [text.get_text().replace("−", "-") for text in grids[2].texts]
    assert trace.products is not None
    drawn = trace.products[:, :, largest[0]].ravel()
    assert [float(value) for value in values] == pytest.approx(drawn, abs=0.005)


def test_the_chain_says_every_step(network: nn.Module) -> None:
    lines = texts(plotting.plot_value_trace(trace_value(network, PICTURE, "0", 0, 0, 1)))
    assert "hatched: padding, which counts as 0" in lines
    assert [line.split()[0] for line in lines[-6:]] == [
        "sum", "+", "normalised", "×", "'2'", "It",
    ]  # fmt: skip
    assert lines[-1] == "It ends here: '3' takes the largest of several values."


def test_the_winner_of_a_pooling_is_outlined(network: nn.Module) -> None:
    trace = trace_value(network, PICTURE, "3", 1, 2, 0)
    figure = plotting.plot_value_trace(trace)
    assert trace.winner is not None
    row, column = trace.winner
    assert f"from row {row}, column {column}" in texts(figure)[-2]
    boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert {box.get_xy() for box in boxes} == {(column - 6 - 0.5, row - 3 - 0.5)}


def test_the_box_is_the_field() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), nn.Flatten())
    picture = np.random.default_rng(0).random((12, 16, 1))
    field = receptive_field(network, "0", 2, 3, input_shape=(12, 16, 1))
    effective = effective_receptive_field(network, picture[None], "0", row=2, column=3)
    figure = plotting.plot_receptive_field(picture, field, effective)
    for axes in figure.axes:
        box = axes.patches[-1]
        assert isinstance(box, Rectangle)
        assert box.get_xy() == (field.columns[0] - 0.5, field.rows[0] - 0.5)
        assert (box.get_width(), box.get_height()) == (3, 3)
    laid = np.asarray(figure.axes[1].images[0].get_array()).astype(int)
    bright = laid.max(axis=2) > 130  # the picture beneath is dim
    assert bright.any()
    assert not bright[effective.heat == 0].any()


def test_dead_channels_are_counted() -> None:
    network = nn.Sequential(nn.Conv2d(6, 4, 3), nn.ReLU(), nn.Tanh(), nn.Flatten())
    network[0].bias.data[:3] = -99.0
    lines = texts(
        plotting.plot_activation_statistics(activation_statistics(network, PICTURE[None]))
    )
    assert lines[0] == "6 dead channels in 2 layers"
    assert lines.count("3 of 4") == 2
    quiet = nn.Sequential(nn.Conv2d(6, 4, 3), nn.Flatten())
    lines = texts(plotting.plot_activation_statistics(activation_statistics(quiet, PICTURE[None])))
    assert lines[0] == "No dead channels"
    assert "0 of 4" in lines


def test_what_cannot_be_drawn_is_said() -> None:
    conv = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten())
    field = receptive_field(conv, "0", 0, 0, input_shape=(8, 8, 1))
    other = effective_receptive_field(conv, np.ones((1, 8, 8, 1)), "0", row=1, column=0)
    with pytest.raises(ConfigError, match=r"9 x 9 pixels and the network's input 8 x 8; give the"):
        plotting.plot_receptive_field(np.eye(9), field)
    with pytest.raises(ConfigError, match=r"of two values: \('0', 0, 0\) and \('0', 1, 0\)"):
        plotting.plot_receptive_field(np.eye(8), field, other)
    with pytest.raises(ConfigError, match=r"ConvTrace; give what trace_value returns"):
        plotting.plot_value_trace(trace_conv2d(PICTURE[:, :, :1], [[1]], 0, 0))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="cannot draw a str; give what activation_statistics"):
        plotting.plot_activation_statistics("all")  # pyright: ignore[reportArgumentType]
    bare = activation_statistics(nn.Sequential(nn.Flatten()), np.ones((1, 2, 2, 1)))
    with pytest.raises(ConfigError, match="neither activations nor convolutions"):
        plotting.plot_activation_statistics(bare)
