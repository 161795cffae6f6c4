"""The two sample pictures of the notes, by name; scikit-learn ships them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convolens.config import choose

_FILES = {"china": "china.jpg", "flower": "flower.jpg"}

SAMPLE_NAMES = tuple(_FILES)


def load_sample(name: str) -> NDArray[Any]:
    """A sample picture by its name.

    Args:
        name: "china" (a temple) or "flower" (a dahlia).

    Returns:
        (427, 640, 3) uint8, RGB; an array of the caller's own.

    Raises:
        ConfigError: there is no such sample.

    Source: scikit-learn's ``load_sample_image``; the pictures are under Creative Commons licences
    (see its documentation).

    >>> load_sample("china").shape
    (427, 640, 3)
    """
    file = choose("sample picture", name, _FILES)
    # The file is read without importing scikit-learn, which takes more than a second.
    package = find_spec("sklearn")
    folders = (package and package.submodule_search_locations) or []
    for folder in folders:
        path = Path(folder) / "datasets" / "images" / file
        if path.is_file():
            with Image.open(path) as picture:
                return np.array(picture, dtype=np.uint8)
    from sklearn.datasets import load_sample_image

    # What scikit-learn returns need not be writable; a caller's picture should be.
    return np.array(load_sample_image(file), dtype=np.uint8)
