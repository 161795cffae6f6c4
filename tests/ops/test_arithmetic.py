import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convolens.errors import ConfigError
from convolens.ops import (
    LayerSpec,
    conv2d,
    count_multiply_adds,
    count_parameters,
    describe_stack,
    max_pool2d,
    receptive_field,
)


def conv(filters, kernel_size=3, **settings):
    return LayerSpec(name="conv", kind="conv", filters=filters, kernel_size=kernel_size, **settings)


def layer(kind, **settings):
    return LayerSpec(name=kind, kind=kind, **settings)


def notes_network():
    pool = layer("max_pool", kernel_size=2)
    return [
        conv(64, 7, padding="same"), layer("activation"), pool,
        conv(128, padding="same"), conv(128, padding="same"), pool,
        conv(256, padding="same"), conv(256, padding="same"), pool,
        layer("flatten"),
        layer("dense", units=128), layer("dropout"),
        layer("dense", units=64), layer("dropout"),
        layer("dense", units=10),
    ]  # fmt: skip


def test_the_network_of_the_notes_has_the_parameters_that_keras_counts():
    assert count_parameters((28, 28, 1), notes_network()) == 1_413_834
    shapes = [entry.output_shape for entry in describe_stack((28, 28, 1), notes_network())]
    assert shapes[2] == (14, 14, 64)
    assert shapes[8] == (3, 3, 256)
    assert shapes[9] == (1, 1, 2304)
    assert shapes[-1] == (1, 1, 10)


def test_multiply_adds_by_hand():
    stack = [
        conv(8, 3, strides=2, padding="same", groups=2),
        layer("depthwise_conv", kernel_size=5),
    ]
    entries = describe_stack((9, 9, 4), stack)
    assert [entry.multiply_adds for entry in entries] == [5 * 5 * 8 * 9 * 2, 1 * 8 * 25]
    assert [entry.parameters for entry in entries] == [8 * 9 * 2 + 8, 8 * 25 + 8]
    assert count_multiply_adds((9, 9, 4), stack) == 5 * 5 * 8 * 9 * 2 + 200


def test_layers_without_weights_cost_nothing_but_change_the_shape():
    stack = [
        layer("space_to_depth", kernel_size=2),
        layer("batch_norm"),
        layer("avg_pool", kernel_size=2, strides=1),
        layer("activation"),
        layer("global_pool"),
        layer("dense", units=3, bias=False),
    ]
    entries = describe_stack((8, 6, 3), stack)
    assert [entry.output_shape for entry in entries] == [
        (4, 3, 12), (4, 3, 12), (3, 2, 12), (3, 2, 12), (1, 1, 12), (1, 1, 3),
    ]  # fmt: skip
    assert [entry.parameters for entry in entries] == [0, 24, 0, 0, 0, 36]
    assert [entry.multiply_adds for entry in entries] == [0, 0, 0, 0, 0, 36]
    assert [entry.receptive_field for entry in entries][3:] == [(4, 4), (8, 6), (8, 6)]


windowed = st.builds(
    lambda pool, kernel_size, strides, dilations: (
        layer("max_pool", kernel_size=kernel_size, strides=strides)
        if pool
        else conv(1, kernel_size, strides=strides, dilations=dilations)
    ),
    st.booleans(),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
    st.integers(1, 2),
)


@given(st.lists(windowed, min_size=1, max_size=4))
@settings(max_examples=40)
def test_the_receptive_field_is_what_an_output_value_really_depends_on(layers):
    height, width = receptive_field(layers)
    # All weights are 1: a value grows with every pixel that it sees.
    picture = np.random.default_rng(0).random((height + 3, width + 3, 1))
    changed = picture[np.newaxis].repeat((height + 3) * (width + 3), axis=0)
    for i, place in enumerate(np.ndindex(height + 3, width + 3)):
        changed[(i, *place)] += 1000
    before = run(layers, picture[np.newaxis])
    reached = run(layers, changed)[:, 0, 0, 0] > before[0, 0, 0, 0] + 1
    rows, columns = np.nonzero(reached.reshape(height + 3, width + 3))
    assert (rows.min(), columns.min()) == (0, 0)
    assert (rows.max() + 1, columns.max() + 1) == (height, width)
    described = describe_stack((height + 3, width + 3, 1), layers)[-1]
    assert described.receptive_field == (height, width)
    assert described.output_shape == before.shape[1:]


def run(layers, images):
    for spec in layers:
        if spec.kind == "conv":
            ones = np.ones((*spec.window, 1, 1))
            images = conv2d(images, ones, spec.strides, dilations=spec.dilations)
        else:
            images = max_pool2d(images, spec.kernel_size, spec.strides)
    return images


def test_a_distill_example():
    # Two 3x3 convolutions of stride 2 see 7 pixels, a third sees 15 (Araujo et al., 2019).
    assert receptive_field([conv(1, strides=2)] * 2) == (7, 7)
    entries = describe_stack((64, 64, 1), [conv(1, strides=2)] * 3)
    assert [entry.jump for entry in entries] == [(2, 2), (4, 4), (8, 8)]
    assert entries[-1].receptive_field == (15, 15)
    assert receptive_field([conv(1, 5), layer("flatten"), layer("dense", units=3)]) == (5, 5)


def test_entries_are_plain_json():
    entry = describe_stack((28, 28, 1), [conv(2)])[0].to_dict()
    assert json.loads(json.dumps(entry)) == entry
    assert entry["output_shape"] == [26, 26, 2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "convolution"}, "unknown kind of layer 'convolution'"),
        ({"kind": "conv"}, "layer 'a': filters is None; it must be a whole number"),
        ({"kind": "dense"}, "layer 'a': units is None"),
        ({"kind": "dense", "units": 3, "filters": 3}, "a dense layer takes no filters"),
        ({"kind": "max_pool", "dilations": 2}, "a max_pool layer takes no dilations"),
        ({"kind": "conv", "filters": 1, "strides": 0}, "layer 'a': strides is 0"),
        ({"kind": "conv", "filters": 1, "padding": "sam"}, "layer 'a': padding is 'sam'"),
    ],
)
def test_a_layer_is_checked_where_it_is_made(settings, message):
    with pytest.raises(ConfigError, match=message):
        LayerSpec(name="a", **settings)


@pytest.mark.parametrize(
    ("shape", "spec", "message"),
    [
        (
            (2, 9, 1),
            conv(1),
            "layer 'conv': the window's height of 3 is larger than the picture's 2",
        ),
        ((9, 9, 3), conv(4, groups=2), "layer 'conv': groups is 2; it must divide the 3 channels"),
        (
            (9, 8, 3),
            layer("space_to_depth", kernel_size=2),
            r"blocks of \(2, 2\) do not divide 9 x 8",
        ),
        ((9, 9), conv(1), r"input_shape is \(9, 9\); it must be \(height, width, channels\)"),
        ((9, 0, 1), conv(1), "input_shape is 0"),
    ],
)
def test_a_stack_that_does_not_fit_names_the_layer(shape, spec, message):
    with pytest.raises(ConfigError, match=message):
        describe_stack(shape, [spec])
