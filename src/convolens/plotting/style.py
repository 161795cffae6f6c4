"""The house style: sizes, colours, and a way to apply them without touching anybody's settings.

Sizes follow from the smallest screen. A figure is six inches wide; on a phone it is shown 380 CSS
pixels wide, so that 10 point text is 8.8 pixels high there, and 9 point text, the smallest used,
7.9. Colours are from Okabe and Ito (2008), "Color Universal Design": told apart
by all common kinds of colour vision. Nothing is said by colour alone.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib.font_manager import fontManager

WIDTH = 6.0
TEXT = 10.0
SMALL = 9.0
TITLE = 12.0

INK = "#1a1a1a"
MUTED = "#595959"
RULE = "#b5b5b5"
BLUE = "#0072b2"
VERMILLION = "#d55e00"
NOT_FINITE = "#f0e442"
"""Yellow, where a value is NaN or infinite: in none of our colour maps and, to no eye, a grey."""

_SETTINGS: dict[str, Any] = {
    "figure.dpi": 100,
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "figure.titlesize": TITLE,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "text.color": INK,
    "axes.unicode_minus": True,
    # A class may be called "$5": names are text, never formulas.
    "text.parse_math": False,
    "hatch.linewidth": 0.8,
    # The same picture gives the same bytes, and text in a PDF can be searched.
    "svg.hashsalt": "convolens",
    "pdf.fonttype": 42,
}

# Fonts that are known to draw what DejaVu Sans, which comes with matplotlib, cannot.
_FALLBACK_FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Nirmala UI",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Arial Unicode MS",
)

# rc_context saves and restores settings that belong to the whole process: two threads inside it at
# once could leave one's settings behind for good.
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def house_style() -> Iterator[None]:
    """Figures made, and files written, inside this block have the house style.

    matplotlib's settings are as before afterwards, and what a user set there does not leak into
    our figures.

    >>> before = mpl.rcParams["font.size"]
    >>> with house_style():
    ...     inside = mpl.rcParams["axes.titlesize"]
    >>> inside, mpl.rcParams["font.size"] == before
    (10.0, True)
    """
    with _ONE_AT_A_TIME, mpl.rc_context():
        mpl.rcdefaults()
        for name, setting in _SETTINGS.items():
            mpl.rcParams[name] = setting  # pyright: ignore[reportArgumentType]
        mpl.rcParams["font.family"] = list(font_families())
        yield


@cache
def font_families() -> tuple[str, ...]:
    """DejaVu Sans, then those fonts of this machine that draw what it lacks."""
    installed = {font.name for font in fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in _FALLBACK_FAMILIES if name in installed))
