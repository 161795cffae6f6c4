"""Bringing a picture of any size to the input size of a model."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convolens.config import choose
from convolens.errors import ConfigError
from convolens.images.reading import ImageSource, load_image

# Pillow's bilinear filter widens with the reduction, so it does not alias; unlike Lanczos and
# bicubic it makes no darker or brighter edge beside a sharp one.
_FILTER = Image.Resampling.BILINEAR


def fit_image(
    image: ImageSource, height: int, width: int, channels: int, *, policy: str = "pad"
) -> NDArray[np.uint8]:
    """Bring one picture to a height, a width and a number of channels.

    A picture that has the size already keeps its pixels exactly.

    Args:
        image: anything that :func:`load_image` reads; usually its (height, width, channels) uint8.
        height: rows wanted, at least 1.
        width: columns wanted, at least 1.
        channels: 1 (grey by ITU-R 601 luma, as Pillow) or 3 (grey repeated).
        policy: "pad" fits the whole picture inside, keeps its proportions and fills with black,
            the odd row or column at the bottom or right; "crop" fills the size and cuts the longer
            side about its centre; "stretch" changes the proportions.

    Returns:
        (height, width, channels) uint8.

    Raises:
        ConfigError: a size below 1, channels other than 1 and 3, or an unknown policy.
        ImageError: the picture cannot be read.

    Source: antialiased bilinear resampling by Pillow.

    >>> wide = np.full((10, 20, 3), 255, np.uint8)
    >>> fit_image(wide, 4, 4, 1)[:, 0, 0]
    array([  0, 255, 255,   0], dtype=uint8)
    """
    fit = choose("fit policy", policy, _POLICIES)
    for name, value in (("height", height), ("width", width)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ConfigError(f"{name} is {value!r}; allowed: a whole number of at least 1")
    if channels not in (1, 3):
        raise ConfigError(f"channels is {channels!r}; allowed: 1 (grey), 3 (RGB)")
    pixels = load_image(image, channels=channels)
    if pixels.shape[:2] == (height, width):
        return pixels
    plain = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
    fitted = np.array(fit(plain, int(height), int(width)), dtype=np.uint8)
    return fitted.reshape(height, width, channels)


def _pad(image: Image.Image, height: int, width: int) -> Image.Image:
    scale = min(height / image.height, width / image.width)
    inner_height = min(height, max(1, round(image.height * scale)))
    inner_width = min(width, max(1, round(image.width * scale)))
    canvas = Image.new(image.mode, (width, height))
    inner = image.resize((inner_width, inner_height), _FILTER)
    canvas.paste(inner, ((width - inner_width) // 2, (height - inner_height) // 2))
    return canvas


def _crop(image: Image.Image, height: int, width: int) -> Image.Image:
    scale = max(height / image.height, width / image.width)
    box_height = min(image.height, height / scale)
    box_width = min(image.width, width / scale)
    left, top = (image.width - box_width) / 2, (image.height - box_height) / 2
    box = (left, top, left + box_width, top + box_height)
    return image.resize((width, height), _FILTER, box=box)


def _stretch(image: Image.Image, height: int, width: int) -> Image.Image:
    return image.resize((width, height), _FILTER)


_POLICIES = {"pad": _pad, "crop": _crop, "stretch": _stretch}

FIT_POLICIES = tuple(_POLICIES)
