"""What the bytes of a file say and Pillow does not: how it begins, and that a bit is wrong."""

import struct
import zlib
from collections.abc import Iterator

from convolens.errors import ImageError

_PNG = b"\x89PNG\r\n\x1a\n"
_BEGINNINGS = {
    b"\xff\xd8\xff": "JPEG",
    _PNG: "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
# What decides the pixels; a picture is not lost for what is written beside it.
_DECISIVE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT"}
# Where an orientation mark may be written.
_NOTES = {b"eXIf", b"tEXt", b"zTXt", b"iTXt"}
_LAST_PART = b"\0\0\0\0IEND\xae\x42\x60\x82"
# 50 million pixels of 16-bit colour in libpng's parts of 8 KiB are 37,000. A part takes 12 bytes at
# least: without a limit a large file keeps whoever walks over its parts busy for half a minute.
_MOST_PARTS = 1_000_000


def format_begun(content: bytes) -> str | None:
    """The format whose first bytes these are, if any; no text or other file begins like that.

    >>> format_begun(b"GIF89a and no more"), format_begun(b"GIF pictures")
    ('GIF', None)
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    return next((name for start, name in _BEGINNINGS.items() if content.startswith(start)), None)


def check_png(content: bytes, name: str) -> None:
    """Refuse a PNG file of which a checksum says that its pixels are not those that were written.

    Pillow skips the checksums of the pixels, and does not read the one at their end either.

    Args:
        content: the file. Where it ends early nothing is said: the decoder finds that out.
        name: what to call it in a message.

    Raises:
        ImageError: a part that decides the pixels has a wrong checksum.

    Source: Portable Network Graphics, third edition, section 5.3.
    """
    view = memoryview(content)
    for kind, start, end in _parts(content, name):
        if kind in _DECISIVE and zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(
            view[end - 4 : end], "big"
        ):
            raise ImageError(
                f"{name}: the picture is damaged (its part {kind.decode()} has a wrong checksum)"
            )


def png_notes(content: bytes, name: str) -> bytes | None:
    """A PNG file without its pixels, where something that matters is written behind them.

    Args:
        content: the file.
        name: what to call it in a message.

    Returns:
        A file of the same head and notes (Exif and texts), which can be opened and not decoded;
        None where no note follows the pixels.

    Raises:
        ImageError: it has more parts than any picture needs.
    """
    kept, behind, pixels = [_PNG], False, False
    for kind, start, end in _parts(content, name):
        if kind == b"IHDR" or kind in _NOTES:
            kept.append(content[start:end])
            behind = behind or pixels
        pixels = pixels or kind == b"IDAT"
    return b"".join([*kept, _LAST_PART]) if behind else None


def _parts(content: bytes, name: str) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each whole part of a PNG file."""
    start = len(_PNG)
    for _ in range(_MOST_PARTS):
        if start + 12 > len(content):
            return
        (length,) = struct.unpack_from(">I", content, start)
        end = start + 12 + length
        if end > len(content):
            return
        yield content[start + 4 : start + 8], start, end
        start = end
    raise ImageError(
        f"{name}: a PNG of more than {_MOST_PARTS:,} parts, which no picture needs; save it again",
        kind="too_large",
    )
