"""From every mode of Pillow to the two that this package knows: "L" (grey) and "RGB"."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convolens.errors import ImageError

_GREY = {"1", "L", "LA", "La"}


def is_grey(image: Image.Image) -> bool:
    """Whether :func:`to_grey_or_rgb` will give mode "L"; known before the picture is decoded."""
    return image.mode in _GREY or image.mode in ("I", "F") or image.mode.startswith("I;16")


def to_grey_or_rgb(image: Image.Image, name: str) -> Image.Image:
    """Convert a decoded image of any mode; transparent pixels show white.

    Args:
        image: a loaded Pillow image.
        name: what to call it in a message.

    Returns:
        Mode "L" where the picture is grey, else "RGB". The rules for more than 8 bits are those of
        :func:`convolens.images.load_image`.

    Raises:
        ImageError: a float picture holds NaN or infinity.

    >>> to_grey_or_rgb(Image.new("RGBA", (1, 1), (200, 0, 0, 0)), "clear red").getpixel((0, 0))
    (255, 255, 255)
    """
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.mode in ("I", "F"):
        return _from_32_bit(image, name)
    if image.has_transparency_data:
        return _on_white(image)
    return image.convert("L" if image.mode in _GREY else "RGB")


def _on_white(image: Image.Image) -> Image.Image:
    grey = image.mode in _GREY
    with_alpha = image.convert("LA" if grey else "RGBA")
    background = Image.new("L" if grey else "RGB", image.size, "white")
    background.paste(with_alpha.convert(background.mode), mask=with_alpha.getchannel("A"))
    return background


def _from_16_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    pixels = _rounded(values, 0, 65535)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        pixels[values == transparent] = 255
    return Image.fromarray(pixels)


def _from_32_bit(image: Image.Image, name: str) -> Image.Image:
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ImageError(
            f"{name}: holds NaN or infinity; every pixel must be a finite number", kind="not_finite"
        )
    if image.format == "PPM" and image.mode == "I":  # Pillow scales a PGM above 8 bits to 16
        return Image.fromarray(_rounded(values, 0, 65535))
    ranges = (1, 255, 65535) if image.mode == "F" else (255, 65535)
    for largest in ranges:
        if low >= 0 and high <= largest:
            return Image.fromarray(_rounded(values, 0, largest))
    return Image.fromarray(_rounded(values, low, high))


def _rounded(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Map low..high linearly onto 0..255; one value alone, with no range at all, becomes black."""
    span = (high - low) or 1.0
    return np.rint((values.astype(np.float64) - low) * (255 / span)).astype(np.uint8)
