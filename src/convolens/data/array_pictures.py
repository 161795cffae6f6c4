"""Pictures in memory, from whatever holds them: one array, rows of values, or a list."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convolens.data.array_layout import stacked, unflattened
from convolens.data.array_values import PixelScale, check_real, is_tensor, to_numpy
from convolens.data.problems import Problem
from convolens.errors import DataError, ImageError
from convolens.images import SAMPLE_NAMES, describe_image, fit_image, load_image

# Pixels of one piece while an array is converted; as float64 eight times as many bytes.
_CHUNK = 2**20


class Target(NamedTuple):
    """What all pictures are brought to."""

    height: int
    width: int
    channels: int
    fit: str


class Fault(NamedTuple):
    """A row that cannot be used, or that a user should know of."""

    row: int
    kind: str
    reason: str
    skipped: bool = True

    def problem(self, name: str) -> Problem:
        """The same under the row's name."""
        return Problem(kind=self.kind, path=name, reason=self.reason, skipped=self.skipped)


class PictureStack:
    """Pictures of one size in one array.

    Args:
        array: (n, height, width, channels) of any real type; never copied as a whole.
        what: what to call it in a message.
    """

    def __init__(self, array: NDArray[Any], what: str) -> None:
        self.array = array
        self._what = what

    def __len__(self) -> int:
        return len(self.array)

    def survey(self, rows: NDArray[np.int64], scale: PixelScale) -> tuple[Any, list[Fault]]:
        """Look at some rows: their shapes (k, 3), and what is wrong with any."""
        faults: list[Fault] = []
        if not scale.keeps(self.array.dtype):
            for chunk in self._chunks(rows):
                finite = scale.see(self.array[chunk], self._what)
                faults += [_not_finite(row) for row in chunk[~finite].tolist()]
        height, width, channels = self.array.shape[1:]
        shape = (height, width, 1 if channels <= 2 else 3)
        return np.broadcast_to(np.array(shape), (len(rows), 3)), faults

    def fill(
        self, out: NDArray[np.uint8], rows: NDArray[np.int64], scale: PixelScale, target: Target
    ) -> list[Fault]:
        """Write some rows, scaled and fitted, into (k, height, width, channels) uint8."""
        start = 0
        for chunk in self._chunks(rows):
            pixels = scale.convert(self.array[chunk])
            place = out[start : start + len(chunk)]
            if pixels.shape == place.shape:
                place[...] = pixels
            else:
                for picture, fitted in zip(pixels, place, strict=True):
                    fitted[...] = fit_image(picture, *target[:3], policy=target.fit)
            start += len(chunk)
        return []

    def as_they_are(
        self, rows: NDArray[np.int64], scale: PixelScale, target: Target
    ) -> NDArray[np.uint8] | None:
        """The array itself, where all of it is used and nothing has to be changed."""
        unchanged = self.array.shape[1:] == target[:3] and scale.keeps(self.array.dtype)
        return np.ascontiguousarray(self.array) if unchanged and len(rows) == len(self) else None

    def _chunks(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        step = max(1, _CHUNK // max(1, int(np.prod(self.array.shape[1:]))))
        for start in range(0, len(rows), step):
            yield rows[start : start + step]


class PictureList:
    """Pictures one by one: arrays, tensors, paths, bytes or Pillow images, of any sizes.

    Args:
        pictures: as above. Files are opened twice: for their sizes, and to be decoded.
        what: what to call a picture in a message; its number follows.
        channels_first: whether arrays are (channels, height, width).

    Raises:
        DataError: an array that is no picture.
    """

    def __init__(self, pictures: Sequence[Any], what: str, *, channels_first: bool) -> None:
        self._what = what
        self._pictures = [
            self._as_stack(picture, row, channels_first) for row, picture in enumerate(pictures)
        ]

    def __len__(self) -> int:
        return len(self._pictures)

    def survey(self, rows: NDArray[np.int64], scale: PixelScale) -> tuple[Any, list[Fault]]:
        """Look at some rows: their shapes (k, 3), and what is wrong with any."""
        shapes = np.zeros((len(rows), 3), dtype=np.int64)
        faults: list[Fault] = []
        for position, row in enumerate(rows.tolist()):
            picture = self._pictures[row]
            if isinstance(picture, PictureStack):
                shape, found = picture.survey(np.zeros(1, np.int64), scale)
                shapes[position] = shape[0]
                faults += [fault._replace(row=row) for fault in found]
                continue
            try:
                *shapes[position], note = _look(picture)
            except ImageError as error:
                faults.append(Fault(row, error.kind, str(error)))
            else:
                faults += [] if note is None else [Fault(row, "animation", note, skipped=False)]
        return shapes, faults

    def fill(
        self, out: NDArray[np.uint8], rows: NDArray[np.int64], scale: PixelScale, target: Target
    ) -> list[Fault]:
        """Write some rows, scaled and fitted; what fails is left as it is, and said."""
        faults: list[Fault] = []
        for place, row in zip(out, rows.tolist(), strict=True):
            picture = self._pictures[row]
            if isinstance(picture, PictureStack):
                picture.fill(place[np.newaxis], np.zeros(1, np.int64), scale, target)
                continue
            try:
                place[...] = fit_image(picture, *target[:3], policy=target.fit)
            except ImageError as error:
                # It was there when its size was read.
                kind = "vanished" if error.kind == "missing_file" else error.kind
                faults.append(Fault(row, kind, str(error)))
        return faults

    def _as_stack(self, picture: Any, row: int, channels_first: bool) -> Any:
        what = f"{self._what}[{row}]"
        if isinstance(picture, str | Path | bytes | Image.Image):
            return picture
        if not isinstance(picture, np.ndarray) and not is_tensor(picture):
            raise DataError(
                f"{what} is a {type(cast('object', picture)).__name__}; allowed in a list: arrays, "
                "tensors, paths, bytes, Pillow images"
            )
        array = to_numpy(picture, what)
        if array.ndim not in (2, 3):
            raise DataError(f"{what} of shape {array.shape}; allowed: (height, width[, channels])")
        return PictureStack(stacked(array[np.newaxis], what, channels_first), what)


Pictures = PictureStack | PictureList


def as_pictures(
    x: Any, what: str, shape: Sequence[int] | None = None, *, channels_first: bool = False
) -> Pictures:
    """Recognise how pictures are laid out.

    Args:
        x: an array or tensor (n, height, width), (n, height, width, channels) or, with ``shape``,
            (n, values); or a list of pictures.
        what: what to call it in a message.
        shape: of flat rows: (height, width) or (height, width, channels).
        channels_first: whether channels come before height, in ``x`` or inside its flat rows.

    Raises:
        DataError: another layout or type.

    >>> as_pictures(np.zeros((5, 12)), "X", (2, 2, 3)).array.shape
    (5, 2, 2, 3)
    """
    if isinstance(x, list | tuple) and x and _is_picture(cast("Any", x[0])):
        return PictureList(cast("Sequence[Any]", x), what, channels_first=channels_first)
    if isinstance(x, Image.Image):
        raise DataError(f"{what} is a single Pillow image; allowed: a list of them, or an array")
    array = to_numpy(x, what)
    check_real(array.dtype, f"{what} of shape {array.shape}")
    if array.ndim == 2:
        array = unflattened(array, what, shape, channels_first)
    elif shape is not None and array.ndim in (3, 4):
        last = np.moveaxis(array, 1, 3) if channels_first and array.ndim == 4 else array
        if tuple(shape) not in (last.shape[1:], (*last.shape[1:], 1)):
            raise DataError(f"{what} of shape {array.shape}; shape is {tuple(shape)}: leave it out")
    return PictureStack(stacked(array, what, channels_first), what)


def _is_picture(value: Any) -> bool:
    if isinstance(value, np.ndarray) or is_tensor(value):
        return value.ndim >= 2
    return isinstance(value, str | Path | bytes | Image.Image) or value is None


def _look(picture: Any) -> tuple[int, int, int, str | None]:
    """Height, width and channels of what is no array, and what a user should know."""
    if isinstance(picture, Image.Image) or picture in SAMPLE_NAMES:
        return *load_image(picture).shape, None
    facts = describe_image(picture)
    return facts.height, facts.width, facts.channels, facts.note


def _not_finite(row: int) -> Fault:
    return Fault(row, "not_finite", "holds NaN or infinity")
