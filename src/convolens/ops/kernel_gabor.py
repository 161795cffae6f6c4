"""Gabor kernels: a wave under a bell, as cells in the visual cortex answer."""

import numpy as np

from convolens.ops.arrays import Array
from convolens.ops.kernel_shapes import any_size, positive
from convolens.ops.padding import whole_number

# Spread of the bell over the wave's length that gives a bandwidth of one octave.
ONE_OCTAVE = 0.56


def gabor(
    size: int = 15,
    wavelength: float | None = None,
    orientation: float = 0.0,
    *,
    phase: float = 0.0,
    sigma: float | None = None,
    aspect: float = 0.5,
) -> Array:
    """A wave under a bell: answers to stripes of one direction and one width.

    Args:
        size: height and width, any.
        wavelength: length of the wave in pixels; a third of the size if None.
        orientation: direction in which the wave runs, in degrees from rightwards, turning clockwise
            as one sees the picture. 0 answers to vertical stripes, 90 to horizontal ones.
        phase: shift of the wave in degrees: 0 for a bright line in the middle, 90 for an edge.
        sigma: standard deviation of the bell along the wave, in pixels; 0.56 wavelengths if None.
        aspect: spread along the wave over spread across it; below 1, the bell is long as the
            stripes are.

    Returns:
        (size, size), float32, values from -1 to 1. It is not normalised and need not sum to 0.

    Raises:
        ConfigError: a size, length or spread that is not positive.

    Source: Kruizinga and Petkov (1999), "Nonlinear operator for oriented texture",
    https://doi.org/10.1109/83.791965; Daugman (1985).

    >>> kernel = gabor(7, wavelength=4, orientation=90)
    >>> float(kernel[3, 3]), bool(kernel[1, 3] < -0.5), bool(kernel[3, 1] > 0.5)
    (1.0, True, True)
    """
    size = any_size(size)
    wavelength = size / 3 if wavelength is None else positive("wavelength", wavelength)
    sigma = ONE_OCTAVE * wavelength if sigma is None else positive("sigma", sigma)
    aspect = positive("aspect", aspect)
    angle = np.deg2rad(orientation)
    places = np.arange(size) - (size - 1) / 2
    y, x = places[:, np.newaxis], places
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    bell = np.exp(-(along**2 + (aspect * across) ** 2) / (2 * sigma**2))
    wave = np.cos(2 * np.pi * along / wavelength + np.deg2rad(phase))
    return (bell * wave).astype(np.float32)


def gabor_bank(
    size: int = 15,
    orientations: int = 8,
    wavelength: float | None = None,
    *,
    phase: float = 0.0,
    sigma: float | None = None,
    aspect: float = 0.5,
) -> tuple[Array, ...]:
    """Gabor kernels of evenly spread orientations, from 0 up to but not including 180 degrees.

    Args:
        size: as for ``gabor``.
        orientations: how many.
        wavelength: as for ``gabor``.
        phase: as for ``gabor``.
        sigma: as for ``gabor``.
        aspect: as for ``gabor``.

    Returns:
        ``orientations`` arrays of (size, size), float32.

    Raises:
        ConfigError: as ``gabor``.

    Source: as ``gabor``.

    >>> len(gabor_bank(orientations=4))
    4
    """
    count = whole_number("orientations", orientations)
    return tuple(
        gabor(size, wavelength, 180 * i / count, phase=phase, sigma=sigma, aspect=aspect)
        for i in range(count)
    )
