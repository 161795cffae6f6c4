"""Why a model says of one picture what it says, as one page."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convolens.explain import Explanation
from convolens.files import write_text
from convolens.plotting.heat_pictures import heat_picture, picture_bytes
from convolens.reports.explanation_pictures import panel, panels
from convolens.reports.explanation_sections import (
    chances,
    command_sections,
    heat_sections,
    nearest_sections,
    value_sections,
    way_sections,
)
from convolens.reports.page import Block, render_markdown, render_page
from convolens.reports.places import check_page_place
from convolens.reports.words import as_html, as_markdown, one_line, percent


def explanation_page(
    explanation: Explanation,
    *,
    name: str = "this picture",
    original: NDArray[np.uint8] | None = None,
    command: str = "",
) -> str:
    """An explanation as one HTML page that needs nothing beside it.

    First what the model says, with the picture as it was given and as the network sees it. Then
    heat maps and whether they can be believed, the picture's way through the layers, and the
    arithmetic of one value; the nearest training pictures, where they were looked for.

    Args:
        explanation: from ``explain_picture``; the more of its ``methods``, the more heat maps.
        name: what to call the picture.
        original: (height, width, 1 or 3) uint8, the picture as it was given.
        command: what makes the page again; left out if empty.

    Returns:
        HTML, below 5 MB.

    >>> from torch import nn
    >>> from convolens.explain import explain_picture
    >>> network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2))
    >>> page = explanation_page(explain_picture(network, np.eye(8)[:, :, None]), name="a line")
    >>> "Why is a line called class " in page
    True
    """
    return render_page(
        f"Why is {one_line(name)} called {one_line(explanation.top[0][0])}?",
        list(_blocks(explanation, command)),
        opening=_opening(explanation, name, original),
        footer="Made by Convolens.",
        styles=("report.css", "explanation.css"),
    )


def write_explanation_page(
    path: str | Path,
    explanation: Explanation,
    *,
    name: str = "this picture",
    original: NDArray[np.uint8] | None = None,
    command: str = "",
) -> Path:
    """Write :func:`explanation_page` to a file; its folder is made when missing.

    Args:
        path: where to. A page of ours that is there is replaced.
        explanation: as for :func:`explanation_page`.
        name: likewise.
        original: likewise.
        command: likewise.

    Returns:
        The path.

    Raises:
        ConfigError: the path is a folder, or a file that is no page of ours.
    """
    path = check_page_place(path)
    page = explanation_page(explanation, name=name, original=original, command=command)
    write_text(path, page)
    return path


def _blocks(explanation: Explanation, command: str) -> Iterator[Block]:
    yield from heat_sections(explanation)
    yield from way_sections(explanation)
    yield from value_sections(explanation)
    yield from nearest_sections(explanation)
    if command:
        yield from command_sections(command)


def _opening(explanation: Explanation, name: str, original: NDArray[np.uint8] | None) -> str:
    """The first screen."""
    height, width, channels = explanation.picture.shape
    colour = "grey" if channels == 1 else "colour"
    seen = f"{height} × {width} pixels, {colour}"
    items = []
    if original is not None:
        given = f"{original.shape[0]} × {original.shape[1]} pixels"
        items.append(panel(original, f"{name}, as it was given", f"as it was given: {given}"))
    items.append(
        panel(
            picture_bytes(explanation.picture),
            f"{name}, as the network sees it",
            f"as the network sees it: {seen}",
        )
    )
    target = explanation.classes[explanation.target]
    words = f"{name}: what speaks for {target}, the lighter the more"
    caption = f"what speaks for {as_html(target)} (Grad-CAM)"
    items.append(panel(heat_picture(explanation.picture, explanation.heat), words, caption))
    return (
        f'<div class="answer">{render_markdown(_answer(explanation))}</div>'
        f"{chances(explanation)}{panels(items, first=True)}"
    )


def _answer(explanation: Explanation) -> str:
    """What the model says, and what makes that doubtful."""
    name, share = explanation.top[0]
    said = [f"The network says **{as_markdown(name)}**, at {percent(share)}."]
    target = explanation.classes[explanation.target]
    if target != name:
        asked = percent(float(explanation.probabilities[explanation.target]))
        said.append(f"What speaks for {as_markdown(target)}, at {asked}, is explained.")
    if explanation.unsure:
        said.append("At the risk that was named this is too little: it is **unsure**.")
    if explanation.unknown:
        said.append(
            "The picture is **unlike what it was trained on**: what it calls it means little."
        )
    return " ".join(said)
