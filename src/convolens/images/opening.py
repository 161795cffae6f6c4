"""From a file or bytes to something that can be decoded, within the limits."""

import io
import os
import time
from pathlib import Path

from convolens.errors import ImageError
from convolens.images.limits import ImageLimits


def read_content(path: Path | str, name: str, limits: ImageLimits) -> bytes:
    """The bytes of a regular file that is neither empty nor too large.

    Raises:
        ImageError: of the kind "missing_file", "unreadable", "empty_file", "too_large", "vanished".
    """
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(min(size, limits.bytes) + 1)
    except FileNotFoundError:
        raise ImageError(f"{name}: there is no such file", kind="missing_file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{name}: cannot be read: {reason}", kind="unreadable") from None
    check_content(content, name, limits)
    if len(content) != size:
        raise ImageError(f"{name}: the file changed while it was read", kind="vanished")
    return content


def check_content(content: bytes, name: str, limits: ImageLimits) -> None:
    """Refuse bytes that are none, or more than the limit."""
    if not content:
        raise ImageError(f"{name}: the file is empty (0 bytes)", kind="empty_file")
    if len(content) > limits.bytes:
        raise ImageError(
            f"{name}: more than {limits.bytes:,} bytes; larger files are not read: make the "
            "picture smaller, or raise the limit on bytes",
            kind="too_large",
        )


class TimedBytes(io.BytesIO):
    """Bytes that refuse to be read any further when the time is over.

    Pillow's readers come back for more every 64 KiB or less, so that a file which keeps them busy
    ends here. What one call into a decoder does with what it has is bounded by the other limits.
    """

    def __init__(self, content: bytes, name: str, seconds: float) -> None:
        super().__init__(content)
        self._late = f"{name}: takes longer than {seconds:g} s to read; it is given up on"
        self._end = time.monotonic() + seconds

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, or raise the ImageError of a file that takes too long."""
        if time.monotonic() > self._end:
            raise ImageError(self._late, kind="too_slow")
        return super().read(size)
