"""Picture files to measure reading with: no two alike, made from scikit-learn's two photographs.

A picture is a random part of one photograph, turned and mirrored at random, laid over another such
part. Plain crops would be quicker to make, but most of them would be near duplicates of each other,
which no data set is. The JPEGs have nine tenths of the bytes of plain crops' and take as long to
decode (200 of 375 x 500 of either kind, five times in turn: medians of 1.79 ms both).
"""

import io
import os
import time
from concurrent.futures import Executor
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

QUALITY = 90
CLASSES = 10
_HOUR = 3600.0
_AT_ONCE = 250


def make_jpeg(number: int, height: int, width: int) -> bytes:
    """The JPEG of one picture, a pure function of its number and size."""
    chance = np.random.default_rng([number, height, width])
    views = _views()
    first, second = (views[chance.integers(len(views))] for _ in range(2))
    above, below = (_part(view, height, width, chance) for view in (first, second))
    file = io.BytesIO()
    Image.blend(above, below, chance.uniform(0.4, 0.6)).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def photograph_like(number: int) -> bytes:
    """A JPEG of about 500 x 375, each of another size."""
    chance = np.random.default_rng(number)
    return make_jpeg(number, int(chance.integers(335, 416)), int(chance.integers(450, 551)))


def thumbnail(number: int) -> bytes:
    """A JPEG of 64 x 64."""
    return make_jpeg(number, 64, 64)


KINDS = {"photographs": photograph_like, "thumbnails": thumbnail}


def write_folder(folder: Path, kind: str, n: int, processes: Executor) -> list[str]:
    """Write n JPEGs into ten class folders.

    Args:
        folder: made if missing.
        kind: a key of ``KINDS``.
        n: how many.
        processes: that make them.

    Returns:
        Their paths; the n files are the same at every call.
    """
    for label in range(CLASSES):
        (folder / f"class {label}").mkdir(parents=True, exist_ok=True)
    paths: list[str] = []
    parts = [range(start, min(start + _AT_ONCE, n)) for start in range(0, n, _AT_ONCE)]
    told = time.monotonic()
    for part in processes.map(partial(write_part, folder, kind), parts):
        paths += part
        if time.monotonic() - told > 20 or len(paths) == n:
            told = time.monotonic()
            print(f"  {kind}: {len(paths):,} of {n:,} written", flush=True)
    return paths


def write_part(folder: Path, kind: str, numbers: range) -> list[str]:
    """Write the files of some numbers, in another process."""
    written = time.time() - _HOUR
    paths = []
    for number in numbers:
        path = folder / f"class {number % CLASSES}" / f"{number:07d}.jpg"
        path.write_bytes(KINDS[kind](number))
        # A file that changed in the last two seconds may do so again, and is not kept in the index.
        os.utime(path, (written, written))
        paths.append(str(path))
    return paths


def read_all(paths: list[str]) -> int:
    """Read every file, so that the system has it in memory; the bytes of all."""
    return sum(len(Path(path).read_bytes()) for path in paths)


@cache
def _views() -> list[Image.Image]:
    """Both photographs in all eight orientations."""
    photographs = [
        Image.fromarray(load_sample_image(f"{name}.jpg")) for name in ("china", "flower")
    ]
    turned = [photo.transpose(method) for photo in photographs for method in Image.Transpose]
    return [*photographs, *turned]


def _part(view: Image.Image, height: int, width: int, chance: np.random.Generator) -> Image.Image:
    """A random part, half to twice as large as wanted where it is that large, brought to size."""
    largest = min(view.width / width, view.height / height, 2.0)
    scale = chance.uniform(largest / 2, largest)
    left = chance.uniform(0, view.width - scale * width)
    top = chance.uniform(0, view.height - scale * height)
    box = (left, top, left + scale * width, top + scale * height)
    return view.resize((width, height), Image.Resampling.BICUBIC, box=box)
