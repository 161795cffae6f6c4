"""Decoders alone, which reading is measured against: Pillow, and simplejpeg where it is had."""

import importlib.util
import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convolens.images import fit_image
from reading_files import make_jpeg
from reading_report import ratios
from workers import spread

SIDE = 96
"""Of the square that pictures are brought to: what folders of larger pictures get by default."""
REQUIREMENT = "simplejpeg==1.9.0"
FOLDER = Path(__file__).resolve().parent / ".venv-simplejpeg"

PICTURES = 200
LEAST_S = 0.25  # of one visit

Decode = Callable[[bytes], Any]


def pillow_whole(content: bytes) -> Image.Image:
    """Every pixel of a JPEG."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def pillow_fraction(content: bytes) -> Image.Image:
    """At the smallest fraction that holds the picture at the needed size."""
    image = Image.open(io.BytesIO(content))
    scale = SIDE / max(image.size)
    image.draft(None, (round(image.width * scale), round(image.height * scale)))
    image.load()
    return image


def fitted(content: bytes) -> Any:
    """What Convolens makes of it: checked, decoded at a fraction, resized and padded."""
    return fit_image(content, SIDE, SIDE, 3)


def decoders(height: int, width: int) -> dict[str, Decode]:
    """Every decoder of JPEGs of one size, by its name."""
    named: dict[str, Decode] = {
        "Pillow, whole": pillow_whole,
        "Pillow, fraction": pillow_fraction,
    }
    simplejpeg = load_simplejpeg()
    if simplejpeg is not None:
        scale = SIDE / max(height, width)
        least = {"min_height": round(height * scale), "min_width": round(width * scale)}
        named["simplejpeg, whole"] = partial(simplejpeg.decode_jpeg, colorspace="RGB")
        named["simplejpeg, fraction"] = partial(
            simplejpeg.decode_jpeg, colorspace="RGB", min_factor=1, **least
        )
    return {**named, "fit_image": fitted}


def load_simplejpeg() -> Any:
    """The module: as installed, else from a folder of its own, else None. Never a dependency."""
    if importlib.util.find_spec("simplejpeg") is None:
        if not _installed_beside():
            return None
        if str(FOLDER) not in sys.path:
            sys.path.append(str(FOLDER))
            importlib.invalidate_caches()
    return importlib.import_module("simplejpeg")


def decode_files(paths: list[str], decode: Decode, processes: Executor) -> int:
    """Read and decode files in several processes, and keep nothing; the pixels of all."""
    at_once = 32
    parts = (paths[start : start + at_once] for start in range(0, len(paths), at_once))
    return sum(processes.map(partial(decode_part, decode), parts))


def decode_part(decode: Decode, paths: Iterable[str]) -> int:
    """Read and decode some files, in another process; the pixels of all."""
    total = 0
    for path in paths:
        image = decode(Path(path).read_bytes())
        total += image.width * image.height
    return total


def decoding(height: int, width: int, rounds: int) -> dict[str, Any]:
    """Images a second of one process, from the bytes of JPEGs of one size."""
    print(f"\ndecoding {height} x {width}", flush=True)
    contents = [make_jpeg(number, height, width) for number in range(PICTURES)]
    named = decoders(height, width)
    check(named, contents[0], height, width)
    visits: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(rounds):
        for name, decode in named.items():
            visits[name].append(decoding_rate(decode, contents))
    result: dict[str, Any] = {
        "height": height,
        "width": width,
        "bytes_a_file": round(sum(map(len, contents)) / len(contents)),
        "images_per_second": {name: spread(values) for name, values in visits.items()},
    }
    others = [name for name in named if name != "fit_image"]
    result["fit_image_over"] = {other: ratios(visits, "fit_image", other) for other in others}
    return result


def check(named: dict[str, Decode], content: bytes, height: int, width: int) -> None:
    """All have to give the same picture, at the size expected, before their times mean anything."""
    means = {}
    for name, decode in named.items():
        pixels = np.asarray(decode(content))
        if name == "fit_image":
            assert pixels.shape == (SIDE, SIDE, 3)
            pixels = pixels[pixels.any(axis=(1, 2))]  # without the padding above and below
        elif name.endswith("whole"):
            assert pixels.shape == (height, width, 3)
        else:
            assert SIDE <= max(pixels.shape) < 2 * SIDE
        means[name] = pixels.mean(axis=(0, 1))
    expected = means["Pillow, whole"]
    if not all(np.allclose(mean, expected, atol=2) for mean in means.values()):
        raise RuntimeError(f"the decoders differ in mean colour: {means}")


def decoding_rate(decode: Decode, contents: list[bytes]) -> float:
    decode(contents[0])
    done, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < LEAST_S:
        for content in contents:
            decode(content)
        done += len(contents)
    return done / seconds


def _installed_beside() -> bool:
    """Whether the folder has it; it is put there the first time."""
    complete = FOLDER / "complete"
    if complete.exists() and complete.read_text() == REQUIREMENT:
        return True
    print(f"installing {REQUIREMENT} into {FOLDER} ...", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
    done = subprocess.run([*command, "--target", FOLDER, REQUIREMENT], check=False).returncode == 0
    if done:
        complete.write_text(REQUIREMENT)
    else:
        print("it cannot be installed: measured without it", file=sys.stderr)
    return done
