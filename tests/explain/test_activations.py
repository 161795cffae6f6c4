from typing import Any

import numpy as np
import pytest

from convolens.bundle import Model
from convolens.data import fit_preprocessing
from convolens.errors import ConfigError
from convolens.explain import convolution_layers, feature_maps, layer_filters
from convolens.ops import conv2d
from convolens.zoo import build_network, summarise

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 16, 18, 3), dtype=np.uint8)


SMALL: dict[str, dict[str, Any]] = {
    "compact": {},
    "notes": {},
    "lenet5": {},
    "vgg11": {"width": 4},
    "resnet20": {"width": 4},
    "resnet18": {"width": 4},
    "wide_resnet": {"depth": 10, "width": 1},
    "densenet": {"depth": 10, "growth": 4},
    "mobilenet_v2": {"width": 0.1},
    "convnext": {"width": 8, "depths": [1, 1, 2, 1]},
}


def make_model(architecture: str) -> Model:
    arguments = SMALL[architecture]
    return Model(
        network=build_network(architecture, (16, 18, 3), 4, seed=1, **arguments).eval(),
        architecture=architecture,
        arguments=arguments,
        preprocessing=fit_preprocessing("per_channel", IMAGES),
        classes=("a", "b", "c", "d"),
    )


@pytest.mark.parametrize("architecture", SMALL)
def test_the_first_maps_are_the_filters_laid_on_the_prepared_picture(architecture: str) -> None:
    """The laboratory's convolution and the trained network's agree."""
    model = make_model(architecture)
    first = next(iter(convolution_layers(model).values()))
    bias = None if first.bias is None else first.bias.detach().numpy()
    expected = conv2d(
        model.preprocessing(IMAGES[:1])[0],
        layer_filters(model),
        strides=first.stride[0],
        padding=tuple((side, side) for side in first.padding),
        bias=bias,
    )
    assert feature_maps(model, IMAGES[0]) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("architecture", ["resnet20", "resnet18", "densenet", "mobilenet_v2"])
def test_every_convolution_inside_blocks_is_seen_as_the_summary_says(architecture: str) -> None:
    model = make_model(architecture)
    expected = {
        layer.name: layer.output_shape
        for layer in summarise(model.network, (16, 18, 3)).layers
        if layer.kind == "conv"
    }
    assert set(convolution_layers(model)) == set(expected)
    for name, shape in expected.items():
        assert feature_maps(model, IMAGES[0], name).shape == shape, name
        assert layer_filters(model, name).shape[3] == shape[2], name


def test_a_depthwise_convolution_gives_one_channel_of_filters() -> None:
    model = make_model("mobilenet_v2")
    assert layer_filters(model, "stage2.0.body.depthwise.conv").shape[:3] == (3, 3, 1)


def test_layers_are_named_and_a_wrong_name_is_said() -> None:
    model = make_model("notes")
    assert list(convolution_layers(model)) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert feature_maps(model, IMAGES[0], "conv3").shape == (8, 9, 128)
    with pytest.raises(ConfigError, match="unknown layer 'conv9'; did you mean 'conv"):
        feature_maps(model, IMAGES[0], "conv9")


def test_looking_changes_nothing() -> None:
    model = make_model("compact")
    before = model.predict_proba(IMAGES)
    layer_filters(model)[:] = 0
    feature_maps(model, IMAGES[0])[:] = 0
    assert (model.predict_proba(IMAGES) == before).all()
    assert not model.network.stem._forward_hooks
