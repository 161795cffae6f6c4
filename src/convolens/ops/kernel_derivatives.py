"""Kernels that find edges: first derivatives (Sobel, Prewitt, Scharr) and second (Laplacian).

Every function returns a new (size, size) float32 array that sums to 0. A kernel named ``_x`` is
positive where brightness grows to the right, so it answers to vertical edges; one named ``_y`` is
positive where brightness grows downwards, so it answers to horizontal edges. ``conv2d`` lays a
kernel on the picture as it is, without flipping it, and these signs are for that.
"""

import numpy as np

from convolens.ops.arrays import Array
from convolens.ops.kernel_shapes import centred, odd_size, only_size, sigma_of


def sobel_x(size: int = 3) -> Array:
    """Slope to the right, smoothed downwards by a binomial: answers to vertical edges.

    Args:
        size: height and width, odd and at least 3. Larger ones are binomial smoothing times the
            derivative of a binomial, as OpenCV's ``getDerivKernels`` makes them.

    Source: Sobel and Feldman (1968), told in Duda and Hart (1973), "Pattern Classification and
    Scene Analysis", p. 271; larger sizes: Danielsson and Seger (1990), "Generalized and separable
    Sobel operators".

    >>> sobel_x()
    array([[-1.,  0.,  1.],
           [-2.,  0.,  2.],
           [-1.,  0.,  1.]], dtype=float32)
    """
    size = odd_size(size, minimum=3)
    return _separable(_binomial(size), np.convolve(_binomial(size - 2), [-1, 0, 1]))


def sobel_y(size: int = 3) -> Array:
    """Slope downwards, smoothed to the right by a binomial: answers to horizontal edges.

    Args:
        size: as for ``sobel_x``.

    Source: as ``sobel_x``.

    >>> sobel_y()[0]
    array([-1., -2., -1.], dtype=float32)
    """
    return np.ascontiguousarray(sobel_x(size).T)


def prewitt_x(size: int = 3) -> Array:
    """Slope to the right of the plane that fits the window best: answers to vertical edges.

    Args:
        size: height and width, odd and at least 3.

    Source: Prewitt (1970), "Object Enhancement and Extraction", in Picture Processing and
    Psychopictorics; larger sizes are the same least-squares slope, unscaled.

    >>> prewitt_x()
    array([[-1.,  0.,  1.],
           [-1.,  0.,  1.],
           [-1.,  0.,  1.]], dtype=float32)
    """
    size = odd_size(size, minimum=3)
    return _separable(np.ones(size), centred(size))


def prewitt_y(size: int = 3) -> Array:
    """Slope downwards of the plane that fits the window best: answers to horizontal edges.

    Args:
        size: as for ``prewitt_x``.

    Source: as ``prewitt_x``.

    >>> prewitt_y()[0]
    array([-1., -1., -1.], dtype=float32)
    """
    return np.ascontiguousarray(prewitt_x(size).T)


def scharr_x(size: int = 3) -> Array:
    """Slope to the right, nearly alike for edges of every direction: answers to vertical edges.

    Args:
        size: 3, the only size it is defined for.

    Source: Scharr (2000), "Optimale Operatoren in der Digitalen Bildverarbeitung", doctoral thesis,
    Heidelberg, https://doi.org/10.11588/heidok.00000962.

    >>> scharr_x()
    array([[ -3.,   0.,   3.],
           [-10.,   0.,  10.],
           [ -3.,   0.,   3.]], dtype=float32)
    """
    only_size("scharr_x", size)
    return _separable(np.array([3, 10, 3]), np.array([-1, 0, 1]))


def scharr_y(size: int = 3) -> Array:
    """Slope downwards, nearly alike for edges of every direction: answers to horizontal edges.

    Args:
        size: 3, the only size it is defined for.

    Source: as ``scharr_x``.

    >>> scharr_y()[0]
    array([ -3., -10.,  -3.], dtype=float32)
    """
    only_size("scharr_y", size)
    return np.ascontiguousarray(scharr_x().T)


def laplacian(size: int = 3) -> Array:
    """Sum of the second derivatives: edges and spots of every direction.

    Args:
        size: 3, the only size it is defined for; ``laplacian_of_gaussian`` has the others.

    Source: Gonzalez and Woods (2018), "Digital Image Processing", 4th ed., section 3.6.

    >>> laplacian()
    array([[ 0.,  1.,  0.],
           [ 1., -4.,  1.],
           [ 0.,  1.,  0.]], dtype=float32)
    """
    only_size("laplacian", size)
    return np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], np.float32)


def laplacian_of_gaussian(size: int = 9, sigma: float | None = None) -> Array:
    """Laplacian of a smoothed picture: spots of about 1.4 sigma radius, edges where it is 0.

    Args:
        size: height and width, odd and at least 3.
        sigma: standard deviation of the smoothing in pixels; if None, as for ``gaussian``.

    Source: Marr and Hildreth (1980), "Theory of Edge Detection",
    https://doi.org/10.1098/rspb.1980.0020; shifted so that it sums to 0.

    >>> kernel = laplacian_of_gaussian(9)
    >>> bool(kernel[4, 4] < 0), bool(abs(kernel.sum()) < 1e-6)
    (True, True)
    """
    size = odd_size(size, minimum=3)
    spread = sigma_of(sigma, size)
    squares = centred(size) ** 2
    radius = squares[:, np.newaxis] + squares
    bell = np.exp(-radius / (2 * spread**2))
    kernel = (radius - 2 * spread**2) / spread**4 * bell / bell.sum()
    return (kernel - kernel.mean()).astype(np.float32)


def _binomial(size: int) -> Array:
    """A row of Pascal's triangle: 1 2 1, 1 4 6 4 1, ..."""
    row = np.ones(1)
    for _ in range(size - 1):
        row = np.convolve(row, [1, 1])
    return row


def _separable(down: Array, across: Array) -> Array:
    return np.outer(down, across).astype(np.float32)
