import numpy as np
import pytest
import torch
from small_networks import IMAGES, SMALL, Residual, make_model
from torch import nn

from convolens.errors import ConfigError, ModelError
from convolens.explain import convolution_layers, feature_maps, layer_filters
from convolens.ops import conv2d
from convolens.zoo import summarise


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


@pytest.mark.parametrize("architecture", ["compact", "resnet20", "convnext"])
def test_any_layer_with_maps_is_seen(architecture: str) -> None:
    """Poolings, normalisations, activations: all that the summary counts rows and columns of."""
    model = make_model(architecture)
    layers = summarise(model.network, (16, 18, 3)).layers
    seen = {layer.kind for layer in layers if layer.output_shape[:2] != (1, 1)}
    for kind in seen:
        layer = next(layer for layer in layers if layer.kind == kind)
        assert feature_maps(model, IMAGES[0], layer.name).shape == layer.output_shape, layer.name
    assert seen >= {"conv", "activation"}


def test_a_block_is_seen_as_its_last_layer() -> None:
    model = make_model("resnet20")
    block = feature_maps(model, IMAGES[0], "stage2.0")
    assert (block == feature_maps(model, IMAGES[0], "stage2.0.act")).all()


def test_a_bare_network_is_looked_into_before_its_rectifier_works_in_place() -> None:
    network = Residual().eval()
    network.norm1.bias.data.fill_(-0.2)
    picture = np.random.default_rng(0).random((8, 9, 3))
    before = feature_maps(network, picture, "norm1")
    assert before.shape == (8, 9, 4)
    assert (before < 0).any()
    x = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None]
    expected = network.norm1(network.early(x))[0].permute(1, 2, 0).detach().numpy()
    assert before == pytest.approx(expected, abs=1e-6)
    assert layer_filters(network, "late").shape == (3, 3, 4, 4)
    with pytest.raises(ConfigError, match=r"one picture as an array .* got shape \(1, 8, 9, 3\)"):
        feature_maps(network, picture[None])
    with pytest.raises(ConfigError, match=r"floating point.* of int64"):
        feature_maps(network, np.ones((8, 8, 3), int))


def test_what_has_no_maps_is_said() -> None:
    model = make_model("compact")
    with pytest.raises(ConfigError, match=r"'logits' \(Linear\) puts out 4 values for a picture"):
        feature_maps(model, IMAGES[0], "logits")
    with pytest.raises(ConfigError, match="unknown layer 'pool11'; did you mean 'pool1'"):
        feature_maps(model, IMAGES[0], "pool11")
    with pytest.raises(ModelError, match=r"the network \(Sequential\) has no convolution"):
        feature_maps(nn.Sequential(nn.Flatten()), np.ones((2, 2, 1)))
