"""What a reader of files hands on: one entry for each picture that may be used."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convolens.data.problems import Problem

SPLIT_NAMES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One picture of a listing."""

    name: str
    """What to call it: its path from the listing's root, or its row as ``table.parquet[17]``.
    No two entries have the same name."""
    label: str
    """The name of its class."""
    split: str | None = None
    """"train", "validation" or "test"; None in a set that is not divided."""
    group: str | None = None
    """Pictures of one group never sit on both sides of a division."""
    path: str | None = None
    """The file; the root joined with ``name`` if None. For an embedded picture, the table."""
    row: int | None = None
    """Number of the row of the table that holds the picture's bytes; None for a file of its own."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All pictures that a reader found, before any of them is opened."""

    name: str
    """What the data set is called."""
    root: Path
    """The folder, or the table."""
    entries: Sequence[Entry]
    """In the order in which they are kept: by class and name for a folder, by row for a table."""
    problems: Sequence[Problem] = ()
    """What was skipped already, and what a user should know."""
    class_names: tuple[str, ...] | None = None
    """Names by label where the format fixes them; else those of the entries, sorted naturally."""
    image_column: str | None = None
    """Of a table with embedded pictures: the column that holds their bytes."""

    def path_of(self, entry: Entry) -> str:
        """The file of an entry."""
        # Not by pathlib, which takes twenty times as long: there may be a million of them.
        return entry.path if entry.path is not None else os.path.join(self.root, entry.name)  # noqa: PTH118
