"""From a file, or a Pillow image, to decoded upright pixels; whatever goes wrong is an ImageError.

Pillow alone decodes. Its plugins are written for well-formed files: on damaged ones they raise
nearly every exception there is, and warn on top. Here that becomes one kind of error and no
warning.
"""

import io
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from convolens.errors import ImageError
from convolens.images.conversion import is_grey, to_grey_or_rgb
from convolens.images.facts import ImageFacts
from convolens.images.limits import ImageLimits
from convolens.images.orientation import UPRIGHT, mark_of, mark_of_file, turn_box
from convolens.images.signatures import check_png, format_begun

# Only formats whose decoders live in Pillow itself: EPS, for one, would start another program.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_FORMAT_NAMES = "JPEG, PNG, WebP, GIF, BMP, TIFF, PNM"

# Scans of a progressive JPEG times its pixels. Each scan walks over the whole picture, and a few
# bytes are enough for one: without a limit a small file keeps a decoder busy for hours. Cameras and
# editors write 3 to 12; this allows 20 at the largest size, in some seconds.
_MOST_SCANNED_PIXELS = 20 * 50_000_000

Need = Callable[[int, int], tuple[int, int]]
"""From the (height, width) of an upright picture to those that suffice for the purpose."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded picture, upright."""

    image: Image.Image
    """Mode "L" or "RGB"; a JPEG may have been decoded at a half, a quarter or an eighth."""
    facts: ImageFacts
    """Its head; height and width are those of the whole picture."""
    box: tuple[float, float, float, float]
    """Left, top, right and bottom of the picture in ``image``: where 101 pixels are decoded at a
    half, 50.5 of the 51 are picture."""


def read_facts(file: io.BytesIO, name: str, limits: ImageLimits) -> ImageFacts:
    """The head of a picture file, checked against the limits; nothing is decoded.

    Raises:
        ImageError: it is no picture, or over a limit.
    """
    with _errors_named(name, limits):
        image = _open(file, name, limits)
        return _facts(image, name, limits, mark_of_file(image, file, name))


def decode_file(
    file: io.BytesIO, name: str, limits: ImageLimits, need: Need | None = None
) -> Decoded:
    """Decode the first picture of a file.

    Args:
        file: its bytes.
        name: what to call it in a message.
        limits: what it may be at most.
        need: the size that suffices; None for the whole picture. A JPEG is then decoded at the
            smallest of 1, 1/2, 1/4 and 1/8 that is not below it.

    Raises:
        ImageError: it is no picture, over a limit or damaged.
    """
    with _errors_named(name, limits):
        image = _open(file, name, limits)
        if image.format == "PNG":
            check_png(file.getvalue(), name)
        # A TIFF is turned upright, and its mark taken away, by loading it: its mark is read before.
        return _decode(image, name, limits, mark_of_file(image, file, name), need)


def decode_opened(image: Image.Image, name: str, limits: ImageLimits) -> Decoded:
    """Decode a Pillow image, which stays its owner's and open.

    Raises:
        ImageError: it is closed, empty, too large or damaged.
    """
    with _errors_named(name, limits):
        _check_pixels(*image.size, name, limits)
        return _decode(image, name, limits, mark_of(image), None)


def _open(file: io.BytesIO, name: str, limits: ImageLimits) -> Image.Image:
    try:
        image = Image.open(file, formats=_FORMATS)
    except UnidentifiedImageError:
        begun = format_begun(file.getvalue())
        if begun is None:
            raise
        raise ImageError(
            f"{name}: begins as a {begun} picture does, but its head is damaged or cut off; copy "
            "it again, or save it anew"
        ) from None
    _check_pixels(*image.size, name, limits)
    return image


def _decode(
    image: Image.Image, name: str, limits: ImageLimits, orientation: int, need: Need | None
) -> Decoded:
    facts = _facts(image, name, limits, orientation)
    box = None
    if need is not None and facts.format == "JPEG":
        box = _draft(image, need, orientation)
    image.load()
    if facts.format == "TIFF":
        orientation = mark_of(image)
    plain = to_grey_or_rgb(image, name)
    box = box or (0.0, 0.0, float(plain.width), float(plain.height))
    method = UPRIGHT.get(orientation)
    if method is None:
        return Decoded(plain, facts, box)
    return Decoded(plain.transpose(method), facts, turn_box(box, plain.size, method))


def _facts(image: Image.Image, name: str, limits: ImageLimits, orientation: int) -> ImageFacts:
    width, height = image.size
    # A camera's JPEG with further pictures behind it (previews, the other eye's view), which Pillow
    # calls MPO, is a photograph and no animation.
    photograph = image.format in ("JPEG", "MPO")
    frames = 1 if photograph else int(getattr(image, "n_frames", 1))
    if frames > limits.frames:
        raise ImageError(
            f"{name}: holds {frames:,} frames; at most {limits.frames:,} are allowed: save the one "
            "that is meant as a file of its own",
            kind="too_large",
        )
    file = getattr(image, "fp", None)
    if image.info.get("progressive") and isinstance(file, io.BytesIO):
        _check_scans(file.getvalue(), width * height, name)
    if orientation >= 5:
        height, width = width, height
    return ImageFacts(
        format="JPEG" if photograph else image.format or "",
        height=height,
        width=width,
        channels=1 if is_grey(image) else 3,
        frames=frames,
    )


def _check_pixels(width: int, height: int, name: str, limits: ImageLimits) -> None:
    if width * height > limits.pixels:
        raise ImageError(
            f"{name}: {width} x {height} is {width * height:,} pixels; at most {limits.pixels:,} "
            "are read: make the picture smaller, or raise the limit on pixels",
            kind="too_large",
        )
    if width * height == 0:
        raise ImageError(f"{name}: the picture has no pixels ({width} x {height})")


def _check_scans(content: bytes, pixels: int, name: str) -> None:
    scans = content.count(b"\xff\xda")
    if scans * pixels > _MOST_SCANNED_PIXELS:
        raise ImageError(
            f"{name}: a progressive JPEG of {scans:,} scans over {pixels:,} pixels would take too "
            "long to decode; save it again without progression",
            kind="too_large",
        )


def _draft(
    image: Image.Image, need: Need, orientation: int
) -> tuple[float, float, float, float] | None:
    """Let libjpeg decode at a fraction; the box of the picture in what it will decode to."""
    width, height = image.size
    turned = orientation >= 5
    rows, columns = need(width, height) if turned else need(height, width)
    if turned:
        rows, columns = columns, rows
    drafted = image.draft(None, (columns, rows))
    if drafted is None:
        return None
    return tuple(float(edge) for edge in drafted[1])  # pyright: ignore[reportReturnType]


@contextmanager
def _errors_named(name: str, limits: ImageLimits) -> Iterator[None]:
    try:
        with _PILLOW_QUIET.entered():
            yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(
            f"{name}: not a picture that can be read; allowed by content: {_FORMAT_NAMES}",
            kind="not_an_image",
        ) from None
    except Image.DecompressionBombError as error:
        raise ImageError(_bomb(str(error), name, limits), kind="too_large") from None
    except MemoryError:
        raise ImageError(
            f"{name}: takes more memory than there is; it is given up on", kind="too_slow"
        ) from None
    except Exception as error:  # noqa: BLE001 - see the head of this file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{name}: the picture is damaged or truncated ({reason})") from None


def _bomb(said: str, name: str, limits: ImageLimits) -> str:
    """Pillow's own limit, twice ``PIL.Image.MAX_IMAGE_PIXELS``, comes before the size is known."""
    pixels = int(next(iter(re.findall(r"\((\d+) pixels\)", said)), 0))
    if pixels > limits.pixels:
        return (
            f"{name}: {pixels:,} pixels; at most {limits.pixels:,} are read: make the picture "
            "smaller"
        )
    return (
        f"{name}: {pixels:,} pixels are more than Pillow decodes here; raise "
        "PIL.Image.MAX_IMAGE_PIXELS if you trust the file"
    )


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
