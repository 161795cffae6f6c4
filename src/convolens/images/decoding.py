"""From a file, or a Pillow image, to decoded upright pixels; whatever goes wrong is an ImageError.

Pillow alone decodes. Its plugins are written for well-formed files: on damaged ones they raise
nearly every exception there is, and warn on top. Here that becomes one kind of error and no
warning.
"""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from convolens.errors import ImageError
from convolens.images.conversion import to_grey_or_rgb

# Only formats whose decoders live in Pillow itself: EPS, for one, would start another program.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_FORMAT_NAMES = "JPEG, PNG, WebP, GIF, BMP, TIFF, PNM"

# What undoes each value of the orientation mark; 1 is upright. Exif 2.32, section 4.6.4.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_file(source: Path | bytes, name: str, max_pixels: int) -> Image.Image:
    """Decode the first picture of a file, or of a file's bytes, to mode "L" or "RGB".

    Raises:
        ImageError: it cannot be read, is no picture, is too large or damaged.
    """
    try:
        opened = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except OSError as error:
        raise ImageError(f"{name}: cannot be read: {error.strerror}") from None
    with opened, _errors_named(name):
        return _decode(Image.open(opened, formats=_FORMATS), name, max_pixels)


def decode_opened(image: Image.Image, name: str, max_pixels: int) -> Image.Image:
    """Decode a Pillow image, which stays its owner's and open, to mode "L" or "RGB".

    Raises:
        ImageError: it is closed, empty, too large or damaged.
    """
    with _errors_named(name):
        return _decode(image, name, max_pixels)


def _decode(image: Image.Image, name: str, max_pixels: int) -> Image.Image:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: {width} x {height} is {width * height:,} pixels; at most {max_pixels:,} are "
            "read: make the picture smaller, or raise max_pixels"
        )
    if width * height == 0:
        raise ImageError(f"{name}: the picture has no pixels ({width} x {height})")
    # Before the mark is read: loading a TIFF turns it upright and takes its mark away.
    image.load()
    method = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    plain = to_grey_or_rgb(image, name)
    return plain if method is None else plain.transpose(method)


@contextmanager
def _errors_named(name: str) -> Iterator[None]:
    try:
        with _PILLOW_QUIET.entered():
            yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(
            f"{name}: not a picture that can be read; allowed by content: {_FORMAT_NAMES}"
        ) from None
    except Image.DecompressionBombError as error:
        reason = str(error).partition(",")[0]
        raise ImageError(
            f"{name}: {reason} (PIL.Image.MAX_IMAGE_PIXELS): make the picture smaller"
        ) from None
    except Exception as error:  # noqa: BLE001 - see the head of this file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{name}: the picture is damaged or truncated ({reason})") from None


class _PillowQuiet:
    """Ignores Pillow's warnings while any thread decodes.

    ``warnings.catch_warnings`` restores what it found when it was entered. Two threads that enter
    and leave in turn would leave the process with the wrong filters for good, so the first one in
    enters for all and the last one out leaves for all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._caught = warnings.catch_warnings()

    @contextmanager
    def entered(self) -> Iterator[None]:
        with self._lock:
            if self._inside == 0:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._caught.__exit__(None, None, None)


_PILLOW_QUIET = _PillowQuiet()
