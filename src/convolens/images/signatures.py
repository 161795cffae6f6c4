"""What the bytes of a file say and Pillow does not: how it begins, and that a bit is wrong."""

import struct
import zlib

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
    view, start = memoryview(content), len(_PNG)
    while start + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, start)
        end = start + 8 + length
        if end + 4 > len(content):
            return
        kind = content[start + 4 : start + 8]
        if kind in _DECISIVE and zlib.crc32(view[start + 4 : end]) != int.from_bytes(
            view[end : end + 4], "big"
        ):
            raise ImageError(
                f"{name}: the picture is damaged (its part {kind.decode()} has a wrong checksum)"
            )
        start = end + 4
