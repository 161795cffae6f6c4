"""Turning pictures upright: the camera's mark, and what it does to a part of a picture."""

from PIL import Image

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
