"""Whether two pictures show the same thing, pixel by pixel: after a hash said that they might."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from convolens.data.same_rules import SameRule

_AT_ONCE = 2**20  # bytes of one array of a lot of pairs: some ten are alive, best in the cache


# Foliage enlarged by two pixels at each edge correlates with itself by about 0.4, hands by 0.7.
_WORTH_ZOOMING = 0.3


def same_pictures(
    one: NDArray[np.float64], other: NDArray[np.float64], rule: SameRule
) -> NDArray[np.bool_]:
    """Which pairs are nearly the same.

    Args:
        one: (n, height, width), whole numbers of 0..4080, of ``perceptual.pooled_grey``.
        other: the same shape; ``one[i]`` is compared with ``other[i]``.
        rule: what counts as nearly the same.

    Returns:
        (n,) bool.

    >>> from convolens.data.same_rules import SAME_RULES
    >>> grey = np.random.default_rng(0).integers(0, 4000, (2, 20, 20)).astype(float)
    >>> same_pictures(grey, np.stack([grey[0] // 2, grey[0]]), SAME_RULES[2])
    array([ True, False])
    """
    found = np.zeros(len(one), dtype=bool)
    step = max(1, _AT_ONCE // max(1, one[:1].nbytes))
    for start in range(0, len(one), step):
        part = slice(start, start + step)
        found[part] = _same(one[part], other[part], rule)
    return found


def _same(
    one: NDArray[np.float64], other: NDArray[np.float64], rule: SameRule
) -> NDArray[np.bool_]:
    same, correlation = _aligned_and_compared(one, other, rule)
    for zoom, second in product(rule.zooms, (False, True)):
        open_ = np.flatnonzero(~same & (correlation >= _WORTH_ZOOMING))
        if len(open_):
            # Whichever was cropped, it is the other that is enlarged likewise.
            pair = [one[open_], other[open_]]
            pair[second] = _zoomed(pair[second], zoom)
            same[open_], _ = _aligned_and_compared(pair[0], pair[1], rule)
    return same


def _aligned_and_compared(
    one: NDArray[np.float64], other: NDArray[np.float64], rule: SameRule
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which pairs are the same at the shift at which their details agree best."""
    # Whole numbers, so that all sums are exact: the same verdict on every platform.
    first, second = (np.rint(_mean_around(grey, rule.blur)) for grey in (one, other))
    detail, other_detail = (np.rint(g - _mean_around(g, rule.around)) for g in (first, second))
    reach = range(-rule.shift, rule.shift + 1)
    shifts = [(down, across) for down in reach for across in reach]
    # Near its edges the mean around a pixel is cut: differently so in a shifted copy.
    margin = rule.shift + rule.blur + rule.around if rule.shift else 0
    windows = [_window(other_detail, margin, moved) for moved in shifts]
    correlations = _correlations(_window(detail, margin, (0, 0)), windows)
    best, largest = correlations.argmax(axis=0), correlations.max(axis=0)
    same = np.zeros(len(one), dtype=bool)
    for index, moved in enumerate(shifts):
        these = np.flatnonzero(best == index)
        if len(these):
            left = [_window(grey[these], margin, (0, 0)) for grey in (first, detail)]
            right = [_window(grey[these], margin, moved) for grey in (second, other_detail)]
            residue, patch, grain = _difference(left[0], right[0], left[1], right[1])
            for like in rule.likenesses:
                enough = (largest[these] >= like.detail) & (grain <= like.grain)
                same[these] |= enough & (residue <= like.residue) & (patch <= like.patch)
    return same, largest


def _window(grey: NDArray[np.float64], margin: int, moved: tuple[int, int]) -> NDArray[np.float64]:
    """The picture without a margin, the window moved down and across by at most that."""
    _, height, width = grey.shape
    top, left = margin + moved[0], margin + moved[1]
    return grey[:, top : top + height - 2 * margin, left : left + width - 2 * margin]


def _correlations(a: NDArray[np.float64], others: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Of each picture with each of its (shifts, n) counterparts."""
    size = a[0].size
    sum_a = np.einsum("nhw->n", a)
    own = np.einsum("nhw,nhw->n", a, a) - sum_a * sum_a / size
    rows: list[NDArray[np.float64]] = []
    for b in others:
        # By einsum, which takes a window of a larger array as it is, where reshape would copy it.
        sum_b = np.einsum("nhw->n", b)
        covariance = np.einsum("nhw,nhw->n", a, b) - sum_a * sum_b / size
        theirs = np.einsum("nhw,nhw->n", b, b) - sum_b * sum_b / size
        rows.append(covariance / np.sqrt(np.maximum(own * theirs, 1e-6)))
    return np.stack(rows)


def _difference(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    detail_a: NDArray[np.float64],
    detail_b: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Residue, patch and grain of a after the best multiple of b (see ``Likeness``)."""
    covariance, own, others = _moments(a, b)
    own, others = np.maximum(own, 1e-6), np.maximum(others, 1e-6)
    gain = covariance / others
    means = [grey.sum(axis=(1, 2), keepdims=True) / a[0].size for grey in (a, b)]
    left = (a - means[0]) - gain[:, np.newaxis, np.newaxis] * (b - means[1])
    largest = np.abs(_mean_around(left, 1)).max(axis=(1, 2))
    shared, fine_a, fine_b = _moments(detail_a, detail_b)
    grain = np.maximum(fine_a - 2 * gain * shared + gain**2 * fine_b, 0) / a[0].size
    return (
        1 - covariance**2 / (own * others),
        largest / np.sqrt(own / a[0].size),
        np.sqrt(grain) / 16,
    )


def _moments(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sums of products about the means: of a with b, of a with itself, of b with itself."""
    size = a[0].size
    sum_a, sum_b = np.einsum("nhw->n", a), np.einsum("nhw->n", b)
    return (
        np.einsum("nhw,nhw->n", a, b) - sum_a * sum_b / size,
        np.einsum("nhw,nhw->n", a, a) - sum_a * sum_a / size,
        np.einsum("nhw,nhw->n", b, b) - sum_b * sum_b / size,
    )


def _mean_around(grey: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """The mean of the square around each pixel, of what of it lies inside the picture."""
    if radius == 0:
        return grey
    return _mean_below(_mean_below(grey, radius).swapaxes(1, 2), radius).swapaxes(1, 2)


def _mean_below(grey: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """The mean of the pixels above and below each, up to ``radius`` of them on either side."""
    n, height, width = _sizes(grey)
    sums = np.zeros((n, height + 1, width))
    np.cumsum(grey, axis=1, out=sums[:, 1:])
    after = np.minimum(np.arange(height) + radius + 1, height)
    before = np.maximum(np.arange(height) - radius, 0)
    means: NDArray[np.float64] = (sums[:, after] - sums[:, before]) / (after - before)[:, None]
    return means


def _zoomed(grey: NDArray[np.float64], pixels: int) -> NDArray[np.float64]:
    """Enlarged about the centre so that ``pixels`` of its width drop out (bilinear)."""
    share = 1 - pixels / grey.shape[2]
    return np.rint(_enlarged(_enlarged(grey, share).swapaxes(1, 2), share).swapaxes(1, 2))


def _enlarged(grey: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Rows interpolated so that this share of the height fills all of it."""
    height = _sizes(grey)[1]
    middle = (height - 1) / 2
    places = np.clip(middle + (np.arange(height) - middle) * share, 0, height - 1)
    upper = np.minimum(places.astype(np.int64), height - 2)
    weight = (places - upper)[:, np.newaxis]
    return grey[:, upper] * (1 - weight) + grey[:, upper + 1] * weight


def _sizes(grey: NDArray[np.float64]) -> tuple[int, int, int]:
    n, height, width = grey.shape
    return int(n), int(height), int(width)
