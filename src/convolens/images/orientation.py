"""Turning pictures upright: the camera's mark, and what it does to a part of a picture."""

import io

from PIL import ExifTags, Image

from convolens.images.signatures import png_notes

# What undoes each value of the orientation mark; 1 is upright. Exif 2.32, section 4.6.4.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Box = tuple[float, float, float, float]


def mark_of(image: Image.Image) -> int:
    """Exif's mark of an opened picture, 1 to 8; a mark that cannot be read counts as none.

    Pillow decodes a PNG for that, whatever its size: it may stand behind the pixels.
    """
    try:
        return _allowed(image.getexif())
    except Exception:  # noqa: BLE001 - a picture is not lost for what is written beside it
        return 1


def mark_of_file(image: Image.Image, file: io.BytesIO, name: str) -> int:
    """The mark of a picture that was just opened from a file; nothing is decoded.

    Args:
        image: what was opened.
        file: the whole file.
        name: what to call it in a message.

    Raises:
        ImageError: a PNG has more parts than any picture needs.
    """
    if image.format != "PNG":
        return mark_of(image)
    notes = None if "exif" in image.info else png_notes(file.getvalue(), name)
    try:
        if notes is not None:
            image = Image.open(io.BytesIO(notes), formats=("PNG",))
        # Of all images: that of PNG's own class begins by decoding.
        return _allowed(Image.Image.getexif(image))
    except Exception:  # noqa: BLE001 - as above
        return 1


def _allowed(exif: Image.Exif) -> int:
    mark = exif.get(ExifTags.Base.Orientation, 1)
    return mark if mark in UPRIGHT else 1


def turn_box(box: Box, size: tuple[int, int], method: Image.Transpose) -> Box:
    """Where a box of a picture lies after the picture is transposed.

    Args:
        box: left, top, right, bottom, in pixels.
        size: (width, height) of the picture before.
        method: how it is transposed.

    >>> turn_box((0, 0, 2.5, 4), (3, 4), Image.Transpose.FLIP_LEFT_RIGHT)
    (0.5, 0, 3, 4)
    """
    left, top, right, bottom = box
    width, height = size
    mirrored = {Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180}
    flipped = {Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180}
    if method in (Image.Transpose.ROTATE_90, Image.Transpose.TRANSVERSE):
        left, right = width - right, width - left
    if method in (Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE):
        top, bottom = height - bottom, height - top
    if method in mirrored:
        left, right = width - right, width - left
    if method in flipped:
        top, bottom = height - bottom, height - top
    turned = {
        Image.Transpose.ROTATE_90,
        Image.Transpose.ROTATE_270,
        Image.Transpose.TRANSPOSE,
        Image.Transpose.TRANSVERSE,
    }
    return (top, left, bottom, right) if method in turned else (left, top, right, bottom)
