"""A summary of a data set as text of at most 80 columns."""

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convolens.data.problems import PROBLEM_KINDS

if TYPE_CHECKING:
    from convolens.data.sanity import DataSummary

_WIDTH = 80
_HEAD = 38
_MOST_CLASSES = 40  # rows of the table before it is cut
_MOST_EXAMPLES = 3  # of each kind of problem, likewise
_LONGEST_REASON = 400


def summary_text(summary: "DataSummary") -> str:
    """What was seen, the counts, and the problems by kind, the gravest first.

    Args:
        summary: what ``check_data`` found.

    Returns:
        Lines of at most 80 columns.
    """
    skipped = f"skipped {summary.skipped:,}"
    lines = [f"seen {summary.seen:,} = used {summary.used:,} + {skipped}", ""]
    first = list[str]() if summary.sorted_by_class else _first_labels(summary)
    lines += [*_table(summary), *first, "", *_problems(summary)]
    return "\n".join(lines)


def _table(summary: "DataSummary") -> Iterator[str]:
    height, width, channels = summary.shape
    splits = list(summary.splits.values())
    yield from _wrapped(
        f"{summary.name}: {summary.n:,} images of {height} x {width} x {channels}, "
        f"{summary.dtype}, {len(summary.classes)} classes"
    )
    yield ""
    yield _row("", list(summary.splits))
    yield _row("images", [f"{split.n:,}" for split in splits])
    yield _row("pixels", [f"{split.minimum} to {split.maximum}" for split in splits])
    yield _row("mean", [f"{split.mean:.3f}" for split in splits])
    yield _row("spread", [f"{split.standard_deviation:.3f}" for split in splits])
    yield ""
    for label, name in enumerate(summary.classes[:_MOST_CLASSES]):
        yield _row(f"{label:>3} {name}", [f"{split.class_counts[label]:,}" for split in splits])
    if len(summary.classes) > _MOST_CLASSES:
        yield f"... and {len(summary.classes) - _MOST_CLASSES:,} more classes"


def _first_labels(summary: "DataSummary") -> Iterator[str]:
    for name, split in summary.splits.items():
        labels = " ".join(map(str, split.first_labels))
        named = ", ".join(summary.classes[label] for label in split.first_labels)
        yield ""
        yield f"first labels of {name}: {labels}"
        yield from _wrapped(f"  {named}")


def _problems(summary: "DataSummary") -> Iterator[str]:
    counts = summary.kinds
    if not counts:
        yield "no problems found"
        return
    yield "problems, the gravest first:"
    examples = {kind: list[str]() for kind in counts}
    for problem in summary.problems:
        if len(examples[problem.kind]) < _shown(counts[problem.kind]):
            examples[problem.kind].append(f"- {problem.path}: {problem.reason}")
    for kind, count in counts.items():
        yield ""
        yield from _wrapped(f"{PROBLEM_KINDS[kind].title}: {count:,}")
        for example in examples[kind]:
            yield from _wrapped(f"  {example[:_LONGEST_REASON]}", indent="    ")
        if count > _shown(count):
            yield f"  - and {count - _shown(count):,} more"
        yield from _wrapped(f"  What to do: {PROBLEM_KINDS[kind].advice}", indent="    ")


def _shown(count: int) -> int:
    """How many of so many are named; a line "and 1 more" would say less than that one."""
    return count if count == _MOST_EXAMPLES + 1 else min(count, _MOST_EXAMPLES)


def _row(head: str, cells: Sequence[str]) -> str:
    head = _plain(head)
    # An East Asian letter takes two columns of a terminal.
    while _columns(head) > _HEAD - 1:
        head = f"{head.removesuffix('...')[:-1]}..."
    return head + " " * (_HEAD - _columns(head)) + "".join(f"{cell:>14}" for cell in cells)


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    wide = 2 if _columns(text) > len(text) else 1
    lead = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(
        _plain(text).lstrip(),
        _WIDTH // wide,
        initial_indent=lead,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _plain(text: str) -> str:
    """Without line breaks and what else moves a terminal's cursor: names come from files."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in ("Cc", "Cs") else char
        for char in text
    )
