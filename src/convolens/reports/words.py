"""Words on a page: whatever they hold, they are never taken for markup."""

import re
from html import escape

_LONGEST = 300  # characters of a path or a reason


def one_line(text: str) -> str:
    """Text in one line that can be written as UTF-8, cut where it is very long."""
    # Half of a surrogate pair, from a file name that is no UTF-8, cannot be written as UTF-8.
    whole = " ".join(text.split()).encode("utf-8", "replace").decode("utf-8")
    return whole if len(whole) <= _LONGEST else f"{whole[: _LONGEST - 1]}…"


def as_markdown(text: str) -> str:
    r"""Text as Markdown that says just that: paths hold stars, bars and underscores.

    >>> as_markdown("a_b*")
    'a\\_b\\*'
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", one_line(text))


def as_html(text: str) -> str:
    """Text as HTML that says just that, in an attribute, too.

    >>> as_html('"<b>"')
    '&quot;&lt;b&gt;&quot;'
    """
    return escape(one_line(text))


def percent(share: float) -> str:
    r"""A share as per cent, to a tenth; never "100 %" of what is not all, nor "0 %" of something.

    No line breaks before the sign: the space is one that keeps both together.

    >>> [percent(share).replace("\xa0", " ") for share in (0.9301, 0.99996, 1.0, 0.0003)]
    ['93.0 %', 'over 99.9 %', '100 %', 'below 0.1 %']
    """
    if share in (0.0, 1.0):
        return f"{100 * share:.0f}\xa0%"
    if share >= 0.9995:
        return "over 99.9\xa0%"
    if share < 0.0005:
        return "below 0.1\xa0%"
    return f"{100 * share:.1f}\xa0%"
