"""What the figures of an explanation say, and what its heat maps show."""

import numpy as np
import pytest
import torch
from torch import nn

from convolens import plotting
from convolens.errors import ConfigError
from convolens.explain import Explanation, HeatMaps, explain_picture
from convolens.plotting.heat_pictures import heat_picture, picture_bytes, signed_overlay

PICTURE = np.random.default_rng(0).random((12, 12, 1))


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 9, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(225, 3)
    )
    return explain_picture(network.eval(), PICTURE, methods=("occlusion",))


def test_the_figure_holds_every_part(explanation: Explanation) -> None:
    figure = plotting.plot_explanation(explanation, "noise")
    said = [text.get_text() for text in figure.texts]
    name, share = explanation.top[0]
    assert said[0] == f"noise: {name}, {share:.0%}".replace("%", " %")
    assert "its way through the network" in said
    trace = explanation.trace
    place = f"row {trace.row}, column {trace.column}, channel {trace.channel}"
    assert f"'0' at {place}:" in said
    assert trace.ending in said
    # The picture, its heat map, three bars, and six maps of each of three layers.
    assert len(figure.axes) == 2 + 3 + 3 * 6
    strongest = figure.axes[5].images[0].get_array()
    assert strongest is not None
    np.testing.assert_allclose(strongest, explanation.way[0].maps[:, :, 0])


def test_the_curves_are_those_of_the_map_and_of_chance(explanation: Explanation) -> None:
    found = explanation.faithfulness
    assert found is not None
    for axes, curves, chance in zip(
        plotting.plot_deletion_insertion(found).axes,
        (found.deletion, found.insertion),
        (found.chance_deletion, found.chance_insertion),
        strict=True,
    ):
        *moved, mean, own = [line.get_ydata() for line in axes.lines]
        np.testing.assert_allclose(own, curves[0])
        np.testing.assert_allclose(mean, chance[0].mean(axis=0))
        np.testing.assert_allclose(moved, chance[0])


def test_a_signed_map_is_red_for_and_blue_against(explanation: Explanation) -> None:
    picture = np.full((1, 3, 1), 128, np.uint8)
    against, neither, favour = signed_overlay(picture, np.array([[-2.0, 0.0, 4.0]]))[0]
    assert against[2] > against[0]
    assert favour[0] > favour[2]
    assert len(set(neither.tolist())) == 1
    assert (signed_overlay(picture, np.full((1, 3), np.nan)) == neither).all()


def test_each_heat_map_is_drawn_by_its_kind(explanation: Explanation) -> None:
    occluded: HeatMaps = explanation.heat_maps["occlusion"]
    assert occluded.signed
    drawn = heat_picture(PICTURE, occluded)
    np.testing.assert_array_equal(drawn, signed_overlay(picture_bytes(PICTURE), occluded.values[0]))
    assert (heat_picture(PICTURE, explanation.heat) != drawn).any()


def test_a_picture_of_any_unit_is_shown() -> None:
    assert picture_bytes(np.array([[[-1.0], [3.0]]])).ravel().tolist() == [0, 255]
    assert picture_bytes(np.zeros((2, 2, 5))).shape == (2, 2, 1)
    assert (picture_bytes(np.full((2, 2, 3), np.nan)) == 0).all()


@pytest.mark.parametrize("draw", [plotting.plot_explanation, plotting.plot_deletion_insertion])
def test_something_else_is_refused(draw) -> None:
    with pytest.raises(ConfigError, match="cannot draw a list; give what"):
        draw([])
