"""Bringing pictures that are in memory to another shape."""

from dataclasses import replace

import numpy as np

from convolens.data.geometry import check_size
from convolens.data.options import Preparation
from convolens.data.pool import Pool
from convolens.images import fit_image


def refit(pool: Pool, preparation: Preparation) -> Pool:
    """The same pictures in the size and with the channels that are asked for.

    Args:
        pool: pictures of one shape.
        preparation: where size and channels are None, the pictures keep their own.
    """
    height, width, channels = pool.images.shape[1:]
    if preparation.size is not None:
        height, width = check_size(preparation.size)
    channels = preparation.channels or channels
    if (height, width, channels) == pool.images.shape[1:]:
        return replace(pool, fit=preparation.fit)
    images = np.empty((len(pool.images), height, width, channels), dtype=np.uint8)
    for number, image in enumerate(pool.images):
        images[number] = fit_image(image, height, width, channels, policy=preparation.fit)
    return replace(pool, images=images, fit=preparation.fit)
