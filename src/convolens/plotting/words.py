"""Text that fits its place and that the fonts at hand can draw."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font

from convolens.plotting.style import font_families

LINE = 1.25
"""Height of a line of text, as a multiple of its size."""

_MISSING = "□"
_LONGEST = 300
_MEASURED_AT = 100.0


def drawable(text: object) -> str:
    r"""The text on one line, with a box for every character that no font here can draw.

    >>> drawable("  naïve\ncafé ")
    'naïve café'
    """
    one_line = " ".join(str(text)[:_LONGEST].split())
    kept = (char for char in one_line if unicodedata.category(char) not in ("Cc", "Cf"))
    return "".join(char if _has_glyph(char) else _MISSING for char in kept)


def drawable_names(names: Sequence[object]) -> list[str]:
    r"""Names, told apart by their number where a font cannot draw them.

    >>> drawable_names(["shoe", "\ue000"])
    ['shoe', '1 □']
    """
    texts = [drawable(name) for name in names]
    return [
        f"{index} {text}".strip() if _MISSING in text or not text else text
        for index, text in enumerate(texts)
    ]


def fit(text: object, width: float, size: float, lines: int = 1) -> str:
    r"""The text broken into at most ``lines`` lines, and shortened in its middle if it must be.

    The middle, because names of one family differ at their ends.

    Args:
        text: any text; line breaks in it count as spaces.
        width: room for a line, in inches.
        size: size of the letters, in points.
        lines: how many lines there is room for.

    Returns:
        The lines, joined by newlines.

    >>> fit("Ankle boot", 1.0, 10), fit("a T-shirt or a top", 0.7, 10, lines=2)
    ('Ankle boot', 'a T-shirt\nor a top')
    >>> fit("Very long name A", 0.7, 10)
    'Very…e A'
    """
    rest = drawable(text)
    done: list[str] = []
    while len(done) < lines - 1 and text_width(rest, size) > width:
        head = _first_line(rest, width, size)
        if not head:
            break
        done.append(head.strip())
        rest = rest[len(head) :].strip()
    return "\n".join([*done, _shorten(rest, width, size)])


def text_width(text: str, size: float) -> float:
    """Width of one line of text, in inches."""
    return sum(map(_advance, text)) * size / 72


def _first_line(text: str, width: float, size: float) -> str:
    """As many whole parts of the text as fit; nothing if not even one does."""
    taken = ""
    for part in re.split(r"(?<=[\s/_-])", text):
        if text_width((taken + part).rstrip(), size) > width:
            break
        taken += part
    return taken


def _shorten(text: str, width: float, size: float) -> str:
    if text_width(text, size) <= width:
        return text
    kept = bisect_right(
        range(2, len(text)), width, key=lambda kept: text_width(_without_middle(text, kept), size)
    )
    return _without_middle(text, kept + 1) if kept else text[:1] + "…"


def _without_middle(text: str, kept: int) -> str:
    """The first and the last of its characters, ``kept`` of them, around an ellipsis."""
    tail = kept // 2
    return f"{text[: kept - tail]}…{text[len(text) - tail :]}"


@cache
def _advance(character: str) -> float:
    """Width of a character as a multiple of the text's size."""
    font = _font_with(character) or _fonts()[0]
    font.set_size(_MEASURED_AT, 72)
    return font.load_char(ord(character)).linearHoriAdvance / 65536 / _MEASURED_AT


def _has_glyph(character: str) -> bool:
    return _font_with(character) is not None


@cache
def _font_with(character: str) -> FT2Font | None:
    return next((font for font in _fonts() if font.get_char_index(ord(character))), None)


def _fonts() -> list[FT2Font]:
    return [get_font(path) for path in _font_paths()]


@cache
def _font_paths() -> list[str]:
    return [findfont(FontProperties(family=family)) for family in font_families()]
