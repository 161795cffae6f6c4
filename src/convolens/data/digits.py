"""The digits that scikit-learn ships: the data set that needs no download."""

from typing import Any, cast

import numpy as np

from convolens.data.catalogue import KNOWN_DATASETS
from convolens.data.pool import UNDIVIDED, Pool


def digits_pool() -> Pool:
    """1,797 handwritten digits of 8 x 8 pixels.

    The published pixels are counts of 0..16; they are scaled to 0..255 and rounded, which loses
    nothing. There is no official test part.

    Returns:
        The pictures, undivided, (8, 8, 1).

    Source: UCI's Optical Recognition of Handwritten Digits, its test part, as in
    ``sklearn.datasets.load_digits``.

    >>> digits_pool().images.shape
    (1797, 8, 8, 1)
    """
    from sklearn import datasets  # pyright: ignore[reportMissingTypeStubs]

    bunch = cast("Any", datasets.load_digits())
    pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    known = KNOWN_DATASETS["digits"]
    return Pool(
        name=known.name,
        source=known.homepage,
        images=pixels,
        labels=bunch.target.astype(np.int64),
        class_names=known.class_names,
        given=np.full(len(pixels), UNDIVIDED),
    )
