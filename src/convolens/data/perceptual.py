"""Perceptual hashes: 64 bits a picture that hardly change when the picture hardly does."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.data.stored import Images, image_chunks

SHIFTED_FROM = 32
"""From this side on pictures are fingerprinted shifted, too. A pixel is 3 % of it: in smaller
pictures a shift by one pixel leaves nothing alike that a hash could find."""

_FREQUENCIES = 8
_CHUNK_BYTES = 4 * 2**20  # the arithmetic takes some thirty times as much
# Whole numbers throughout, so that the bits are the same on every platform: a sum of whole numbers
# below 2**53 is exact in float64 in whatever order a BLAS takes it. Cosines are in units of 1/1024.
_UNIT = 1024
_LONGEST_SIDE = 128
# Grey as ITU-R 601 has it, in units of 1/256.
_LUMA = (77, 150, 29)


@dataclass(frozen=True, kw_only=True, eq=False)
class Fingerprints:
    """What is kept of pictures to find those that are nearly the same."""

    hashes: NDArray[np.uint64]
    """(variants, n): of the picture without its edges and, from 32 pixels on, of the same window
    moved by 1 % of the side, down right and down left."""
    shapes: NDArray[np.int8]
    """(variants, n, frequencies): the coefficients themselves; the largest is 127 or -127."""


def perceptual_hashes(images: Images) -> NDArray[np.uint64]:
    """The perceptual hash of every picture.

    The picture in grey is a sum of cosine waves. Bit ``8 * row + column - 1`` says whether the wave
    with ``row`` half periods down and ``column`` half periods across, 0 to 7, is stronger than the
    median of them; the mean grey, row and column 0, is left out. Brightness and contrast change no
    bit, blur and compression few, and different photographs differ in 32 bits on average.

    Args:
        images: (n, height, width, 1 or 3) uint8, at least 4 x 4 pixels. A side below 8 has as many
            waves as pixels, and the bits of those that it lacks are 0.

    Returns:
        (n,) uint64, the same on every platform.

    Source: C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010,
    section 3.2.1, with the waves taken from the whole picture in place of a 32 x 32 copy of it.

    >>> picture = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1)
    >>> bool(perceptual_hashes(picture)[0] == perceptual_hashes(3 * picture)[0])
    True
    """
    if len(images) == 0:
        return np.zeros(0, dtype=np.uint64)
    chunks = image_chunks(images, _CHUNK_BYTES)
    return np.concatenate([_bits(_waves(pooled_grey(chunk))) for chunk in chunks])


def fingerprint(images: NDArray[np.uint8]) -> Fingerprints:
    """The fingerprints of some pictures in memory, (n, height, width, 1 or 3).

    >>> fingerprint(np.eye(40, dtype=np.uint8).reshape(1, 40, 40, 1)).shapes.shape
    (3, 1, 63)
    """
    grey = pooled_grey(images)
    height, width = grey.shape[1:]
    step = max(1, round(min(height, width) / 100)) if is_shifted(images.shape) else 0
    moves = [(0, 0), (step, step), (step, -step)] if step else [(0, 0)]
    waves = [
        _waves(grey[:, step + y : height - step + y, step + x : width - step + x]) for y, x in moves
    ]
    return Fingerprints(
        hashes=np.stack([_bits(each) for each in waves]),
        shapes=np.stack([_as_int8(each) for each in waves]),
    )


def is_shifted(shape: tuple[int, ...]) -> bool:
    """Whether pictures of a shape (n, height, width, channels) are fingerprinted shifted, too."""
    return min(shape[1:3]) >= SHIFTED_FROM


def join_fingerprints(parts: list[Fingerprints]) -> Fingerprints:
    """The fingerprints of several lots of pictures as one."""
    return Fingerprints(
        hashes=np.concatenate([part.hashes for part in parts], axis=1),
        shapes=np.concatenate([part.shapes for part in parts], axis=1),
    )


def pooled_grey(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Pictures in grey with no side over 128: means of square blocks, in whole sixteenths.

    Args:
        images: (n, height, width, 1 or 3). Rows and columns beyond the last whole block are left
            out.

    Returns:
        (n, height, width), whole numbers of 0..4080.
    """
    if images.shape[3] == 1:
        grey = images[..., 0].astype(np.float64) * 16
    else:
        # At most 65,280: it fits, and two bytes are read faster than eight.
        red, green, blue = (images[..., channel].astype(np.uint16) for channel in range(3))
        weighted = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]
        grey = ((weighted + 8) >> 4).astype(np.float64)
    n, height, width = grey.shape
    block = -(-max(height, width) // _LONGEST_SIDE)
    block = min(block, height, width)
    if block == 1:
        return grey
    rows, columns = height // block, width // block
    blocks = grey[:, : rows * block, : columns * block].reshape(n, rows, block, columns, block)
    return np.rint(blocks.sum(axis=(2, 4)) / block**2)


def _waves(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lowest waves of each picture but its mean, (n, at most 63), whole numbers."""
    down, across = _cosines(grey.shape[1]), _cosines(grey.shape[2])
    waves = np.matmul(np.matmul(down, grey), across.T)
    return waves.reshape(len(grey), -1)[:, 1:]


@cache
def _cosines(n: int) -> NDArray[np.float64]:
    frequencies = np.arange(min(_FREQUENCIES, n))[:, np.newaxis]
    places = 2 * np.arange(n) + 1
    return np.rint(_UNIT * np.cos(np.pi * frequencies * places / (2 * n)))


def _bits(waves: NDArray[np.float64]) -> NDArray[np.uint64]:
    above = waves > np.median(waves, axis=1, keepdims=True)
    places = np.arange(waves.shape[1], dtype=np.uint64)
    return (above.astype(np.uint64) << places).sum(axis=1, dtype=np.uint64)


def _as_int8(waves: NDArray[np.float64]) -> NDArray[np.int8]:
    largest = np.maximum(np.abs(waves).max(axis=1, keepdims=True), 1)
    quantised: NDArray[Any] = np.rint(waves * 127 / largest)
    return quantised.astype(np.int8)
