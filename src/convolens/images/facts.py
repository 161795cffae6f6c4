"""What a picture file says of itself before it is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """The head of a picture file."""

    format: str
    """"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF" or "PPM", by content. A camera's file of several
    JPEGs (MPO) is a "JPEG"."""
    height: int
    """Rows, with the picture upright."""
    width: int
    """Columns, likewise."""
    channels: int
    """1 where the picture is stored as grey, else 3."""
    frames: int = 1
    """Frames of an animation, or pages; 1 for a JPEG, whatever else lies behind the picture."""

    @property
    def note(self) -> str | None:
        """What a user should know of how the picture is read, if anything."""
        if self.frames == 1:
            return None
        what = "pages" if self.format == "TIFF" else "frames"
        return f"holds {self.frames:,} {what}; the first one is used"
