r"""Text in the cells of a CSV file that a spreadsheet opens, and saves, without changing it.

A spreadsheet takes a cell that begins with ``=`` for a formula, ``007`` for the number 7, ``1-2``
for a day in January and ``true`` for a truth value, and saves what it took them for. Such texts are
written with an apostrophe before them, which makes them text to people and programs alike, and
which is taken off when the file is read. Control characters, which a spreadsheet changes or drops,
and the lone surrogates of file names that are not UTF-8 are written as ``\u000a``.

Source: OWASP, "CSV injection", for the signs that begin a formula.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from convolens.errors import ConvolensError, DataError

_ESCAPED = re.compile(r"\\u(d[89a-f][0-9a-f]{2}|00[01][0-9a-f]|007f|005c)")
_TO_ESCAPE = re.compile(
    r"[\x00-\x1f\x7f\ud800-\udfff]|\\(?=u(?:d[89a-f][0-9a-f]{2}|00[01][0-9a-f]|007f|005c))"
)
_FORMULA = tuple("=+-@'")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,14}")  # more digits than that are rounded
_LETTERS = re.compile(r"[^\W\d_]+")
# With a digit and no other letters than these it may be a date, a time or a number. The months are
# those of English, German, French, Italian and Spanish, by their first letters.
_OF_NUMBERS = re.compile(
    "(?:jan|jän|ene|gen|feb|fév|fev|mar|mär|apr|abr|avr|mai|may|mag|jun|jui|giu|jul|lug|aug|aoû|"
    "ago|sep|set|oct|okt|ott|out|nov|dec|dez|déc|dic).*|am|pm|a|p|e|d|st|nd|rd|th",
    re.IGNORECASE,
)
_NEVER_IN_NUMBERS = "[]{}_\\"
_TRUTH = {"true", "false", "wahr", "falsch", "vrai", "faux", "vero", "falso", "verdadero"}


def to_cell(text: str) -> str:
    r"""A text as it is safe in a spreadsheet's cell; :func:`from_cell` gives it back.

    >>> [to_cell(text) for text in ("cats/1.png", "[17]", "=A1", "007", "7", "1-2", "a\nb")]
    ['cats/1.png', '[17]', "'=A1", "'007", '7', "'1-2", 'a\\u000ab']
    """
    text = _TO_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return f"'{text}" if _would_change(text) else text


def from_cell(cell: str) -> str:
    r"""The text of a cell.

    >>> [from_cell(cell) for cell in ("cats/1.png", "'=A1", r"a\u000ab")]
    ['cats/1.png', '=A1', 'a\nb']
    """
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), cell.removeprefix("'"))


def cells_line(cells: Iterable[str]) -> str:
    """A line of the file; the cells stand apart by commas."""
    return ",".join(map(_quoted, cells)) + "\n"


def read_cells(path: Path, what: str) -> list[list[str]]:
    """The rows of a CSV file as a spreadsheet saves it, the first line first; blank ones are empty.

    Args:
        path: UTF-8 with or without a byte order mark; fields apart by commas, semicolons or tabs,
            whichever its first line has most of.
        what: what the file is, for messages.

    Raises:
        DataError: it cannot be read, or is not UTF-8 or not CSV.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            return list(_rows(path, file, max(",;\t", key=first.count)))
    except ConvolensError:
        raise
    except FileNotFoundError:
        raise DataError(f"there is no {what} {str(path)!r}") from None
    except UnicodeDecodeError as reason:
        raise DataError(f"{path}: is not UTF-8 text ({reason}); save it as CSV UTF-8") from None
    except (OSError, ValueError) as reason:
        raise DataError(f"{str(path)!r} cannot be read as a {what}: {reason}") from None


def _rows(path: Path, file: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    done = 0
    try:
        for row in csv.reader(file, delimiter=delimiter, strict=True):
            yield row
            done += 1
    except csv.Error as reason:
        raise DataError(f"{path}: row {done + 1} is not CSV: {reason}") from None


def _would_change(text: str) -> bool:
    """Whether a spreadsheet may take a text for something else, or lose a space at its end."""
    if text.startswith(_FORMULA) or text != text.strip():
        return True
    if text.casefold() in _TRUTH:
        return True
    if _WHOLE.fullmatch(text) or not any(sign.isdigit() for sign in text):
        return False
    if any(sign in text for sign in _NEVER_IN_NUMBERS):
        return False
    return all(_OF_NUMBERS.fullmatch(letters) for letters in _LETTERS.findall(text))


def _quoted(cell: str) -> str:
    if any(sign in cell for sign in ',;"\t') or cell != cell.strip():
        return '"' + cell.replace('"', '""') + '"'
    return cell
