"""Reading data sets of picture files: decoding, preparing, drawing batches, and the memory taken.

    python benchmarks/reading.py [--files 50000] [--memory-files 200000] [--rounds 3]
                                 [--workers N] [--folder DIR]

Everything compared is measured in turn in every round, and each round gives one ratio. Decoding and
drawing, which are quick, have three times as many rounds.

- decoding: JPEGs in memory, by one process: Pillow and simplejpeg alone, and ``fit_image``;
- preparing: a folder of JPEGs from an empty cache, against the same number of processes that read
  and decode the same files with Pillow and keep nothing. Those processes run already; ours are
  started within the time that counts. The system has all files in memory;
- drawing: shuffled batches of prepared pictures, against the same batches of an array in memory;
- memory: the peak over all processes while a larger folder is prepared, loaded and read once.

Files are made in a temporary folder, 5 GB of them with what is prepared of them, and removed.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import features

from convolens.data import Images, Preparation, epoch_order
from convolens.data.class_folders import list_class_folders
from convolens.data.duplicates import duplicate_pairs
from convolens.data.pool import Pool
from convolens.data.preparing import prepare_listing
from convolens.images.reading_pool import count_cores
from machine import write_result
from reading_decoding import (
    decode_files,
    decoding,
    load_simplejpeg,
    pillow_fraction,
    pillow_whole,
)
from reading_files import read_all, write_folder
from reading_memory import watch_reading
from reading_report import ratios, show
from workers import spread

BATCH = 256
DECODED = ((256, 256), (375, 500))
QUICK = 3  # times the rounds
LEAST_S = 0.25  # of one visit to something quick
BYTES_A_FILE, BYTES_A_MEMORY_FILE = 100_000, 20_000


def main() -> None:
    arguments = parse()
    needed = max(arguments.files * BYTES_A_FILE, arguments.memory_files * BYTES_A_MEMORY_FILE)
    result = {
        "files": arguments.files,
        "memory_files": arguments.memory_files,
        "rounds": arguments.rounds,
        "workers": arguments.workers,
        "libjpeg_turbo": features.version("libjpeg_turbo"),
        "simplejpeg": getattr(load_simplejpeg(), "__version__", None),
        "load_average_before": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory(prefix="convolens-reading-", dir=arguments.folder) as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < needed:
            raise SystemExit(f"{folder}: needs {needed / 1e9:.1f} GB; name a --folder with more")
        os.environ["CONVOLENS_CACHE"] = str(folder / "cache")
        result["decoding"] = [decoding(*size, QUICK * arguments.rounds) for size in DECODED]
        context = get_context("spawn")
        with ProcessPoolExecutor(arguments.workers, mp_context=context) as processes:
            with temporary(folder, "photographs", arguments.files, processes) as paths:
                photographs = folder / "photographs"
                result["bytes_a_file"] = round(read_all(paths) / len(paths))
                result["preparing"] = preparing(photographs, paths, processes, arguments)
                result["drawing"] = drawing(photographs, arguments)
            with temporary(folder, "thumbnails", arguments.memory_files, processes):
                result["memory"] = memory(folder / "thumbnails", arguments.workers)
    show(result)
    write_result("reading", result)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--memory-files", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=count_cores())
    parser.add_argument("--folder", help="where the temporary folder is made")
    arguments = parser.parse_args()
    if min(arguments.files, arguments.memory_files) < 100 or arguments.rounds < 1:
        parser.error("--files and --memory-files have to be 100 or more, --rounds 1 or more")
    return arguments


@contextmanager
def temporary(folder: Path, kind: str, n: int, processes: Executor) -> Iterator[list[str]]:
    """A folder of pictures, called as what they are; it and what is prepared of it are removed."""
    print(f"\nmaking {n:,} {kind}", flush=True)
    paths = write_folder(folder / kind, kind, n, processes)
    os.sync()
    try:
        yield paths
    finally:
        shutil.rmtree(folder / kind)
        empty_cache()


def empty_cache() -> None:
    shutil.rmtree(os.environ["CONVOLENS_CACHE"], ignore_errors=True)


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result, after the disk has been left in peace."""
    os.sync()
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def preparing(
    folder: Path, paths: list[str], processes: Executor, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Images a second from an empty cache; then what a second opening and the duplicates take."""
    peers = {"Pillow, whole": pillow_whole, "Pillow, fraction": pillow_fraction}
    visits: dict[str, list[float]] = {name: [] for name in (*peers, "ours")}
    seconds: dict[str, list[float]] = {}
    pairs = 0
    for number in range(arguments.rounds):
        for name, decode in peers.items():
            taken, _ = timed(lambda decode=decode: decode_files(paths, decode, processes))
            visits[name].append(len(paths) / taken)
        empty_cache()
        taken, (pool, stages) = timed(lambda: prepared_in_stages(folder, arguments))
        assert len(pool.images) == len(paths)
        visits["ours"].append(len(paths) / taken)
        again, pool = timed(lambda: prepared(folder, arguments))
        search, found = timed(lambda images=pool.images: duplicate_pairs(images))
        pairs = len(found)
        measured = {**stages, "second opening": again, "duplicate_pairs": search}
        for name, value in measured.items():
            seconds.setdefault(name, []).append(value)
        rates = ", ".join(f"{name} {values[-1]:,.0f}/s" for name, values in visits.items())
        print(f"  round {number + 1}: {rates}; {again:.1f} s, {search:.1f} s", flush=True)
    return {
        "images_per_second": {name: spread(values) for name, values in visits.items()},
        "ours_over": {name: ratios(visits, "ours", name) for name in peers},
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "duplicate_pairs_found": pairs,
    }


def prepared(folder: Path, arguments: argparse.Namespace, *tell: Any, **settings: Any) -> Pool:
    preparation = Preparation(workers=arguments.workers, **settings)
    return prepare_listing(list_class_folders(folder), preparation, *tell)


def prepared_in_stages(
    folder: Path, arguments: argparse.Namespace
) -> tuple[Pool, dict[str, float]]:
    """The pool, and the seconds from the end of one stage of it to the end of the next."""
    ends = {"": time.perf_counter()}

    def tell(what: str, _done: int, _n: int) -> None:
        ends[what] = time.perf_counter()

    pool = prepared(folder, arguments, tell)
    times = list(ends.values())
    return pool, dict(zip(list(ends)[1:], np.diff(times).tolist(), strict=True))


def drawing(folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Images a second of shuffled batches, from the cache and from an array, pages warm."""
    rows: list[dict[str, Any]] = []
    for settings in ({}, {"size": 28, "channels": 1}):
        stored = prepared(folder, arguments, **settings).images
        sides: dict[str, Images] = {"stored": stored, "array": np.asarray(stored)}
        first = epoch_order(len(stored), seed=0, epoch=0)[:BATCH]
        assert np.array_equal(stored[first], sides["array"][first])
        visits: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(QUICK * arguments.rounds + 1):
            for name, images in sides.items():
                rate = drawing_rate(images, number)
                if number:  # the first round warms the pages
                    visits[name].append(rate)
        row = {
            "shape": stored.shape[1:],
            "images_per_second": {name: spread(values) for name, values in visits.items()},
            "stored_over_array": ratios(visits, "stored", "array"),
        }
        print(f"\ndrawing: {row}", flush=True)
        rows.append(row)
    return rows


def drawing_rate(images: Images, epoch: int) -> float:
    order = epoch_order(len(images), seed=0, epoch=epoch)
    batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    done, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < LEAST_S:
        for batch in batches:
            images[batch]
        done += len(order)
    return done / seconds


def memory(folder: Path, workers: int) -> dict[str, Any] | None:
    if not Path("/proc/self/statm").exists():
        print("memory is not measured: this system has no /proc")
        return None
    return watch_reading(folder, workers)


if __name__ == "__main__":
    main()
