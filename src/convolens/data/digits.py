"""The digits that scikit-learn ships: the data set that needs no download."""

from typing import Any, cast

import numpy as np

from convolens.data.catalogue import KNOWN_DATASETS
from convolens.data.datasets import Dataset, Split
from convolens.data.splits import stratified_split


def load_digits() -> Dataset:
    """1,797 handwritten digits of 8 x 8 pixels: 80 % to train, 10 % to validate, 10 % to test.

    The published pixels are counts of 0..16; they are scaled to 0..255 and rounded, which loses
    nothing. There is no official test part, so the division is fixed here once for all (stratified,
    seed 0): accuracies of different runs can be compared.

    Returns:
        The data set: 1,437, 180 and 180 pictures, (8, 8, 1).

    Source: UCI's Optical Recognition of Handwritten Digits, its test part, as in
    ``sklearn.datasets.load_digits``.

    >>> load_digits()
    Dataset('digits', train=1437, validation=180, test=180, shape=(8, 8, 1), classes=10)
    """
    from sklearn import datasets  # pyright: ignore[reportMissingTypeStubs]

    bunch = cast("Any", datasets.load_digits())
    pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    whole = Split(pixels, bunch.target.astype(np.int64))
    train, validation, test = stratified_split(whole, (0.8, 0.1, 0.1), seed=0)
    known = KNOWN_DATASETS["digits"]
    return Dataset(known.name, train, validation, test, known.class_names, known.homepage)
