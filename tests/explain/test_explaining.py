"""One picture explained: every part says what the functions it is made of say."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from heat_networks import CLASSES, PICTURES, VALUES, Awkward, Quadrant, make_model
from torch import nn

from convolens.bundle import Model
from convolens.data import Split, fit_preprocessing
from convolens.errors import ConfigError, ImageError, ModelError
from convolens.explain import (
    METHODS,
    explain_picture,
    feature_maps,
    find_neighbours,
    find_peak,
    grad_cam,
    receptive_field,
    strongest_value,
    trace_value,
)
from convolens.zoo import summarise

FIVE = ("compact", "resnet20", "densenet", "mobilenet_v2", "convnext")
PICTURE = PICTURES[0]


@pytest.mark.parametrize("architecture", FIVE)
def test_every_part_is_what_the_functions_say(architecture: str) -> None:
    model = make_model(architecture)
    found = explain_picture(model, PICTURE)
    probabilities = model.predict_proba(PICTURES[:1])[0]
    np.testing.assert_allclose(found.probabilities, probabilities, rtol=1e-5)
    assert found.top[0][0] == CLASSES[probabilities.argmax()] == CLASSES[found.target]
    assert found.rival == np.argsort(-probabilities)[1]

    trace = found.trace
    place = (trace.row, trace.column, trace.channel)
    assert place == strongest_value(model, PICTURE, trace.layer)
    assert trace.agrees
    assert trace.kind == "convolution"
    assert found.field == receptive_field(model, trace.layer, trace.row, trace.column)

    heat = grad_cam(model, PICTURES[:1], found.target, layer=found.heat.layer)
    np.testing.assert_array_equal(found.heat.values, heat.values)
    assert found.heat.resolutions[0] != (1, 1)

    known = {layer.name: layer for layer in summarise(model.network, model.input_shape).layers}
    for layer in found.layers:
        assert layer.shape == known[layer.name].output_shape[-3:], layer.name
        assert layer.receptive_field == known[layer.name].receptive_field, layer.name


def test_the_way_has_the_strongest_maps_of_the_first_layer_and_the_last_of_each_size() -> None:
    model = make_model("resnet20")
    found = explain_picture(model, PICTURE)
    names = [station.layer.name for station in found.way]
    sizes = [station.layer.shape[:2] for station in found.way]
    assert names[0] == found.layers[0].name
    assert found.trace.layer in names
    assert sizes == sorted(sizes, reverse=True)
    assert set(sizes) == {layer.shape[:2] for layer in found.layers} - {(1, 1)}
    assert names[-1] == found.heat.layer
    assert len(found.way) < found.way_length
    for station in found.way:
        maps = feature_maps(model, PICTURE, station.layer.name)
        largest = maps.max(axis=(0, 1))
        assert list(station.channels) == np.argsort(-largest, kind="stable")[:16].tolist()
        np.testing.assert_array_equal(station.maps, maps[:, :, list(station.channels)])


def test_a_layer_before_its_normalisation_is_no_place_for_a_heat_map() -> None:
    """The convolution puts out nothing above 0; what follows makes of that what is looked at."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3, bias=True), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(75, 2)
    ).eval()
    network[0].bias.data[:] = -9.0
    network[1].running_mean[:] = -9.0
    network[4].weight.data.abs_()
    picture = np.random.default_rng(0).normal(size=(7, 7, 1))
    assert not grad_cam(network, picture[None], layer="0").values.any()
    assert grad_cam(network, picture[None]).values.any()
    for layer in (None, "0"):
        found = explain_picture(network, picture, layer)
        assert found.heat.layer == "2"
        assert found.peak is not None
        assert "is strongest at row" in str(found)


def test_what_a_network_looks_at_is_believed_and_other_places_are_not() -> None:
    picture = np.random.default_rng(0).uniform(0.2, 1.0, (16, 16, 1))
    found = explain_picture(Quadrant(), picture, target=1)
    assert found.peak is not None
    assert max(found.peak.row, found.peak.column) < 9
    assert found.believable
    assert "what counts for the network can be believed: it is better than" in str(found)
    blind = explain_picture(Quadrant(), picture, target=0)
    assert blind.peak is None
    assert blind.believable is None
    assert "Nothing in layer 'bend'" in str(blind)
    assert blind.to_dict()["heat_map"]["deletion"] is None


@pytest.mark.parametrize("layer", ["conv1a", "pool1", "mean"])
def test_the_layer_and_the_value_are_those_asked_for(layer: str) -> None:
    model = make_model("compact")
    found = explain_picture(model, PICTURE, layer, at=(0, 0, 3))
    expected = trace_value(model, PICTURE, layer, 0, 0, 3)
    assert found.trace.to_dict() == expected.to_dict()
    assert found.layer.name == layer
    assert (found.field is None) == (layer == "mean")


def test_where_no_channel_is_named_the_largest_of_that_place_is_taken() -> None:
    model = make_model("compact")
    found = explain_picture(model, PICTURE, "conv1a", at=(2, 1))
    values = feature_maps(model, PICTURE, "conv1a")[2, 1]
    assert (found.trace.row, found.trace.column) == (2, 1)
    assert found.trace.channel == values.argmax()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layer": "conv1x"}, "unknown convolution or pooling layer 'conv1x'; did you mean 'conv1"),
        ({"layer": "act1a"}, "'act1a' is a ReLU; allowed is a convolution or pooling layer"),
        ({"at": (99, 0)}, "row of layer 'conv1b' is 99; allowed: a whole number from 0 to"),
        ({"at": (0, -1)}, "column of layer 'conv1b' is -1"),
        ({"at": (0, 0, 999)}, "channel of layer 'conv1b' is 999"),
        ({"at": (0,)}, r"at is \(0,\); allowed: \(row, column\) or"),
        ({"target": "bags"}, "unknown class 'bags'; did you mean 'bag'"),
        ({"target": 4}, "target is 4; allowed: the number of a class, 0 to 3"),
        ({"methods": ("gradcam",)}, "unknown method 'gradcam'; allowed: layer_cam"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        explain_picture(make_model("compact"), PICTURE, **settings)


def test_other_wrong_input_is_refused() -> None:
    model = make_model("compact")
    with pytest.raises(ImageError, match="nowhere"):
        explain_picture(model, "nowhere.png")
    with pytest.raises(ModelError, match="no thresholds"):
        explain_picture(model, PICTURE, risk=0.1)
    with pytest.raises(ConfigError, match="a bare network has no thresholds"):
        explain_picture(model.network, VALUES[0], risk=0.1)
    with pytest.raises(ConfigError, match="target is 4; allowed: 0 to 3"):
        explain_picture(model.network, VALUES[0], target=4)
    dense = nn.Sequential(nn.Flatten(), nn.Linear(768, 4))
    with pytest.raises(ConfigError, match="no layer that the picture passes is one whose"):
        explain_picture(dense, VALUES[0])


def test_any_network_of_the_users_own() -> None:
    network = Awkward()
    before = network.training
    found = explain_picture(network, VALUES[0], methods=METHODS)
    assert found.trace.layer != "ignored"
    assert found.heat_maps.keys() == {"grad_cam", *METHODS}
    assert found.classes == ("class 0", "class 1", "class 2", "class 3")
    assert "class " in str(found)
    assert network.training == before
    assert not any(module._forward_hooks for module in network.modules())


def test_everything_is_json_and_text() -> None:
    found = explain_picture(make_model("compact", mirrored=True), PICTURE, target="coat")
    said = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert said["target"] == "coat"
    assert said["target_probability"] == pytest.approx(float(found.probabilities[2]))
    assert [layer["name"] for layer in said["layers"]] == [layer.name for layer in found.layers]
    assert said["trace"]["layer"] == found.trace.layer
    assert str(found.trace) in str(found)
    assert found.unknown is found.unsure is found.familiarity is None


def test_many_layers_are_cut_in_text_alone() -> None:
    found = explain_picture(make_model("resnet56"), PICTURE)
    able = [layer for layer in found.layers if layer.traceable]
    text = str(found).partition("Layer ")[0]
    listed = [layer for layer in able if f"\n{layer.name} " in text]
    assert f"and {len(able) - len(listed)} more convolutions and poolings" in text
    assert {layer.shape for layer in listed} == {layer.shape for layer in able}


def test_what_has_the_same_features_is_another_picture() -> None:
    """Of one feature, above 0: every cosine is 1."""
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))
    pictures = np.random.default_rng(0).integers(1, 256, (4, 6, 6, 1), dtype=np.uint8)
    model = Model(
        network=network.eval(),
        architecture="of a test",
        preprocessing=fit_preprocessing("scale", pictures),
        classes=("a", "b"),
    )
    split = Split(pictures, np.zeros(4, np.int64), None)
    found = find_neighbours(model, pictures[2], split, model.classes, 4)
    assert [each.similarity for each in found] == pytest.approx([1] * 4)
    assert {each.name for each in found if each.same} == {"picture 2"}


def test_a_picture_among_those_searched_is_its_own_nearest() -> None:
    model = make_model("compact")
    labels = np.array([0, 1, 2, 3, 0])
    split = Split(PICTURES, labels, ("a.png", "b.png", "c.png", "d.png", "e.png"))
    found = find_neighbours(model, PICTURES[3], split, CLASSES, 2)
    assert found[0].name == "d.png"
    assert found[0].label == CLASSES[3]
    assert found[0].similarity == pytest.approx(1)
    np.testing.assert_array_equal(found[0].picture, PICTURES[3])
    assert [each.same for each in found] == [True, False]
    unnamed = find_neighbours(model, PICTURES[3], Split(PICTURES, labels, None), CLASSES, 1)
    assert unnamed[0].name == "picture 3"
    with pytest.raises(ConfigError, match="k is 6; allowed: a whole number from 1 to 5"):
        find_neighbours(model, PICTURES[3], split, CLASSES, 6)


def test_a_peak_is_where_a_map_is_highest_and_knows_how_wide_it_is() -> None:
    heat = np.full((9, 9), np.nan)
    heat[2:5, 6:] = 1.0
    heat[3, 8] = 1.5
    heat[0, 0] = 1.4  # as high, but apart
    peak = find_peak(heat)
    assert peak is not None
    assert (peak.row, peak.column, peak.rows, peak.columns) == (3, 8, (2, 4), (6, 8))
    assert find_peak(-np.ones((3, 3))) is None
