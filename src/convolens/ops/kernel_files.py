"""Kernels of one's own, from a small text, CSV or NPY file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from convolens.errors import ConfigError
from convolens.ops.arrays import Array
from convolens.ops.kernel_shapes import LARGEST_SIZE

LARGEST_FILE = 2 * 2**20
SUFFIXES = (".txt", ".csv", ".npy")
_HEADERS: dict[Any, Callable[[Any], Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def load_kernel(path: str | Path) -> Array:
    r"""Read a kernel from a file.

    Args:
        path: a ``.txt`` or ``.csv`` file with one row of numbers a line, separated by commas or
            blanks (``#`` starts a comment), or a ``.npy`` file with a (height, width) array.

    Returns:
        (height, width), float32.

    Raises:
        ConfigError: the file is missing, too large, not numeric, ragged, empty or not finite. The
            message names the file and, for text, the line.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "edge.txt"
    >>> _ = file.write_text("# left to right\n-1 0 1\n")
    >>> load_kernel(file)
    array([[-1.,  0.,  1.]], dtype=float32)
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"{path}: a kernel file must end in {', '.join(SUFFIXES)}")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(
                f"{path} has {path.stat().st_size} bytes; a kernel file may have {LARGEST_FILE}"
            )
        values = _read_npy(path) if suffix == ".npy" else _read_text(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    _check_shape(path, values.shape)
    with np.errstate(over="ignore"):
        kernel = values.astype(np.float32)
    if not np.isfinite(kernel).all():
        raise ConfigError(f"{path} holds a value that is not a finite 32-bit number")
    return kernel


def _read_npy(path: Path) -> Array:
    with path.open("rb") as file:
        try:
            # The header alone first: it may claim more than any memory holds.
            version = np.lib.format.read_magic(file)
            shape, _, dtype = _HEADERS[version](file)
            _check_shape(path, shape)
            if dtype.kind not in "biuf":
                raise ConfigError(f"{path} must hold integers or real numbers, not {dtype}")
            file.seek(0)
            return np.lib.format.read_array(file, allow_pickle=False)
        except ConfigError:
            raise
        except (ValueError, EOFError, KeyError):
            raise ConfigError(f"{path} is damaged or not an .npy file of format 1 or 2") from None


def _read_text(path: Path) -> Array:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text file") from None
    rows = list[list[float]]()
    for number, line in enumerate(lines, start=1):
        content = line.partition("#")[0].strip()
        if content:
            rows.append([_value(path, number, word) for word in _words(content)])
            if len(rows[-1]) != len(rows[0]):
                raise ConfigError(
                    f"{path}, line {number}: {len(rows[-1])} values, but the first row has "
                    f"{len(rows[0])}; every row must have as many"
                )
    return np.array(rows, np.float64).reshape(len(rows), -1 if rows else 0)


def _words(content: str) -> list[str]:
    return [word for part in content.split(",") for word in part.split() or [""]]


def _value(path: Path, line: int, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise ConfigError(f"{path}, line {line}: {word!r} is not a number") from None


def _check_shape(path: Path, shape: tuple[int, ...]) -> None:
    if 0 in shape:
        raise ConfigError(f"{path} is empty; it must hold at least one number")
    if len(shape) != 2:
        raise ConfigError(f"{path} holds an array of shape {shape}; it must be (height, width)")
    if max(shape) > LARGEST_SIZE:
        raise ConfigError(
            f"{path} holds a kernel of shape {shape}; at most {LARGEST_SIZE} rows and columns"
        )
