import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from convolens.data import Preprocessing, fit_preprocessing
from convolens.errors import ConfigError, DataError, ImageError

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (50, 6, 5, 3), dtype=np.uint8)
batches_of_pictures = hnp.arrays(
    np.uint8, st.tuples(*[st.integers(1, 6)] * 3, st.sampled_from([1, 3]))
)


@given(batches_of_pictures)
def test_per_pixel_is_the_arithmetic_of_the_notes(images):
    fitted = fit_preprocessing("per_pixel", images)
    mean = images.mean(axis=0, keepdims=True)
    std = images.std(axis=0, keepdims=True)
    np.testing.assert_allclose(fitted.mean, mean[0], rtol=1e-14)
    np.testing.assert_allclose(fitted.std, std[0], rtol=1e-12, atol=1e-12)
    wanted = np.where(std > 1e-9, (images - mean) / (std + 1e-7), images - mean)
    np.testing.assert_allclose(fitted(images), wanted, rtol=1e-6, atol=1e-6)


@given(batches_of_pictures)
def test_per_channel_leaves_each_channel_centred_with_unit_spread(images):
    fitted = fit_preprocessing("per_channel", images)
    prepared = fitted(images).astype(np.float64)
    np.testing.assert_allclose(prepared.mean(axis=(0, 1, 2)), 0, atol=2e-5)
    spread = images.std(axis=(0, 1, 2))
    np.testing.assert_allclose(prepared.std(axis=(0, 1, 2)), np.where(spread > 0, 1, 0), atol=1e-5)


def test_scaling_is_the_division_of_the_notes():
    prepared = fit_preprocessing("scale", IMAGES)(IMAGES)
    np.testing.assert_array_equal(prepared, (IMAGES / 255.0).astype(np.float32))


def test_a_pixel_that_never_changed_is_only_centred():
    images = np.full((1000, 1, 1, 1), 77, np.uint8)
    for kind in ("per_pixel", "per_channel"):
        fitted = fit_preprocessing(kind, images)
        assert fitted.std.item() == 0  # exactly, whatever the sums
        assert fitted(np.full((1, 1, 1, 1), 79, np.uint8)).item() == 2


def test_statistics_do_not_depend_on_how_the_pictures_are_cut():
    many = RNG.integers(0, 256, (90, 240, 200, 1), dtype=np.uint8)  # above one chunk
    fitted = fit_preprocessing("per_pixel", many)
    np.testing.assert_allclose(fitted.mean, many.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(fitted.std, many.std(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(fitted(many)[88:], fitted(many[88:]))


def test_a_picture_is_prepared_alike_alone_and_among_others():
    for kind in ("scale", "per_pixel", "per_channel"):
        fitted = fit_preprocessing(kind, IMAGES)
        np.testing.assert_array_equal(fitted(IMAGES)[7:8], fitted(IMAGES[7:8]))


def test_pictures_of_any_sort_go_the_same_way(tmp_path):
    fitted = fit_preprocessing("per_pixel", IMAGES)
    image = IMAGES[4]
    Image.fromarray(image).save(tmp_path / "four.png")
    sources = [
        image,
        Image.fromarray(image),
        tmp_path / "four.png",
        str(tmp_path / "four.png"),
        image / 255,
    ]
    prepared = fitted.prepare(sources)
    for row in prepared:
        np.testing.assert_array_equal(row, fitted(IMAGES[4:5])[0])
    np.testing.assert_array_equal(fitted.prepare(IMAGES), fitted(IMAGES))
    assert fitted.prepare([]).shape == (0, 6, 5, 3)


def test_other_sizes_and_modes_are_made_to_fit_by_the_stored_policy():
    wide = Image.new("L", (40, 6), 255)
    padded = fit_preprocessing("scale", IMAGES).prepare([wide])
    stretched = fit_preprocessing("scale", IMAGES, fit="stretch").prepare([wide])
    assert padded.shape == stretched.shape == (1, 6, 5, 3)
    assert padded[0, 0, 0, 0] == 0
    assert (stretched == 1).all()


def test_the_picture_that_cannot_be_read_is_named(tmp_path):
    fitted = fit_preprocessing("scale", IMAGES)
    with pytest.raises(ImageError, match=r"picture 2: there is no file 'gone\.png'"):
        fitted.prepare([IMAGES[0], "gone.png"])


@pytest.mark.parametrize("single", ["four.png", b"bytes", IMAGES[0], Image.new("L", (3, 3)), 7])
def test_a_single_picture_is_refused_instead_of_misread(single):
    with pytest.raises(ConfigError, match="put a single one in brackets"):
        fit_preprocessing("scale", IMAGES).prepare(single)


@pytest.mark.parametrize("bad", [IMAGES[0], IMAGES[:, :5], IMAGES.astype(np.float32)])
def test_a_call_takes_exactly_its_shape(bad):
    with pytest.raises(ConfigError, match=r"allowed: \(n, 6, 5, 3\) uint8; prepare\(\) takes any"):
        fit_preprocessing("scale", IMAGES)(bad)


@pytest.mark.parametrize("kind", ["scale", "per_pixel", "per_channel"])
def test_the_way_to_disk_and_back_changes_no_bit(kind):
    fitted = fit_preprocessing(kind, IMAGES, fit="crop")
    mapping = json.loads(json.dumps(fitted.to_dict()))
    tensors = {
        name: np.frombuffer(t.tobytes()).reshape(t.shape) for name, t in fitted.tensors().items()
    }
    back = Preprocessing.from_parts(mapping, tensors)
    assert back.to_dict() == fitted.to_dict()
    np.testing.assert_array_equal(back(IMAGES), fitted(IMAGES))
    for name, tensor in fitted.tensors().items():
        assert tensor.dtype == np.float64
        assert back.tensors()[name].tobytes() == tensor.tobytes()


MAPPING = {"kind": "per_channel", "shape": [6, 5, 3], "fit": "pad", "tensors": ["mean", "std"]}
TENSORS = {"mean": np.full(3, 5.0), "std": np.ones(3)}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kind": "per_pixle"}, "unknown preprocessing 'per_pixle'; did you mean 'per_pixel'"),
        ({"fit": "squeeze"}, "unknown fit policy 'squeeze'"),
        ({"shape": [6, 5]}, "shape"),
        ({"shape": [6, 0, 3]}, "width is 0"),
        ({"shape": "6x5x3"}, "shape"),
        ({"extra": 1}, "unknown key 'extra'"),
    ],
)
def test_a_damaged_description_is_refused(change, text):
    with pytest.raises(ConfigError, match=text):
        Preprocessing.from_parts(MAPPING | change, TENSORS)


def test_a_description_that_lacks_something_is_refused():
    for key in MAPPING:
        rest = {name: value for name, value in MAPPING.items() if name != key}
        with pytest.raises(ConfigError, match=key):
            Preprocessing.from_parts(rest, TENSORS)


@pytest.mark.parametrize(
    ("tensors", "text"),
    [
        ({}, r"names the tensors \['mean', 'std'\] but has \[\]"),
        ({"mean": TENSORS["mean"]}, "names the tensors"),
        (TENSORS | {"max": TENSORS["mean"]}, "names the tensors"),
        (TENSORS | {"mean": np.zeros(1)}, r"mean has shape \(1,\)"),
        (TENSORS | {"mean": np.zeros(3, np.float32)}, "dtype float32; should be .* float64"),
        (TENSORS | {"std": np.array([1, np.nan, 1])}, "std is from nan"),
        (TENSORS | {"std": np.array([1.0, -1, 1])}, "std is from -1 to 1; allowed: 0..255"),
        (TENSORS | {"mean": np.array([0.0, 0, np.inf])}, "mean is from 0 to inf"),
    ],
)
def test_damaged_statistics_are_refused(tensors, text):
    with pytest.raises(DataError, match=text):
        Preprocessing.from_parts(MAPPING, tensors)


def test_statistics_must_belong_to_the_kind():
    with pytest.raises(DataError, match="scale preprocessing needs no statistics"):
        Preprocessing("scale", (6, 5, 3), np.zeros(3), np.ones(3))
    with pytest.raises(DataError, match="per_pixel preprocessing needs mean and std"):
        Preprocessing("per_pixel", (6, 5, 3))
    scale = {"kind": "scale", "shape": [6, 5, 3], "fit": "pad", "tensors": ["mean"]}
    with pytest.raises(DataError, match="scale preprocessing needs no statistics"):
        Preprocessing.from_parts(scale, {"mean": np.zeros(3)})
    with pytest.raises(DataError, match=r"unknown tensors \['max'\]"):
        Preprocessing.from_parts(scale | {"tensors": ["max"]}, {"max": np.zeros(3)})


@pytest.mark.parametrize("bad", [IMAGES[0], IMAGES / 255, IMAGES[:0]])
def test_only_whole_pictures_can_be_learnt_from(bad):
    with pytest.raises(ConfigError, match=r"allowed: \(n, height, width, channels\) uint8"):
        fit_preprocessing("scale", bad)
