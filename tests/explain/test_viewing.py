"""Crop, filter, pool: what a view holds is what the functions give one after another."""

import json

import numpy as np
import pytest

from convolens.errors import ConfigError
from convolens.explain import view_image
from convolens.ops import (
    Pooling,
    SweepFilter,
    avg_pool2d,
    conv2d,
    depthwise_max_pool,
    kernels,
    max_pool2d,
    random_filters,
)

PICTURE = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
BOX = {"rows": (5, 25), "columns": (10, 40)}
PART = (PICTURE[5:25, 10:40] / 255).astype(np.float32)


def named(*names: str) -> list[SweepFilter]:
    return [SweepFilter(name=name, weights=kernels.named(name)) for name in names]


def test_a_picture_alone_has_its_figures_and_nothing_else():
    view = view_image(PICTURE, name="noise")
    assert not view.cropped
    assert view.statistics.mean == pytest.approx(PICTURE.mean(axis=(0, 1)))
    assert view.to_dict()["crop"] is view.to_dict()["pool"] is None
    assert view.to_dict()["maps"] == []
    assert str(view).startswith("noise: shape (30, 40, 3), uint8")


def test_filters_see_the_crop_scaled_to_one():
    view = view_image(PICTURE, filters=named("sobel_x"), paddings=("valid",), **BOX)
    assert view.input == pytest.approx(PART)
    expected = conv2d(PART, kernels.sobel_x(), padding="valid")[:, :, 0]
    np.testing.assert_allclose(view.maps[0].values, expected, atol=1e-6)
    assert view.crop_statistics.mean == pytest.approx(PICTURE[5:25, 10:40].mean(axis=(0, 1)))


@pytest.mark.parametrize(("mode", "function"), [("max", max_pool2d), ("avg", avg_pool2d)])
def test_a_pooling_takes_each_map_or_the_picture_itself(mode, function):
    alone = view_image(PICTURE, pooling=Pooling(mode, 3), **BOX)
    np.testing.assert_allclose(alone.pooled[0].values, function(PART, 3), atol=1e-7)
    assert alone.to_dict()["pool"]["outputs"][0]["of"] == ["picture"]

    view = view_image(PICTURE, filters=named("box", "sobel_y:5"), strides=(1, 2),
                      pooling=Pooling(mode, 2))  # fmt: skip
    assert [made.maps[0] for made in view.pooled] == list(view.maps)
    for made in view.pooled:
        (source,) = made.maps
        np.testing.assert_array_equal(
            made.values, function(source.values[:, :, np.newaxis], 2)[:, :, 0]
        )
    # A window of 2 over maps of a 5x5 filter that steps by 2 sees two more pixels.
    assert [made.receptive_field for made in view.pooled] == [(4, 4), (5, 5), (6, 6), (7, 7)]


def test_depth_wise_pooling_takes_the_largest_of_neighbouring_filters():
    view = view_image(
        PICTURE,
        filters=named("sobel_x", "sobel_y", "box", "emboss"),
        strides=(1, 2),
        pooling=Pooling("depth", 2),
    )
    names = [[made.filter.name for made in pooled.maps] for pooled in view.pooled]
    assert names == [["sobel_x", "sobel_y"]] * 2 + [["box", "emboss"]] * 2
    for pooled in view.pooled:
        stacked = np.stack([made.values for made in pooled.maps], axis=2)
        np.testing.assert_array_equal(pooled.values, depthwise_max_pool(stacked, 2)[:, :, 0])
        assert len({made.stride for made in pooled.maps}) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": Pooling("depth", 2)}, "must divide the 3 channels"),
        ({"pooling": Pooling("max", 31)}, "max pooling 31×31: the window's height of 31 is larger"),
        ({"pooling": Pooling("depth", 2), "filters": named("box", "box:2", "box:4")},
         "takes runs of 2 filters, and there are 3"),
        ({"pooling": Pooling("depth", 2), "filters": named("box", "box:2"), "paddings": ["valid"]},
         "they are 28 x 38, 29 x 39; use padding same"),
        ({"pooling": Pooling("max", 9), "filters": named("box"), "strides": [4]},
         "max pooling 9×9 of box: the window's height"),
        ({"rows": (3, 31)}, r"rows=\(3, 31\) is not a part of the picture's 30 rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(options, message):
    with pytest.raises(ConfigError, match=message) as caught:
        view_image(PICTURE, **options)
    assert "\n" not in str(caught.value)


def test_a_value_taken_apart_is_the_value_in_the_result():
    filtered = view_image(PICTURE, filters=named("gaussian"), strides=(2,), dilations=(2,))
    assert filtered.trace(3, 7).value == pytest.approx(filtered.maps[0].values[3, 7], abs=1e-6)
    pooled = view_image(PICTURE, filters=named("emboss"), pooling=Pooling("avg", 3))
    assert pooled.trace(2, 4).value == pytest.approx(pooled.pooled[0].values[2, 4], abs=1e-6)
    picture = view_image(PICTURE, pooling=Pooling("max", 2))
    assert picture.trace(2, 4, channel=1).value == pytest.approx(picture.pooled[0].values[2, 4, 1])
    layer = view_image(PICTURE, filters=random_filters(1, 3))
    assert max(layer.trace(9, 9).value, 0) == pytest.approx(layer.maps[0].values[9, 9], abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "there is no value to take apart"),
        ({"filters": named("box", "emboss")}, "there are 2 feature maps"),
        ({"pooling": Pooling("depth", 3)}, "no window to take apart; allowed: max:N, avg:N"),
        ({"filters": named("box")}, "row is 30; it must be a whole number from 0 to 29"),
    ],
)
def test_there_must_be_exactly_one_value_to_take_apart(options, message):
    with pytest.raises(ConfigError, match=message):
        view_image(PICTURE, **options).trace(30, 0)


def test_the_dictionary_is_json_and_the_text_has_a_line_for_each_map():
    view = view_image(PICTURE, filters=named("box", "emboss"), paddings=("same", 2),
                      pooling=Pooling("max", 2), **BOX)  # fmt: skip
    copy = json.loads(json.dumps(view.to_dict(), allow_nan=False))
    assert copy["crop"]["rows"] == [5, 25]
    assert [entry["padding"] for entry in copy["maps"]] == ["same", 2, "same", 2]
    assert len(copy["pool"]["outputs"]) == 4
    lines = [line for line in str(view).splitlines() if line.startswith(("box", "emboss"))]
    assert len(lines) == 8
    assert " ".join(lines[0].split()).startswith("box 1 same 1 20 x 30 27 16,200 3 x 3 0.")


def test_values_that_are_not_finite_are_told():
    huge = SweepFilter(name="huge", weights=np.full((2, 2), 3e38, np.float32))
    picture = np.zeros((4, 4, 3), np.uint8)
    assert str(view_image(picture + 255, filters=[huge])).endswith("none finite")
    picture[0, 0] = 255
    assert str(view_image(picture, filters=[huge])).endswith("0 to 0, 1 not finite")
