"""One divided folder with nearly every fault there is, and the list of what has to be found."""

import os

from faults import (
    BAD_FILES,
    SPECIAL_FILES,
    encoded,
    gif_of,
    oriented,
    plant_file,
    put,
    several_frames,
    texture,
)
from PIL import Image

LARGE = 64
"""Pixels of a side: as large as photographs have to be for altered copies to be known again."""

_SPLITS = {"train": 15, "val": 12, "Test": 12}
_CLASSES = ("cat", "dog", "fox", "Fox")


def plant_everything(root):
    """Fill a folder; (kind, path, skipped) of each problem that has to be found, and no other."""
    _put_good(root)
    return [
        *_plant_files(root),
        *_plant_copies(root),
        *_plant_oddities(root),
        *_plant_classes(root),
        *_plant_places(root),
    ]


def large(seed):
    return texture(seed, LARGE, LARGE)


def _put_good(root):
    seed = 10_000
    for split, n in _SPLITS.items():
        for label in _CLASSES:
            for number in range(n):
                seed += 1
                put(root, f"{split}/{label}/{number}.png", large(seed))
    # Pictures that look wrong to other readers, and are not.
    put(root, "train/cat/named wrongly.jpg", large(1))
    put(root, "train/cat/turned.jpg", oriented(2, 6, LARGE, file_format="JPEG", quality=90))
    put(root, "train/dog/deep/er/line\nbreak.png", large(3))
    put(root, "val/dog/cmyk.jpg", encoded(large(4).convert("CMYK"), "JPEG"))
    put(root, "Test/fox/no suffix", large(5))


def _plant_files(root):
    """Each bad file in some class of some split."""
    places = [f"{split}/{label}" for split in _SPLITS for label in _CLASSES]
    expected = []
    for number, fault in enumerate(BAD_FILES):
        expected += plant_file(root, fault, f"{places[number % len(places)]}/{number}")
    if os.name == "posix":
        for plant in SPECIAL_FILES.values():
            expected += [(kind, f"train/{path}", bad) for kind, path, bad in plant(root / "train")]
    name = os.fsdecode(b"not \xff UTF-8.png")
    put(root, f"Test/cat/{name}", b"")
    return [*expected, ("empty_file", f"Test/cat/{name}", True)]


def _plant_copies(root):
    def content(name):
        return (root / name).read_bytes()

    def compressed(name):
        return encoded(Image.open(root / name), "JPEG", quality=80)

    put(root, "train/cat/copy 1.png", content("train/cat/3.png"))
    put(root, "Test/dog/copy 2.png", content("train/dog/3.png"))
    put(root, "val/cat/copy 3.jpg", compressed("train/cat/4.png"))
    put(root, "train/fox/copy 4.jpg", compressed("train/fox/2.png"))
    put(root, "val/fox/copy 5.png", content("val/dog/5.png"))
    put(root, "Test/Fox/copy 6.png", content("train/cat/6.png"))
    return [
        ("duplicate", "train/cat/copy 1.png", False),
        ("duplicate_across_splits", "Test/dog/copy 2.png", False),
        ("near_duplicate_across_splits", "val/cat/copy 3.jpg", False),
        ("near_duplicate", "train/fox/copy 4.jpg", False),
        ("contradictory_labels", "val/fox/copy 5.png", False),
        ("contradictory_labels", "Test/Fox/copy 6.png", False),
    ]


def _plant_oddities(root):
    put(root, "Test/cat/blank.png", Image.new("RGB", (LARGE, LARGE), (30, 90, 200)))
    put(root, "train/dog/page.png", texture(11, 1_500, 1_100))
    put(root, "val/cat/strip.png", texture(12, 16, 400))
    put(root, "train/dog/moving.gif", gif_of(7))
    put(root, "Test/dog/pages.tif", several_frames("TIFF", 13))
    return [
        ("blank_image", "Test/cat/blank.png", False),
        ("unusual_size", "train/dog/page.png", False),
        ("unusual_size", "val/cat/strip.png", False),
        ("animation", "train/dog/moving.gif", False),
        ("animation", "Test/dog/pages.tif", False),
    ]


def _plant_classes(root):
    for number in range(12):
        put(root, f"train/owl/{number}.png", large(20_000 + number))
    for split, n in (("train", 5), ("val", 3), ("Test", 3)):
        for number in range(n):
            put(root, f"{split}/gnu/{number}.png", large(30_000 + 100 * len(split) + number))
    for number in range(60):  # with its others, more than ten times as many as gnu has
        put(root, f"train/dog/more {number}.png", large(40_000 + number))
    (root / "train" / "bird").mkdir()
    broken = plant_file(root, "a PNG cut in half", "val/ant")
    return [
        ("missing_class", "validation", False),
        ("missing_class", "test", False),
        ("small_class", "gnu", False),
        ("class_imbalance", "train", False),
        ("case_twins", "Fox / fox", False),
        ("empty_class", "train/bird", False),
        ("empty_class", "ant", False),
        *broken,
    ]


def _plant_places(root):
    put(root, "stray.png", large(50_000))
    put(root, "Test/stray.png", large(50_001))
    put(root, "README.md", b"# Animals\n")
    return [
        ("outside_classes", "stray.png", True),
        ("outside_classes", "Test/stray.png", True),
        ("other_file", "README.md", True),
    ]
