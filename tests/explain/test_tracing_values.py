"""The arithmetic of one value, against the network's own and against plain loops."""

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from small_networks import IMAGES, SMALL, Functional, Residual, Twice, make_model
from torch import nn

from convolens.errors import ConfigError
from convolens.explain import ValueTrace, feature_maps, strongest_value, trace_value
from convolens.explain.networks import layers_of, network_input, pass_through
from convolens.zoo.blocks import ChannelScale, GlobalAveragePool

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURE = np.random.default_rng(0).normal(size=(7, 6, 4))


def check_steps(trace: ValueTrace) -> None:
    """Every step agrees with the network, relative to the size of what is summed."""
    assert trace.agrees, str(trace)
    before = trace.value
    for step in trace.following:
        assert step.before == before
        assert abs(step.value - step.network_value) <= 1e-5 * step.magnitude + 1e-30, step
        before = step.value


@pytest.mark.parametrize("architecture", SMALL)
def test_every_layer_of_every_architecture_agrees_with_the_forward_pass(architecture: str) -> None:
    model = make_model(architecture)
    rng = np.random.default_rng(1)
    with torch.no_grad():
        outputs = pass_through(model, network_input(model, IMAGES[:1])).outputs
    layers = list(layers_of(model, "convolution", "pooling"))
    most = min(len(layers), 12)  # spread over deep networks
    operations: set[str] = set()
    for name in (layers[index] for index in np.linspace(0, len(layers) - 1, most).astype(int)):
        output = outputs[name]
        channels, height, width = (*output.shape[1:], 1, 1)[:3]
        inner = tuple(int(rng.integers(size)) for size in (height, width, channels))
        for where in ((0, 0, 0), (height - 1, width - 1, channels - 1), inner):
            trace = trace_value(model, IMAGES[0], name, *where)
            check_steps(trace)
            maps = output[0].reshape(channels, height, width)
            assert trace.network_value == float(maps[where[2], where[0], where[1]])
            assert trace.value == pytest.approx(trace.network_value, abs=1e-5 * trace.magnitude)
            operations |= {step.operation for step in trace.following}
    if architecture not in ("densenet", "wide_resnet", "convnext"):  # theirs come before
        assert operations & {"ReLU", "ReLU6", "ScaledTanh"}


def conv_by_loops(
    x: NDArray[np.float64], conv: nn.Conv2d, row: int, column: int, channel: int
) -> float:
    """(height, width, channels) and one place of the output; padded with zeros."""
    kernel = np.asarray(conv.weight.detach(), np.float64)[channel]
    first = channel // (conv.out_channels // conv.groups) * kernel.shape[0]
    total = 0.0 if conv.bias is None else float(conv.bias.detach()[channel])
    if conv.padding == "same":
        before = [d * (k - 1) // 2 for k, d in zip(conv.kernel_size, conv.dilation, strict=True)]
    else:
        before = [0, 0] if conv.padding == "valid" else [int(side) for side in conv.padding]
    for c in range(kernel.shape[0]):
        for i in range(kernel.shape[1]):
            for j in range(kernel.shape[2]):
                y = row * conv.stride[0] - before[0] + i * conv.dilation[0]
                z = column * conv.stride[1] - before[1] + j * conv.dilation[1]
                if 0 <= y < x.shape[0] and 0 <= z < x.shape[1]:
                    total += x[y, z, first + c] * kernel[c, i, j]
    return total


@st.composite
def convolutions(draw: st.DrawFn) -> nn.Conv2d:
    groups = draw(st.sampled_from([1, 2, 4]))
    padding = draw(st.sampled_from(["same", "valid", 0, 1, (2, 1)]))
    small = st.integers(1, 3)
    stride = 1 if padding == "same" else (draw(small), draw(small))
    torch.manual_seed(draw(st.integers(0, 9)))
    return nn.Conv2d(
        4,
        4 * draw(st.integers(1, 2)),
        (draw(small), draw(small)),
        stride,
        padding=padding,
        dilation=(draw(st.integers(1, 2)), draw(st.integers(1, 2))),
        groups=groups,
        bias=draw(st.booleans()),
    )


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(conv=convolutions(), data=st.data())
@settings(max_examples=60)
def test_any_convolution_is_taken_apart(conv: nn.Conv2d, data: st.DataObject) -> None:
    network = nn.Sequential(conv, nn.Flatten())
    maps = feature_maps(network, PICTURE, "0")
    row, column, channel = (data.draw(st.integers(0, size - 1)) for size in maps.shape)
    trace = trace_value(network, PICTURE, "0", row, column, channel)
    seen = PICTURE.astype(np.float32).astype(np.float64)
    assert trace.value == pytest.approx(
        conv_by_loops(seen, conv, row, column, channel), rel=1e-12, abs=1e-12
    )
    assert trace.network_value == maps[row, column, channel]
    assert trace.agrees
    assert trace.products is not None
    assert trace.products.size == conv.weight[channel].numel()
    assert (trace.bias is None) == (conv.bias is None)
    inside = ~trace.padded
    at = np.ix_(trace.rows[inside.any(1)], trace.columns[inside.any(0)], trace.channels)
    assert (trace.window[inside.any(1)][:, inside.any(0)] == seen[at]).all()
    assert (trace.window[trace.padded] == 0).all()


@st.composite
def poolings(draw: st.DrawFn) -> nn.Module:
    window = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    stride = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    padding = (draw(st.integers(0, window[0] // 2)), draw(st.integers(0, window[1] // 2)))
    up = draw(st.booleans())
    makers: list[Callable[[], nn.Module]] = [
        lambda: nn.MaxPool2d(window, stride, padding, ceil_mode=up),
        lambda: nn.MaxPool2d((2, 3), stride, dilation=2, ceil_mode=up),
        lambda: nn.AvgPool2d(window, stride, padding, ceil_mode=up),
        lambda: nn.AvgPool2d(window, stride, padding, ceil_mode=up, count_include_pad=False),
        lambda: nn.AvgPool2d(window, stride, padding, ceil_mode=up, divisor_override=7),
        lambda: nn.AdaptiveAvgPool2d(window),
        lambda: nn.AdaptiveAvgPool2d((None, window[1])),
        lambda: nn.AdaptiveMaxPool2d(window),
    ]
    return draw(st.sampled_from(makers))()


@given(pool=poolings())
@settings(max_examples=60)
def test_any_pooling_is_taken_apart(pool: nn.Module) -> None:
    network = nn.Sequential(pool, nn.Flatten())
    maps = feature_maps(network, PICTURE, "0")
    for row in range(maps.shape[0]):
        for column in range(maps.shape[1]):
            trace = trace_value(network, PICTURE, "0", row, column, 3)
            expected = float(maps[row, column, 3])
            assert trace.value == pytest.approx(expected, rel=1e-5, abs=1e-6), str(trace)
            assert trace.agrees
            assert trace.channels.tolist() == [3]
            if trace.winner is not None:
                assert np.float32(PICTURE[(*trace.winner, 3)]) == expected


def test_a_value_is_followed_through_what_looks_at_it_alone() -> None:
    """Normalised, scaled, handed on, activated: worked out by hand."""
    network = nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5), ChannelScale(2, 1.0),
        nn.PReLU(2), nn.Sigmoid(), GlobalAveragePool(), nn.Linear(2, 2),
    ).eval()  # fmt: skip
    conv, norm, _, scale, slope, *_ = network
    conv.weight.data[1], conv.bias.data[1] = 2.0, 0.5
    norm.running_mean[1], norm.running_var[1] = 3.0, 4.0 - 1e-5
    norm.weight.data[1], norm.bias.data[1] = 3.0, -1.0
    scale.weight.data[1], slope.weight.data[1] = 0.5, 0.25
    trace = trace_value(network, np.full((2, 2, 1), -1.0), "0", 0, 1, 1)
    assert (trace.sum, trace.bias, trace.value) == (-2.0, 0.5, -1.5)
    values = [-7.75, -7.75, -3.875, -0.96875, 1 / (1 + math.exp(0.96875))]
    assert [step.value for step in trace.following] == pytest.approx(values)
    norm_step, _, scale_step, slope_step, _ = trace.following
    assert norm_step.numbers == pytest.approx(
        {"mean": 3.0, "variance": 4.0 - 1e-5, "epsilon": 1e-5, "scale": 3.0, "shift": -1.0}
    )
    assert (scale_step.numbers, slope_step.numbers) == ({"factor": 0.5}, {"slope": 0.25})
    check_steps(trace)
    lines = str(trace).splitlines()
    assert "value = -2 + bias 0.5 = -1.5" in lines
    expected = "(-1.5 - mean 3) / sqrt(variance 4 + 1e-05) x scale 3 + shift (-1) = -7.75"
    assert f"then '1' (BatchNorm2d): {expected}" in lines
    assert "then '2' (Dropout): handed on" in lines
    assert "then '4' (PReLU): -3.875 x slope 0.25 = -0.9688" in lines
    assert lines[-1] == "It ends here: '6' takes the mean of several values."


@pytest.mark.parametrize(
    ("layers", "ending"),
    [
        ([nn.MaxPool2d(2)], "'1' takes the largest of several values"),
        ([nn.Conv2d(4, 1, 1)], "'1' sums it with other values"),
        ([nn.GroupNorm(2, 4)], "'1' normalises it by several values"),
        ([nn.BatchNorm2d(4, track_running_stats=False)], "'1' normalises it by several values"),
        ([nn.Flatten(), nn.Linear(168, 2)], "'1' lays all values in a row"),
        ([nn.Softmax2d()], r"'1' \(Softmax2d\) may look at other values, too"),
        ([], "No layer follows: the network puts it out"),
    ],
)
def test_where_other_values_matter_it_ends(layers: list[nn.Module], ending: str) -> None:
    trace = trace_value(nn.Sequential(nn.Conv2d(4, 4, 1), *layers).eval(), PICTURE, "0", 0, 0, 0)
    assert trace.following == ()
    assert trace.ending.rstrip(".").endswith(ending.replace("\\", ""))


def test_where_paths_part_or_meet_it_ends() -> None:
    resnet, dense = make_model("resnet20"), make_model("densenet")
    first = trace_value(resnet, IMAGES[0], "stem.conv", 0, 0, 0)
    assert [step.layer for step in first.following] == ["stem.norm", "stem.act"]
    assert first.ending == (
        "From here the paths part: 'stage1.0.body.conv1' and 'stage1.0.add' read it."
    )
    last = trace_value(resnet, IMAGES[0], "stage2.0.body.conv2", 0, 0, 0)
    assert [step.operation for step in last.following] == ["BatchNorm2d"]
    assert last.ending.startswith("It ends here: 'stage2.0.add' adds it to what comes from 'stage2")
    beside = [
        trace_value(dense, IMAGES[0], name, 0, 0, 0).ending
        for name in layers_of(dense, "convolution")
    ]
    assert any("lays it beside what comes from" in ending for ending in beside)


def test_what_is_computed_outside_of_layers_is_not_followed() -> None:
    picture = np.random.default_rng(0).normal(size=(8, 8, 3))
    trace = trace_value(Functional(), picture, "first", 0, 0, 0)
    assert trace.ending == "What follows is computed outside of the network's layers."
    second = trace_value(Functional(), picture, "second", 0, 0, 0)
    assert second.source is None
    assert "of what the network computed before it." in str(second)


def test_rectifiers_in_place_and_layers_passed_twice() -> None:
    picture = np.random.default_rng(0).normal(size=(8, 8, 3))
    for network, layer, source in (
        (Residual().eval(), "late", "relu"), (Twice(), "conv", "act"),
    ):  # fmt: skip
        maps = feature_maps(network, picture, layer)
        for row, column in ((0, 0), (3, 7)):
            trace = trace_value(network, picture, layer, row, column, 1)
            check_steps(trace)
            assert trace.source == source
            assert trace.network_value == maps[row, column, 1]


def test_weights_that_are_made_when_asked_for() -> None:
    conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 3))
    check_steps(trace_value(nn.Sequential(conv, nn.ReLU()), PICTURE, "0", 1, 1, 2))


class Doubled(nn.Conv2d):
    def forward(self, x: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return 2 * super().forward(x)


def test_a_layer_that_computes_something_else_is_not_explained_away() -> None:
    trace = trace_value(nn.Sequential(Doubled(4, 4, 3)), PICTURE, "0", 1, 1, 2)
    assert not trace.agrees
    assert "which is another: Doubled computes more than is written here" in str(trace)


def test_pixels_that_are_no_numbers() -> None:
    picture = PICTURE.copy()
    picture[2, 2, 0], picture[5, 5, 1] = np.nan, np.inf
    network = nn.Sequential(nn.Conv2d(4, 2, 3), nn.ReLU(), nn.MaxPool2d(2))
    for layer, where in (("0", (1, 1, 0)), ("2", (0, 0, 1)), ("0", (3, 3, 0))):
        trace = trace_value(network, picture, layer, *where)
        assert not math.isfinite(trace.value)
        assert trace.agrees
        fields = json.loads(json.dumps(trace.to_dict(), allow_nan=False))
        assert fields["value"] is None
        assert str(trace)
    flat = nn.Sequential(nn.MaxPool2d(1), nn.Flatten())
    assert strongest_value(flat, picture, "0") == (5, 5, 1)
    with pytest.raises(ConfigError, match="nothing but NaN"):
        strongest_value(flat, np.full((7, 6, 4), np.nan), "0")


@pytest.mark.parametrize("architecture", ["compact", "resnet20"])
def test_the_strongest_value_is_the_largest(architecture: str) -> None:
    model = make_model(architecture)
    for layer in list(layers_of(model, "convolution", "activation"))[:6]:
        maps = feature_maps(model, IMAGES[0], layer)
        assert maps[strongest_value(model, IMAGES[0], layer)] == maps.max()
    row, column, channel = strongest_value(model, IMAGES[0], "mean")
    assert (row, column) == (0, 0)
    trace = trace_value(model, IMAGES[0], "mean", row, column, channel)
    others = [trace_value(model, IMAGES[0], "mean", 0, 0, other).value for other in range(9)]
    assert trace.value >= max(others)


def test_many_channels_are_written_for_people() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(128, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()).eval()
    picture = np.random.default_rng(0).normal(size=(5, 5, 128))
    trace = trace_value(network, picture, "0", 0, 0, 7)
    lines = str(trace).splitlines()
    assert len(lines) < 50
    assert max(len(line) for line in lines) <= 120
    assert "1,152 products; the channels that change the sum most:" in lines
    assert '"pad" is padding, which counts as 0.' in lines
    at = lines.index("channel   its products sum to")
    largest = np.argsort(-np.abs(trace.channel_sums))
    assert [int(line.split()[0]) for line in lines[at + 1 : at + 9]] == largest[:8].tolist()
    assert lines[at + 9].startswith("the other 120: ")
    fields = json.loads(json.dumps(trace.to_dict()))
    assert np.sum(fields["products"]) == pytest.approx(trace.sum)
    assert np.array(fields["window"]).shape == (3, 3, 128)


def test_large_windows_are_summed_up() -> None:
    network = nn.Sequential(nn.Conv2d(4, 2, 7, padding=3), nn.AdaptiveAvgPool2d(1)).eval()
    picture = np.random.default_rng(0).normal(size=(30, 30, 4))
    text = str(trace_value(network, picture, "1", 0, 0, 1))
    assert "900 values from" in text
    assert len(text.splitlines()) < 12
    big = nn.Sequential(nn.Conv2d(4, 2, 9), nn.ReLU())
    text = str(trace_value(big, picture, "0", 0, 0, 1))
    assert "the largest of 324 products:" in text
    assert len(text.splitlines()) < 30


@pytest.mark.parametrize(
    ("layer", "where", "message"),
    [
        ("conv1", (99, 0, 0), r"row of layer 'conv1' is 99; allowed: a whole number from 0 to 15"),
        ("conv1", (0, 18, 0), r"column of layer 'conv1' is 18; .* from 0 to 17"),
        ("conv1", (0, 0, -1), r"channel of layer 'conv1' is -1; .* from 0 to 63"),
        ("conv1", (0.5, 0, 0), r"row of layer 'conv1' is 0.5"),
        ("logits", (0, 0, 0), "'logits' is a Linear; allowed is a convolution or pooling layer, "),
        ("relu1", (0, 0, 0), "'relu1' is a ReLU; allowed is a convolution or pooling"),
        (
            "conv11",
            (0, 0, 0),
            "unknown convolution or pooling layer 'conv11'; did you mean 'conv1'",
        ),
    ],
)
def test_what_does_not_exist_is_said(layer: str, where: tuple, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        trace_value(make_model("notes"), IMAGES[0], layer, *where)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), "'0' pads by 'reflect'; .* zeros"),
        (nn.LPPool2d(2, 2), "'0' is a LPPool2d; the arithmetic is written out for Conv2d, MaxPool"),
        (nn.MaxPool2d(2, return_indices=True), "'0' is not passed by a picture, or puts out no"),
    ],
)
def test_what_is_not_written_out_is_refused(module: nn.Module, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        trace_value(nn.Sequential(module), PICTURE, "0", 0, 0, 0)
