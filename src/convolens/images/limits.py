"""How much of a machine one picture may take."""

from dataclasses import dataclass, fields

from convolens.config import check_whole
from convolens.errors import ConfigError

MEBIBYTE = 2**20
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class ImageLimits:
    """What a picture may be at most. All but the last two are checked before anything is decoded.

    Raises:
        ConfigError: a limit that is not a whole number of at least 1, or a time that is not above 0
            and at most a day.

    >>> ImageLimits(pixels=10**6).pixels
    1000000
    """

    bytes: int = 512 * MEBIBYTE
    """Size of the file: room for 50 million pixels of 16-bit colour, uncompressed."""
    pixels: int = 50_000_000
    """Height times width. Well above a camera's 24 million; as RGB it takes 150 MB. A few kilobytes
    of a crafted file can promise thousands of millions."""
    frames: int = 1_000
    """Frames of an animation, or pages of a TIFF. The first alone is used."""
    seconds: float = 10.0
    """Time after which a picture is given up on; at most a day, as timers know no infinity."""
    memory: int = 2048 * MEBIBYTE
    """Bytes that a process which does nothing but read pictures may take for one, beyond what it
    takes when idle."""

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.name != "seconds":
                check_whole(entry.name, value, 1, 2**63 - 1)
            elif (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not 0 < value <= _DAY
            ):
                raise ConfigError(
                    f"seconds is {value!r}; allowed: a number above 0 and at most {_DAY:,}"
                )


DEFAULT_LIMITS = ImageLimits()
