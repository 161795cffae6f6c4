"""Running the lesson and writing its page."""

import ast
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from importlib.resources import files
from pathlib import Path
from typing import Any

from convolens import __version__
from convolens.data import load_data
from convolens.errors import ConfigError, DataError
from convolens.files import write_text
from convolens.reports import GENERATOR, Block, Code, Output, Picture, Prose, render_page
from convolens.tour.cells import Cell, read_cells
from convolens.training import Run

LESSON = "lesson.py"
TITLE = "Convolutional networks, number by number"


def make_tour(
    out: str | Path,
    *,
    data: str = "fashion-mnist",
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Run the lesson and write it as one page, with its script beside it.

    Args:
        out: folder; made when missing. ``index.html`` and ``tour.py`` in it are replaced.
        data: name or path of the data set that the network is trained on.
        say: called with the title of each section as it begins.

    Returns:
        The page's path.

    Raises:
        ConfigError: ``index.html`` or ``tour.py`` in the folder is not one of ours.
        DataError: the data set is missing or damaged, or has no test pictures.
        KeyboardInterrupt: training was stopped by Ctrl-C. No page is written; the run is kept.
    """
    begin = time.perf_counter()
    folder = Path(out)
    _refuse_other(folder)
    if load_data(data).test is None:
        raise DataError(f"{data} has no test pictures; the tour ends with them, so name another")
    script = lesson_script(data)
    blocks = list(run_cells(read_cells(script), say=say))
    footer = (
        f"Made by `convolens tour` {__version__} in {time.perf_counter() - begin:.0f} seconds. "
        "Every figure and number above is the output of the lines that stand before it; "
        "the whole script is in `tour.py` beside this page."
    )
    write_text(folder / "tour.py", script)
    write_text(folder / "index.html", render_page(TITLE, blocks, footer=footer))
    return folder / "index.html"


def _refuse_other(folder: Path) -> None:
    """A page or a script of somebody else's is not overwritten."""
    for name, sign in (("index.html", GENERATOR), ("tour.py", "convolens")):
        path = folder / name
        if path.exists() and sign not in path.read_text(encoding="utf-8", errors="replace"):
            raise ConfigError(f"{path} is not a page of the tour; name another folder with --out")


def lesson_script(data: str) -> str:
    """The lesson's source, for a data set."""
    script = files("convolens.tour").joinpath(LESSON).read_text(encoding="utf-8")
    placeholder = 'DATA = "fashion-mnist"'
    assert script.count(placeholder) == 1, "the lesson names its data set once"
    return script.replace(placeholder, f"DATA = {json.dumps(data, ensure_ascii=False)}")


def run_cells(
    cells: Iterable[Cell], *, say: Callable[[str], None] = lambda _: None
) -> Iterator[Block]:
    """Run the code of each cell, in one namespace, and give what a notebook would show.

    Yields:
        Prose and code as they stand; behind each code what it printed, and the value of its last
        expression: a figure as a picture, anything else as text.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        if cell.is_markdown:
            for line in cell.source.splitlines():
                if line.startswith("## "):
                    say(line.removeprefix("## "))
            yield Prose(cell.source)
            continue
        yield Code(cell.source)
        printed = io.StringIO()
        with redirect_stdout(printed):
            value = _run(cell, namespace)
        _stop_if_interrupted(namespace)
        if printed.getvalue():
            yield Output(printed.getvalue().rstrip("\n"))
        png = getattr(value, "_repr_png_", None)
        if png is not None:
            yield Picture(png(), cell.title)
        elif value is not None:
            yield Output(str(value))


def _run(cell: Cell, namespace: dict[str, Any]) -> Any:
    tree = ast.parse(cell.source)
    ast.increment_lineno(tree, cell.line - 1)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, LESSON, "exec"), namespace)  # noqa: S102 - the package's own script
    if last is None:
        return None
    expression = ast.Expression(last.value)  # pyright: ignore[reportAttributeAccessIssue]
    return eval(compile(expression, LESSON, "eval"), namespace)  # noqa: S307


def _stop_if_interrupted(namespace: dict[str, Any]) -> None:
    """Ctrl-C while training ends the training cleanly; here it ends the tour."""
    for value in namespace.values():
        if isinstance(value, Run) and value.status == "interrupted":
            raise KeyboardInterrupt
