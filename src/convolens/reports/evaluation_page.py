"""How good a model is, where it fails and what it looks at, as one page."""

from collections.abc import Iterator
from pathlib import Path

from convolens.files import write_text
from convolens.plotting.figures import figure_svg
from convolens.reports.class_sections import class_sections, telling_pictures
from convolens.reports.evaluation_figures import NamedFigure, evaluation_figures
from convolens.reports.judged import Judged
from convolens.reports.mistake_sections import ROOM, mistake_sections
from convolens.reports.origin_sections import origin_sections
from convolens.reports.page import Block, Drawing, render_markdown, render_page
from convolens.reports.places import check_page_place
from convolens.reports.trust_sections import trust_sections
from convolens.reports.verdict import answer, next_steps, worst
from convolens.reports.words import as_markdown, one_line

LARGEST = 5_000_000
"""Bytes of a page: what a phone opens, and a mail takes."""


def evaluation_page(judged: Judged, *, largest: int = LARGEST) -> str:
    """The report on a model as one HTML page that needs nothing beside it.

    First the answer with its interval, what is worst and what to do next. Then every class, the
    confusion matrix whose cells open their pictures, the worst mistakes with what the model looked
    at, how far its probabilities can be trusted, labels that are probably wrong, inputs unlike
    those it knows, the data, how it was trained, and the command that makes the page.

    Args:
        judged: the model, what it was judged on, and how it was trained as far as it is known.
        largest: bytes that the page may have, as far as fewer pictures of confusions can do that.

    Returns:
        HTML. Where there are more pictures than fit, fewer are shown, and it says so.
    """
    drawn = {figure.name: _drawing(figure) for figure in evaluation_figures(judged).values()}
    opening, room = _opening(judged), ROOM
    while True:
        page = render_page(
            f"How good is {one_line(_title(judged))}?",
            list(_blocks(judged, drawn, room)),
            opening=opening,
            footer="Made by Convolens.",
            styles=("report.css",),
            script="report.js",
        )
        size = len(page.encode())
        if size < largest or room == 0:
            return page
        room = max(0, min(room, size) - (size - largest) - largest // 20)


def write_evaluation_page(path: str | Path, judged: Judged) -> Path:
    """Write :func:`evaluation_page` to a file; its folder is made when missing.

    Args:
        path: where to. A page of ours that is there is replaced.
        judged: as for :func:`evaluation_page`.

    Returns:
        The path.

    Raises:
        ConfigError: the path is a folder, or a file that is no page of ours.
    """
    path = check_page_place(path)
    write_text(path, evaluation_page(judged))
    return path


def _blocks(judged: Judged, drawn: dict[str, Drawing], room: int) -> Iterator[Block]:
    yield from class_sections(judged, drawn)
    yield from mistake_sections(judged, room)
    yield from telling_pictures(judged)
    yield from trust_sections(judged, drawn)
    yield from origin_sections(judged, drawn)


def _drawing(figure: NamedFigure) -> Drawing:
    return Drawing(figure_svg(figure.draw()), figure.caption)


def _title(judged: Judged) -> str:
    path = judged.run.facts.get("run") if judged.run else None
    name = judged.model.architecture if path is None else Path(str(path)).name
    return f"{name} on {judged.pictures.name}"


def _opening(judged: Judged) -> str:
    """The first screen."""
    bad = "".join(f"<li>{_inline(line)}</li>" for line in worst(judged))
    todo = "".join(f"<li>{_inline(line)}</li>" for line in next_steps(judged))
    on = (
        f"A network of the kind {judged.model.architecture}, judged on {judged.pictures.which} of "
        f"{judged.pictures.name}."
    )
    return (
        f'<div class="answer">{render_markdown(answer(judged))}</div>'
        f'<div class="verdict"><section><h2>Where it is worst</h2><ul>{bad}</ul></section>'
        f"<section><h2>What to do next</h2><ol>{todo}</ol></section></div>"
        f'<p class="soft">{_inline(as_markdown(on))}</p>'
    )


def _inline(markdown: str) -> str:
    return render_markdown(markdown).strip().removeprefix("<p>").removesuffix("</p>")
