"""Builders of what can be wrong with a data set, and the judge of how it was answered.

Every builder puts one kind of fault into a folder that holds good pictures as well, and returns the
problems that have to be found: (kind, path, skipped). :func:`judge` asserts that exactly these are.
"""

import hashlib
import io
import os
import socket
import struct
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image

from convolens.data import PROBLEM_KINDS, Dataset, DataSummary, check_data, load_data

SIDE = 24


def texture(seed, height=SIDE, width=SIDE):
    """A smooth colour picture, unlike that of every other seed."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)


def grey_texture(seed):
    return np.asarray(texture(seed).convert("L"))


def encoded(image, file_format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def put(root, name, content: bytes | Image.Image = b""):
    """Write a file; folders are made."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else encoded(content))
    return path


def put_class(root, label, first, n=15):
    """A class of good pictures, named 0.png and so on, of the seeds from ``first``."""
    for number in range(n):
        put(root, f"{label}/{number}.png", texture(first + number))


def put_good(root):
    """Two classes of which, after the division, 12 pictures each are for training."""
    put_class(root, "cat", 0)
    put_class(root, "dog", 100)
    return root


def snapshot(root):
    """Everything of a folder that must not change: kinds, times, modes, links and contents."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (".", *folders, *files):
            path = os.path.normpath(os.path.join(folder, name))  # noqa: PTH118
            status = os.lstat(path)
            content = ""
            if os.path.islink(path):  # noqa: PTH114
                content = os.readlink(path)  # noqa: PTH115
            elif os.path.isfile(path) and os.access(path, os.R_OK):  # noqa: PTH113
                with open(path, "rb") as file:  # noqa: PTH123
                    content = hashlib.sha256(file.read()).hexdigest()
            found[path] = (status.st_mode, status.st_size, status.st_mtime_ns, content)
    return found


def files_of(root):
    """The paths, from the root, of all that is no folder."""
    return sorted(
        os.path.relpath(os.path.join(folder, name), root)  # noqa: PTH118
        for folder, _, files in os.walk(root)
        for name in files
    )


@dataclass(frozen=True)
class Judged:
    """What became of a folder."""

    dataset: Dataset
    summary: DataSummary
    problems: Counter[tuple[str, str, bool]]
    """(kind, path, skipped) of each."""

    def about(self, *paths):
        """The problems of some files alone."""
        return sorted(found for found in self.problems.elements() if found[1] in paths)


def look(root, **options):
    """Load and check a folder: it is left as it was, and no file is lost."""
    before = snapshot(root)
    dataset = load_data(root, **options)
    summary = check_data(dataset)
    assert snapshot(root) == before
    used = [name for split in dataset.splits.values() for name in split.names or ()]
    skipped = [problem.path for problem in dataset.skipped]
    assert sorted([*used, *skipped]) == files_of(root)
    assert summary.seen == summary.used + summary.skipped == len(files_of(root))
    assert all(problem.reason and "\n" not in problem.reason for problem in summary.problems)
    assert set(summary.kinds) <= set(PROBLEM_KINDS)
    return Judged(dataset, summary, problems_of(summary))


def judge(root, expected: Iterable[tuple[str, str, bool]] = (), **options):
    """The same, and what was planted is found and nothing else."""
    judged = look(root, **options)
    assert judged.problems == Counter(expected)
    return judged


def problems_of(found):
    """The problems of a data set or its summary as (kind, path, skipped), with their counts."""
    return Counter((problem.kind, problem.path, problem.skipped) for problem in found.problems)


def picture_of(dataset, name):
    """The pixels of a picture by its name."""
    for split in dataset.splits.values():
        if name in split.names:
            return split.images[split.names.index(name)]
    raise AssertionError(f"{name} is in no split")


# Contents of single files.


def cut_jpeg(tenths):
    content = encoded(texture(900, 48, 48), "JPEG", quality=90)
    return content[: len(content) * tenths // 10]


def flipped(content, position):
    """The same but for one bit."""
    return content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :]


def png_chunk(kind, content):
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def raw_png(width, height, bits, colour, rows):
    """A PNG file from its filtered rows, whatever its head says."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(rows, 9))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + png_chunk(b"IHDR", head) + pixels + png_chunk(b"IEND", b"")


def png_bomb():
    """50,000 x 50,000 pixels in some kilobytes."""
    content = raw_png(50_000, 50_000, 1, 0, bytes(4_000_000))
    assert len(content) < 8_000
    return content


def bmp_bomb():
    head = struct.pack("<IiiHHIIiiII", 40, 50_000, 50_000, 1, 24, 0, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(head), 0, 0, 54) + head + bytes(2_000)


def rgb16_png(values):
    """A 16-bit colour PNG, which Pillow reads but cannot write; values (h, w, 3) of 0..65535."""
    height, width, _ = values.shape
    rows = values.astype(">u2").reshape(height, -1)
    filtered = b"".join(b"\0" + row.tobytes() for row in rows)
    return raw_png(width, height, 16, 2, filtered)


def gif_of(frames, seed=800):
    """A GIF whose one picture is repeated: Pillow, writing, would merge equal frames."""
    content = encoded(texture(seed).quantize(16), "GIF")
    start = content.index(b"\x2c\0\0\0\0", 13)  # where the first picture begins
    assert content[-1:] == b";"
    return content[:start] + content[start:-1] * frames + b";"


def several_frames(file_format, seed, **options):
    first, *others = (texture(seed + number) for number in (0, 1, 2))
    return encoded(first, file_format, save_all=True, append_images=others, **options)


def oriented(seed, mark, height=SIDE, **options):
    """A photograph of a camera held so that its mark is ``mark``, which upright is the texture."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = mark
    turned = texture(seed, height, height)
    # What the camera stores is the upright picture, undone: each mark's inverse.
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    if mark in undo:
        turned = turned.transpose(undo[mark])
    return encoded(turned, exif=exif, **options)


def as_nan_tiff():
    values = np.asarray(grey_texture(700), dtype=np.float32) / 255
    values[3, 4] = np.nan
    return encoded(Image.fromarray(values), "TIFF")


BAD_FILES = {
    "a file of zero bytes": ("empty.jpg", lambda: b"", "empty_file"),
    "text named as a picture": ("words.jpg", lambda: b"not a picture\n" * 50, "not_an_image"),
    "a web page named as a picture": ("page.png", lambda: b"<html><p>404</p>", "not_an_image"),
    "a PDF named as a picture": ("scan.jpg", lambda: b"%PDF-1.4\n" + bytes(99), "not_an_image"),
    "a telephone's HEIC named as JPEG": (
        "photo.jpg",
        lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500),
        "not_an_image",
    ),
    "zeros, as a lost disk block leaves them": ("a.jpg", lambda: bytes(4096), "not_an_image"),
    **{
        f"a JPEG cut at {tenths} tenths": ("cut.jpg", lambda t=tenths: cut_jpeg(t), "damaged")
        for tenths in range(1, 10)
    },
    "a PNG cut in its head": ("cut.png", lambda: encoded(texture(901))[:20], "damaged"),
    "a PNG cut in half": ("cut.png", lambda: encoded(texture(901))[:600], "damaged"),
    "a PNG with a wrong bit": (
        "bit.png",
        lambda: flipped(encoded(texture(902)), 300),
        "damaged",
    ),
    "a WebP with a wrong head": (
        "bit.webp",
        lambda: flipped(encoded(texture(904), "WEBP", lossless=True), 20),
        "damaged",
    ),
    "a WebP cut in half": ("cut.webp", lambda: encoded(texture(905), "WEBP")[:150], "damaged"),
    "a TIFF cut in half": ("cut.tif", lambda: encoded(texture(906), "TIFF")[:900], "damaged"),
    "a BMP cut in half": ("cut.bmp", lambda: encoded(texture(907), "BMP")[:900], "damaged"),
    "a PPM cut in half": ("cut.ppm", lambda: encoded(texture(908), "PPM")[:900], "damaged"),
    "a GIF cut in its head": ("cut.gif", lambda: b"GIF89a\x18\0", "damaged"),
    "a PNG of no height": ("flat.png", lambda: raw_png(24, 0, 8, 2, b""), "damaged"),
    "a PNG bomb": ("bomb.png", png_bomb, "too_large"),
    "a BMP that promises as much": ("bomb.bmp", bmp_bomb, "too_large"),
    "a GIF of 1,001 frames": ("long.gif", lambda: gif_of(1_001), "too_large"),
    "a float TIFF with NaN": ("nan.tif", as_nan_tiff, "not_finite"),
    "a picture in a format that is not read": ("p.heic", lambda: b"\0" * 99, "other_format"),
    "a text file among the pictures": ("notes.txt", lambda: b"by Anna\n", "other_file"),
    "a hidden file": (".1.png", lambda: encoded(texture(903)), "other_file"),
    "Windows' thumbnails": ("Thumbs.db", lambda: b"\xd0\xcf\x11\xe0", "other_file"),
}
"""Name to the file's name, what makes its content, and the kind of its problem."""


def plant_file(root, fault, folder="cat"):
    """Put one of ``BAD_FILES`` into a folder."""
    name, content, kind = BAD_FILES[fault]
    put(root, f"{folder}/{name}", content())
    return [(kind, f"{folder}/{name}", True)]


# What is no file.


def plant_pipe(root):
    os.mkfifo(root / "cat" / "pipe.jpg")
    return [("not_an_image", "cat/pipe.jpg", True)]


def plant_socket(root):
    before = os.getcwd()  # noqa: PTH109
    os.chdir(root)  # a socket's whole path is limited to about a hundred bytes
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("cat/socket.jpg")
    finally:
        os.chdir(before)
    return [("not_an_image", "cat/socket.jpg", True)]


def plant_device(root):
    (root / "cat" / "zeros.jpg").symlink_to("/dev/zero")
    return [("not_an_image", "cat/zeros.jpg", True)]


def plant_dangling_link(root):
    (root / "cat" / "gone.jpg").symlink_to("nowhere.jpg")
    return [("missing_file", "cat/gone.jpg", True)]


def plant_link_to_itself(root):
    (root / "dog" / "self.jpg").symlink_to("self.jpg")
    return [("missing_file", "dog/self.jpg", True)]


def plant_loop_of_links(root):
    (root / "cat" / "up").symlink_to("..")
    (root / "dog" / "one").symlink_to("two")
    (root / "dog" / "two").symlink_to("one")
    return [
        ("link_loop", "cat/up", False),
        ("missing_file", "dog/one", True),
        ("missing_file", "dog/two", True),
    ]


def plant_apple_leftovers(root):
    put(root, "__MACOSX/cat/._0.png", b"\0\5\x16\7" + bytes(90))
    put(root, "cat/.DS_Store", b"\0\0\0\1Bud1")
    names = ("__MACOSX/cat/._0.png", "cat/.DS_Store")
    return [("other_file", name, True) for name in names]


SPECIAL_FILES = {
    "a pipe": plant_pipe,
    "a socket": plant_socket,
    "a device": plant_device,
    "a dangling link": plant_dangling_link,
    "a link to itself": plant_link_to_itself,
    "loops of links": plant_loop_of_links,
    "what a Mac leaves in an archive": plant_apple_leftovers,
}
