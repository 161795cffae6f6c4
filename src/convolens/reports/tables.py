"""Tables on a page that can be sorted by a click, or by a key, on a column's head."""

from collections.abc import Sequence
from dataclasses import dataclass

from convolens.reports.words import as_html

Value = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What stands in a table, and what it is sorted by."""

    text: str
    """HTML."""
    value: Value = None
    """A number or a text; the text itself if None."""


def sortable_table(columns: Sequence[str], rows: Sequence[Sequence[Entry]], *, name: str) -> str:
    """A table as HTML; numbers are on the right, and so are their heads.

    Args:
        columns: their heads, as text; "" for one that is not sorted by.
        rows: from top to bottom, an entry a column.
        name: of the table in the page, also for who hears it.
    """
    first = rows[0] if rows else [Entry(text="")] * len(columns)
    numeric = [isinstance(entry.value, int | float) for entry in first]
    head = "".join(_head(text, number) for text, number in zip(columns, numeric, strict=True))
    body = "".join(
        f"<tr>{''.join(_entry(entry, n) for entry, n in zip(row, numeric, strict=True))}</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{as_html(name)}">'
        f'<table class="sortable" id="{as_html(name)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _head(text: str, numeric: bool) -> str:
    kind = ' class="number"' if numeric else ""
    inside = f"<button>{as_html(text)}</button>" if text else ""
    return f'<th scope="col"{kind}>{inside}</th>'


def _entry(entry: Entry, numeric: bool) -> str:
    kind = ' class="number"' if numeric else ""
    value = "" if entry.value is None else f' data-value="{as_html(str(entry.value))}"'
    return f"<td{kind}{value}>{entry.text}</td>"
