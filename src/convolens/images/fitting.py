"""Bringing a picture of any size to the input size of a model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convolens.config import choose
from convolens.errors import ConfigError
from convolens.images.decoding import Decoded
from convolens.images.limits import DEFAULT_LIMITS, ImageLimits
from convolens.images.reading import ImageSource, check_channels, decode

# Pillow's bilinear filter widens with the reduction, so it does not alias; unlike Lanczos and
# bicubic it makes no darker or brighter edge beside a sharp one.
_FILTER = Image.Resampling.BILINEAR


def fit_image(
    image: ImageSource,
    height: int,
    width: int,
    channels: int,
    *,
    policy: str = "pad",
    limits: ImageLimits = DEFAULT_LIMITS,
) -> NDArray[np.uint8]:
    """Bring one picture to a height, a width and a number of channels.

    A picture that has the size already keeps its pixels exactly. The file of a JPEG that is at
    least twice as large as needed is decoded at a half, a quarter or an eighth by the decoder
    itself, which is faster and, its cosine transform being cut off, free of aliasing; the same
    picture as decoded pixels gives nearly, but not exactly, the same values.

    Args:
        image: anything that :func:`load_image` reads.
        height: rows wanted, at least 1.
        width: columns wanted, at least 1.
        channels: 1 (grey by ITU-R 601 luma, as Pillow) or 3 (grey repeated).
        policy: "pad" fits the whole picture inside, keeps its proportions and fills with black,
            the odd row or column at the bottom or right; "crop" fills the size and cuts the longer
            side about its centre; "stretch" changes the proportions.
        limits: what the picture may be at most.

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
    fitting = Fitting(height, width, channels, policy)
    return fitting.fit(decode(image, limits, fitting.need))


class Fitting:
    """The size, the channels and the policy that pictures are brought to, checked once.

    Raises:
        ConfigError: as for :func:`fit_image`.
    """

    def __init__(self, height: Any, width: Any, channels: Any, policy: str) -> None:
        choose("fit policy", policy, dict.fromkeys(FIT_POLICIES))
        for name, value in (("height", height), ("width", width)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ConfigError(f"{name} is {value!r}; allowed: a whole number of at least 1")
        check_channels(channels, (1, 3))
        self.height, self.width, self.channels = int(height), int(width), int(channels)
        self.policy = policy

    def need(self, height: int, width: int) -> tuple[int, int]:
        """The (height, width) to which a picture of a given size is brought before it is padded."""
        if self.policy == "stretch":
            return self.height, self.width
        larger = min if self.policy == "pad" else max
        scale = larger(self.height / height, self.width / width)
        return max(1, round(height * scale)), max(1, round(width * scale))

    def fit(self, decoded: Decoded) -> NDArray[np.uint8]:
        """The pixels (height, width, channels) of a decoded picture."""
        image = decoded.image
        mode = "L" if self.channels == 1 else "RGB"
        if image.mode != mode:
            image = image.convert(mode)
        if (image.height, image.width) != (self.height, self.width):
            image = self._resized(image, decoded)
        return np.array(image, dtype=np.uint8).reshape(self.height, self.width, self.channels)

    def _resized(self, image: Image.Image, decoded: Decoded) -> Image.Image:
        target = (self.width, self.height)
        if self.policy == "stretch":
            return _resize(image, target, decoded.box)
        if self.policy == "crop":
            return _resize(image, target, self._centre(decoded.box))
        rows, columns = self.need(decoded.facts.height, decoded.facts.width)
        rows, columns = min(rows, self.height), min(columns, self.width)
        canvas = Image.new(image.mode, target)
        inner = _resize(image, (columns, rows), decoded.box)
        canvas.paste(inner, ((self.width - columns) // 2, (self.height - rows) // 2))
        return canvas

    def _centre(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """The largest part about the centre of a box that has the wanted proportions."""
        left, top, right, bottom = box
        scale = max(self.height / (bottom - top), self.width / (right - left))
        width = min(right - left, self.width / scale)
        height = min(bottom - top, self.height / scale)
        left += (right - left - width) / 2
        top += (bottom - top - height) / 2
        return left, top, left + width, top + height


FIT_POLICIES = ("pad", "crop", "stretch")


def _resize(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
) -> Image.Image:
    if image.size == size and box == (0, 0, *size):
        return image
    return image.resize(size, _FILTER, box=box)
