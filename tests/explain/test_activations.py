import numpy as np
import pytest

from convolens.bundle import Model
from convolens.data import fit_preprocessing
from convolens.errors import ConfigError
from convolens.explain import convolution_layers, feature_maps, layer_filters
from convolens.ops import conv2d
from convolens.zoo import ARCHITECTURES, build_network

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 16, 18, 3), dtype=np.uint8)


def make_model(architecture: str) -> Model:
    return Model(
        network=build_network(architecture, (16, 18, 3), 4, seed=1).eval(),
        architecture=architecture,
        preprocessing=fit_preprocessing("per_channel", IMAGES),
        classes=("a", "b", "c", "d"),
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_first_maps_are_the_filters_laid_on_the_prepared_picture(architecture: str) -> None:
    """The laboratory's convolution and the trained network's agree."""
    model = make_model(architecture)
    first = next(iter(convolution_layers(model).values()))
    bias = None if first.bias is None else first.bias.detach().numpy()
    expected = conv2d(
        model.preprocessing(IMAGES[:1])[0],
        layer_filters(model),
        strides=first.stride[0],
        padding=first.padding[0],
        bias=bias,
    )
    assert feature_maps(model, IMAGES[0]) == pytest.approx(expected, abs=1e-4)


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
