"""The one reader of pictures: from a sample's name, a file, its bytes, Pillow or an array."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convolens.config import did_you_mean
from convolens.errors import ConfigError, ImageError
from convolens.images.conversion import to_grey_or_rgb
from convolens.images.decoding import Decoded, Need, decode_file, decode_opened, read_facts
from convolens.images.facts import ImageFacts
from convolens.images.limits import DEFAULT_LIMITS, ImageLimits
from convolens.images.opening import TimedBytes, check_content, read_content
from convolens.images.samples import SAMPLE_NAMES, load_sample
from convolens.images.scaling import to_uint8

ImageSource = str | Path | bytes | Image.Image | NDArray[Any]


def load_image(
    source: ImageSource, *, channels: int | None = None, limits: ImageLimits = DEFAULT_LIMITS
) -> NDArray[np.uint8]:
    """Read any picture as RGB or grey pixels of 0..255, upright.

    Files may be JPEG, PNG, WebP, GIF, BMP, TIFF or PNM (PBM, PGM, PPM, PFM); the content decides,
    not the file's name. A camera's orientation mark is applied, an animation gives its first frame,
    transparent pixels show white. CMYK, YCbCr and Lab become RGB by Pillow's arithmetic, without
    colour profiles.

    More than 8 bits become 8 without clipping: 16-bit values are divided by 257 and rounded, except
    that Pillow drops the low byte of colour (and of grey with alpha) in a PNG or TIFF file, which
    gives at most 1 more or less. 32-bit integers and floats carry no range of their own: the first
    of 0..1 (floats only), 0..255 and 0..65535 that holds every value of the picture is taken for
    it, and a picture that fits none is stretched from its own smallest value to its own largest.

    Args:
        source: a sample's name ("china", "flower"), a path, the bytes of a file, a Pillow image
            (its current frame), or an array (height, width) or (height, width, channels) with 1
            channel (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha): uint8, uint16, or floats in
            0..1. A sample's name wins over a file of that name; ``./china`` means the file.
        channels: 1 for grey (ITU-R 601 luma, as Pillow), 3 for RGB, None for what the picture has.
        limits: what a picture may be at most; see :class:`ImageLimits`.

    Returns:
        (height, width, 1) or (height, width, 3) uint8, C-contiguous; the caller's own.

    Raises:
        ImageError: not a picture, damaged or truncated, too large, or an array that breaks the
            rules above. The message starts with the file's path.
        ConfigError: ``channels`` is not allowed.

    >>> load_image("flower", channels=1).shape
    (427, 640, 1)
    >>> load_image(np.array([[0.0, 0.5, 1.0]]))[0, :, 0]
    array([  0, 128, 255], dtype=uint8)
    """
    check_channels(channels, (1, 3, None))
    image = decode(source, limits).image
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


def describe_image(
    source: str | Path | bytes, *, limits: ImageLimits = DEFAULT_LIMITS
) -> ImageFacts:
    """The format, size, channels and number of frames of a picture file, without decoding it.

    Args:
        source: a path, or the bytes of a file.
        limits: what a picture may be at most.

    Raises:
        ImageError: it cannot be read, is no picture, or is over a limit.
    """
    name = describe_source(source)
    return read_facts(_timed(source, name, limits), name, limits)


def decode(source: ImageSource, limits: ImageLimits, need: Need | None = None) -> Decoded:
    """Any source as a decoded upright picture: the one way in.

    Args:
        source: as for :func:`load_image`.
        limits: what a picture may be at most.
        need: the size that suffices, for files; see :func:`convolens.images.decoding.decode_file`.

    Raises:
        ImageError: as for :func:`load_image`.
    """
    name = describe_source(source)
    if isinstance(source, np.ndarray):
        return _as_decoded(to_grey_or_rgb(_from_array(source), name))
    if isinstance(source, Image.Image):
        return decode_opened(source, name, limits)
    if isinstance(source, str) and source in SAMPLE_NAMES:
        return _as_decoded(Image.fromarray(load_sample(source)))
    if isinstance(source, str | Path | bytes):
        return decode_file(_timed(source, name, limits), name, limits, need)
    raise ImageError(
        f"{name}: not a picture; allowed: a path, a sample's name, bytes, a Pillow image, an array",
        kind="not_an_image",
    )


def check_channels(channels: object, allowed: tuple[int | None, ...]) -> None:
    """Refuse a number of channels that no picture is read with."""
    if isinstance(channels, bool) or channels not in allowed:
        unchanged = ", None (as it is)" if None in allowed else ""
        raise ConfigError(f"channels is {channels!r}; allowed: 1 (grey), 3 (RGB){unchanged}")


def _timed(source: str | Path | bytes, name: str, limits: ImageLimits) -> TimedBytes:
    if isinstance(source, bytes):
        check_content(source, name, limits)
        return TimedBytes(source, name, limits.seconds)
    return TimedBytes(read_content(_existing_file(source), name, limits), name, limits.seconds)


def _as_decoded(image: Image.Image) -> Decoded:
    channels = 1 if image.mode == "L" else 3
    facts = ImageFacts(format="", height=image.height, width=image.width, channels=channels)
    return Decoded(image, facts, (0.0, 0.0, float(image.width), float(image.height)))


def _existing_file(source: str | Path) -> Path:
    path = Path(source)
    try:
        if path.is_file():
            return path
        exists = path.exists()
    except (OSError, ValueError) as reason:  # a name too long for the system, or with a NUL in it
        raise ImageError(
            f"{str(source)!r} cannot be a file's name: {reason}", kind="missing_file"
        ) from None
    if exists:
        kind = "a folder" if path.is_dir() else "a device or a pipe"
        raise ImageError(f"{source}: is {kind}, not a picture file", kind="not_an_image")
    raise ImageError(
        f"there is no file {str(source)!r}, and it is no sample picture's name"
        f"{did_you_mean(str(source), SAMPLE_NAMES)}",
        kind="missing_file",
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
