"""Pictures that show nothing."""

import numpy as np
from numpy.typing import NDArray

# A flat card photographed has noise of 1 to 1.5 grey levels. A photograph as dark as a twentieth
# of its brightness still has a spread of 3, and a drawing of which one pixel in a thousand is ink
# one of 8: neither is blank.
_LARGEST_SPREAD = 2.0
_NEAR = 3
_LEAST_SHARE = 0.99

# The squared deviations of a part about its own mean are no more than those of the whole: a picture
# of which every eighth value has eight times the variance of a blank one, and some, is none.
_STRIDE = 8
_SURELY_NOT = 2 * _STRIDE * _LARGEST_SPREAD**2


def blank_pictures(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pictures are of one colour, or so nearly that nothing can be seen.

    In each channel the standard deviation is below 2 (of 255) and at least 99 % of the values lie
    within 3 of the median. A dark picture with something in it is not blank.

    Args:
        images: (n, height, width, channels) uint8.

    Returns:
        (n,) bool.

    >>> pictures = np.zeros((2, 4, 4, 1), np.uint8)
    >>> pictures[1, :2] = 9
    >>> blank_pictures(pictures)
    array([ True, False])
    """
    values = images.reshape(len(images), -1, images.shape[3])
    blank = np.zeros(len(images), dtype=bool)
    maybe = np.flatnonzero(_variance(values[:, ::_STRIDE]).max(axis=1) < _SURELY_NOT)
    if len(maybe):
        blank[maybe] = _blank(values[maybe])
    return blank


def _variance(values: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Of each channel of each picture, from (n, values, channels) to (n, channels)."""
    # Sums of whole numbers, which are exact: the same verdict on every platform.
    variances: list[NDArray[np.float64]] = []
    for channel in range(values.shape[2]):
        own = values[:, :, channel].astype(np.int64)
        squares = np.einsum("nk,nk->n", own, own)
        variances.append(squares / own.shape[1] - (own.sum(axis=1) / own.shape[1]) ** 2)
    return np.stack(variances, axis=1)


def _blank(values: NDArray[np.uint8]) -> NDArray[np.bool_]:
    blank = np.asarray((_variance(values) < _LARGEST_SPREAD**2).all(axis=1))
    for index in np.flatnonzero(blank).tolist():
        picture = values[index].astype(np.int64)
        near = np.abs(picture - np.median(picture, axis=0)) <= _NEAR
        blank[index] = bool((near.mean(axis=0) >= _LEAST_SHARE).all())
    return blank


def blank_reason(image: NDArray[np.uint8]) -> str:
    """What a blank picture (height, width, channels) consists of.

    >>> blank_reason(np.full((2, 2, 3), 7, np.uint8))
    'every pixel is (7, 7, 7)'
    """
    values = image.reshape(-1, image.shape[2])
    middle = np.rint(np.median(values, axis=0)).astype(int).tolist()
    colour = str(middle[0]) if len(middle) == 1 else f"({', '.join(map(str, middle))})"
    constant = bool((values == values[0]).all())
    return f"every pixel is {colour}" if constant else f"nearly every pixel is about {colour}"
