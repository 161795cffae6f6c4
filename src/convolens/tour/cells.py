"""Reading a script in cells: ``# %%`` opens code, ``# %% [markdown]`` opens words.

The format is that of Jupytext, Spyder, PyCharm and VS Code ("percent"), so the script that makes
the page opens as a notebook too.
"""

import re
from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Cell:
    """One cell of the script."""

    title: str
    """What stands behind the marker; for code with a picture, its caption."""
    source: str
    """Python, or Markdown without its comment signs."""
    is_markdown: bool
    line: int
    """Of its first line in the script, from 1: for tracebacks."""


def read_cells(script: str) -> list[Cell]:
    r"""Split a script into its cells.

    Args:
        script: Python source with cell markers. What stands before the first one is left out.

    >>> cells = read_cells("# %% [markdown]\n# Hello\n# %% A sum\n1 + 1\n")
    >>> [(cell.title, cell.source, cell.is_markdown) for cell in cells]
    [('', 'Hello', True), ('A sum', '1 + 1', False)]
    """
    cells: list[Cell] = []
    lines = script.splitlines()
    marks = [number for number, line in enumerate(lines) if line.startswith("# %%")]
    for start, end in zip(marks, [*marks[1:], len(lines)], strict=True):
        title = lines[start].removeprefix("# %%").strip()
        is_markdown = title.startswith("[markdown]")
        body = "\n".join(lines[start + 1 : end])
        if is_markdown:
            title = title.removeprefix("[markdown]").strip()
            body = re.sub(r"^# ?", "", body, flags=re.MULTILINE)
        blank = len(body) - len(body.lstrip("\n"))
        cells.append(Cell(title, dedent(body).strip("\n"), is_markdown, start + 2 + blank))
    return cells
