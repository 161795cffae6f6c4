import numpy as np
import pytest

from convolens.errors import ConfigError
from convolens.ops import Conv2D, conv2d


@pytest.fixture
def images():
    return np.random.default_rng(0).random((2, 9, 8, 3))


def test_the_layer_of_the_notes(images):
    layer = Conv2D(filters=32, kernel_size=3, strides=1, padding="SAME", activation="relu", seed=3)
    maps = layer(images)
    expected = conv2d(images, layer.weights(3), padding="same").clip(min=0)
    np.testing.assert_allclose(maps, expected, rtol=1e-12)
    assert maps.dtype == np.float64
    assert (maps == 0).any()


def test_weights_are_uniform_within_the_limit_of_glorot():
    weights = Conv2D(filters=64, kernel_size=(3, 5), dtype="float64").weights(16)
    limit = np.sqrt(6 / (3 * 5 * 16 + 3 * 5 * 64))
    assert np.abs(weights).max() <= limit
    assert np.abs(weights).max() > 0.999 * limit
    # standard error of the variance of 15,360 uniform values: 0.7 %
    assert weights.var() == pytest.approx(limit**2 / 3, rel=0.03)
    assert abs(weights.mean()) < 0.03 * limit


def test_weights_are_a_pure_function_of_the_seed():
    first, second = Conv2D(seed=5), Conv2D(seed=5)
    first.weights(3)
    np.testing.assert_array_equal(first.weights(3), second.weights(3))
    assert not np.array_equal(first.weights(3), Conv2D(seed=6).weights(3))
    double = Conv2D(seed=5, dtype="float64").weights(3)
    np.testing.assert_array_equal(double.astype(np.float32), first.weights(3))


@pytest.mark.parametrize(
    ("dtype", "given", "result"),
    [
        (None, "float32", "float32"),
        (None, "float64", "float64"),
        (None, "uint8", "float32"),
        ("float64", "float32", "float64"),
        ("float32", "float64", "float32"),
    ],
)
def test_the_dtype_is_that_of_the_layer_else_that_of_the_pictures(images, dtype, given, result):
    assert Conv2D(filters=2, dtype=dtype)((images * 255).astype(given)).dtype == result


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("linear", lambda x: x),
        (None, lambda x: x),
        ("tanh", np.tanh),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
    ],
)
def test_activations(images, activation, function):
    layer = Conv2D(filters=4, activation=activation)
    before = conv2d(images, layer.weights(3), padding="same")
    np.testing.assert_allclose(layer(images), function(before), atol=1e-12)


def test_a_picture_alone_is_the_same_as_in_a_batch(images):
    layer = Conv2D(filters=4)
    assert layer(images[0]).shape == (9, 8, 4)
    np.testing.assert_allclose(layer(images[0]), layer(images)[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filters": 0}, "filters is 0"),
        ({"kernel_size": (3, 0)}, "kernel_size is 0"),
        ({"strides": 0}, "strides is 0"),
        ({"padding": "some"}, "padding is 'some'"),
        ({"activation": "rellu"}, "unknown activation 'rellu'; did you mean 'relu'"),
        ({"seed": -1}, "seed is -1"),
        ({"dtype": "float16"}, "dtype is 'float16'"),
    ],
)
def test_settings_are_checked_where_they_are_made(settings, message):
    with pytest.raises(ConfigError, match=message):
        Conv2D(**settings)
