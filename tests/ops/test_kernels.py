import numpy as np
import pytest

from convolens.errors import ConfigError
from convolens.ops import conv2d, kernels

EDGES = ["sobel", "prewitt", "scharr"]
SYMMETRIC = ["identity", "box", "gaussian", "sharpen", "laplacian", "laplacian_of_gaussian"]


@pytest.mark.parametrize("name", kernels.KERNELS)
def test_every_named_kernel_is_a_fresh_finite_float32_square(name):
    kernel = kernels.named(name)
    size = kernels.KERNELS[name].size
    assert kernel.shape == (size, size)
    assert kernel.dtype == np.float32
    assert kernel.flags.c_contiguous
    assert np.isfinite(kernel).all()
    kernel[:] = 9
    assert not np.array_equal(kernels.named(name), kernel)


@pytest.mark.parametrize("name", ["box", "gaussian", "identity", "sharpen", "emboss"])
def test_smoothing_and_sharpening_keep_the_brightness_of_an_even_picture(name):
    assert kernels.named(name).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", [f"{edge}_{axis}" for edge in EDGES for axis in "xy"])
def test_edge_kernels_answer_to_slopes_in_their_own_direction_alone(name):
    rightwards = np.tile(np.arange(9.0), (9, 1))[:, :, np.newaxis]
    downwards = rightwards.transpose(1, 0, 2)
    along, across = (rightwards, downwards) if name.endswith("_x") else (downwards, rightwards)
    assert (conv2d(along, kernels.named(name)) > 0).all()
    np.testing.assert_allclose(conv2d(across, kernels.named(name)), 0, atol=1e-12)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_kernels_without_a_direction_are_the_same_when_turned(name):
    kernel = kernels.named(name)
    np.testing.assert_allclose(np.rot90(kernel), kernel, atol=1e-7)


@pytest.mark.parametrize(
    "name", ["laplacian", "laplacian_of_gaussian:9", "laplacian_of_gaussian:3"]
)
def test_laplacians_ignore_even_slopes_and_see_curvature(name):
    x = np.arange(20.0)
    slope = np.add.outer(3 * x, 2 * x)[:, :, np.newaxis]
    bowl = np.add.outer((x - 10) ** 2, (x - 10) ** 2)[:, :, np.newaxis]
    np.testing.assert_allclose(conv2d(slope, kernels.named(name)), 0, atol=1e-4)
    assert (conv2d(bowl, kernels.named(name)) > 0).all()


def test_larger_sobel_kernels_are_those_of_opencv():
    # cv2.getDerivKernels(1, 0, 5): smoothing 1 4 6 4 1, derivative -1 -2 0 2 1
    np.testing.assert_array_equal(kernels.sobel_x(5), np.outer([1, 4, 6, 4, 1], [-1, -2, 0, 2, 1]))


@pytest.mark.parametrize("orientation", [0, 30, 45, 90, 135])
def test_a_gabor_kernel_answers_most_to_stripes_of_its_own_direction(orientation):
    y, x = np.mgrid[:31, :31].astype(float)
    kernel = kernels.gabor(15, wavelength=6, orientation=orientation)
    energies = {}
    for angle in (0, 30, 45, 90, 135):
        phase = 2 * np.pi / 6 * (x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle)))
        energies[angle] = np.abs(conv2d(np.cos(phase)[:, :, np.newaxis], kernel)).max()
    assert max(energies, key=energies.get) == orientation


def test_the_named_gabors_are_described_as_a_person_sees_them():
    rising = np.fliplr(np.eye(31))[:, :, np.newaxis]  # a line from lower left to upper right
    answers = {
        name: conv2d(rising, kernels.named(name)).max() for name in ("gabor_45", "gabor_135")
    }
    assert "rise" in kernels.KERNELS["gabor_45"].description
    assert answers["gabor_45"] > 2 * answers["gabor_135"]


def test_a_gabor_bank_turns_one_kernel():
    bank = kernels.gabor_bank(9, orientations=4)
    np.testing.assert_allclose(bank[2], bank[0].T, atol=1e-6)
    np.testing.assert_allclose(bank[3], np.fliplr(bank[1]), atol=1e-6)


def test_names_carry_sizes():
    np.testing.assert_array_equal(kernels.named("vertical_line:9"), kernels.vertical_line(9))
    np.testing.assert_array_equal(kernels.named("box", 4), kernels.box(4))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sobell_x", "unknown kernel 'sobell_x'; did you mean 'sobel_x'"),
        ("", "unknown kernel ''; allowed: vertical_line"),
        ("sobel_x:", "'' is not a size; write sobel_x:9"),
        ("sobel_x:-3", "'-3' is not a size"),
        ("sobel_x:\u0663", "is not a size"),
        ("sobel_x:4", "kernel 'sobel_x': size is 4; it must be odd and at least 3"),
        ("sobel_x:1", "size is 1; it must be odd and at least 3"),
        ("scharr_x:5", "size is 5; scharr_x is defined for size 3 alone"),
        ("box:0", "size is 0"),
        ("box:99999999", "size is 99999999; a kernel may have at most 255 rows"),
    ],
)
def test_names_that_mean_nothing_are_refused(name, message):
    with pytest.raises(ConfigError, match=message):
        kernels.named(name)


def test_a_size_is_given_once():
    with pytest.raises(ConfigError, match="give one of the two"):
        kernels.named("box:3", 5)


@pytest.mark.parametrize("arguments", [{"sigma": 0}, {"sigma": float("nan")}, {"sigma": "1"}])
def test_spreads_must_be_positive_numbers(arguments):
    for function in (kernels.gaussian, kernels.laplacian_of_gaussian, kernels.gabor):
        with pytest.raises(ConfigError, match="it must be a positive number"):
            function(5, **arguments)


def test_stacked_kernels_give_what_each_gives_alone():
    picture = np.random.default_rng(0).random((12, 14, 3))
    several = [kernels.vertical_line(7), kernels.box(2), kernels.box(4), [[-1.0, 0, 1]]]
    maps = conv2d(picture, kernels.stack(several, channels=3), padding="same")
    for i, kernel in enumerate(several):
        alone = conv2d(picture, kernel, padding="same")
        np.testing.assert_allclose(maps[:, :, i : i + 1], alone, atol=1e-12)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "kernels is empty"),
        ([np.zeros((2, 2, 1))], r"a kernel has shape \(2, 2, 1\)"),
        ([np.zeros((0, 2))], r"a kernel has shape \(0, 2\)"),
        ([[["a"]]], "kernels has dtype <U1"),
    ],
)
def test_only_kernels_can_be_stacked(given, message):
    with pytest.raises(ConfigError, match=message):
        kernels.stack(given, 3)
