"""The one reader of pictures: from a sample's name, a file, its bytes, Pillow or an array."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convolens.config import did_you_mean
from convolens.errors import ConfigError, ImageError
from convolens.images.conversion import to_grey_or_rgb
from convolens.images.decoding import decode_file, decode_opened
from convolens.images.samples import SAMPLE_NAMES, load_sample
from convolens.images.scaling import to_uint8

ImageSource = str | Path | bytes | Image.Image | NDArray[Any]

MAX_PIXELS = 50_000_000
"""Pixels of the largest picture that is decoded unless a caller says otherwise.

Well above a camera's 24 million; as RGB it takes 150 MB. A few kilobytes of a crafted file can
promise thousands of millions.
"""


def load_image(
    source: ImageSource, *, channels: int | None = None, max_pixels: int = MAX_PIXELS
) -> NDArray[np.uint8]:
    """Read any picture as RGB or grey pixels of 0..255, upright.

    Files may be JPEG, PNG, WebP, GIF, BMP, TIFF or PNM (PBM, PGM, PPM, PFM); the content decides,
    not the file's name. A camera's orientation mark is applied, an animation gives its first frame,
    transparent pixels show white. CMYK, YCbCr and Lab become RGB by Pillow's arithmetic, without
    colour profiles.

    More than 8 bits become 8 without clipping: 16-bit values are divided by 257 and rounded. 32-bit
    integers and floats carry no range of their own: the first of 0..1 (floats only), 0..255 and
    0..65535 that holds every value of the picture is taken for it, and a picture that fits none is
    stretched from its own smallest value to its own largest.

    Args:
        source: a sample's name ("china", "flower"), a path, the bytes of a file, a Pillow image
            (its current frame), or an array (height, width) or (height, width, channels) with 1
            channel (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha): uint8, uint16, or floats in
            0..1. A sample's name wins over a file of that name; ``./china`` means the file.
        channels: 1 for grey (ITU-R 601 luma, as Pillow), 3 for RGB, None for what the picture has.
        max_pixels: height times width of the largest file that is decoded.

    Returns:
        (height, width, 1) or (height, width, 3) uint8, C-contiguous; the caller's own.

    Raises:
        ImageError: not a picture, damaged or truncated, too large, or an array that breaks the
            rules above. The message starts with the file's path.
        ConfigError: ``channels`` or ``max_pixels`` is not allowed.

    >>> load_image("flower", channels=1).shape
    (427, 640, 1)
    >>> load_image(np.array([[0.0, 0.5, 1.0]]))[0, :, 0]
    array([  0, 128, 255], dtype=uint8)
    """
    if channels not in (None, 1, 3):
        raise ConfigError(f"channels is {channels!r}; allowed: 1 (grey), 3 (RGB), None (as it is)")
    if isinstance(max_pixels, bool) or not isinstance(max_pixels, int) or max_pixels < 1:
        raise ConfigError(f"max_pixels is {max_pixels!r}; allowed: a whole number of at least 1")
    image = _open(source, max_pixels)
    if channels is not None:
        image = image.convert("L" if channels == 1 else "RGB")
    pixels = np.array(image, dtype=np.uint8)
    return pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels


def describe_source(source: object) -> str:
    """What to call a source of a picture in a message.

    >>> describe_source("shoe.png"), describe_source(np.zeros((28, 28), np.uint8))
    ('shoe.png', 'array of shape (28, 28)')
    """
    if isinstance(source, str | Path):
        return str(source)
    if isinstance(source, bytes):
        return f"picture of {len(source)} bytes"
    if isinstance(source, np.ndarray):
        return f"array of shape {source.shape}"
    if isinstance(source, Image.Image):
        return str(getattr(source, "filename", "") or f"{source.mode} image of size {source.size}")
    return f"{type(source).__name__} object"


def _open(source: ImageSource, max_pixels: int) -> Image.Image:
    name = describe_source(source)
    if isinstance(source, np.ndarray):
        return to_grey_or_rgb(_from_array(source), name)
    if isinstance(source, Image.Image):
        return decode_opened(source, name, max_pixels)
    if isinstance(source, bytes):
        return decode_file(source, name, max_pixels)
    if isinstance(source, str) and source in SAMPLE_NAMES:
        return Image.fromarray(load_sample(source))
    if isinstance(source, str | Path):
        return decode_file(_existing_file(source), name, max_pixels)
    raise ImageError(
        f"{name}: not a picture; allowed: a path, a sample's name, bytes, a Pillow image, an array"
    )


def _existing_file(source: str | Path) -> Path:
    path = Path(source)
    try:
        if path.is_file():
            return path
        exists = path.exists()
    except (OSError, ValueError) as reason:  # a name too long for the system, or with a NUL in it
        raise ImageError(f"{str(source)!r} cannot be a file's name: {reason}") from None
    if exists:
        kind = "a folder" if path.is_dir() else "a device or a pipe"
        raise ImageError(f"{source}: is {kind}, not a picture file")
    raise ImageError(
        f"there is no file {str(source)!r}, and it is no sample picture's name"
        f"{did_you_mean(str(source), SAMPLE_NAMES)}"
    )


def _from_array(array: NDArray[Any]) -> Image.Image:
    shape = array.shape
    if array.ndim not in (2, 3) or 0 in shape or (array.ndim == 3 and shape[2] > 4):
        hint = " (channels come last)" if array.ndim == 3 and shape[0] <= 4 < shape[2] else ""
        raise ImageError(
            f"array of shape {shape}: not a picture{hint}; "
            "allowed: (height, width) or (height, width, 1 to 4), none of them zero"
        )
    pixels = to_uint8(array)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(pixels))
