"""Pictures of a data set: how many there are of each class, and pairs that are alike."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convolens.data import DataSummary
from convolens.errors import ConfigError
from convolens.plotting.figures import Figure
from convolens.plotting.inputs import as_picture
from convolens.plotting.page import Page, new_page, text_height
from convolens.plotting.panels import common_aspect, cut_note, frame
from convolens.plotting.pictures import not_finite_note, show_picture, unit_limits
from convolens.plotting.style import (
    BLUE,
    INK,
    MUTED,
    RULE,
    SMALL,
    TEXT,
    TITLE,
    VERMILLION,
    WIDTH,
    house_style,
)  # fmt: skip
from convolens.plotting.words import LINE, drawable_names, fit, text_width

MOST_PAIRS = 12
"""Pairs drawn in one figure."""

_EDGE = 0.1
_GAP = 0.15
_MOST_NAMED = 40
_NAME_ROOM = 1.7
_ROW = 0.21
_NAMED_ENDS = 5  # classes named of the largest, and of the smallest, where there are many
_RANKED_HEIGHT = 1.1
_BETWEEN_PAIRS = 0.35
_BETWEEN_TWO = 0.05


def plot_class_counts(summary: DataSummary) -> Figure:
    r"""How many pictures each class has, split by split.

    Up to 40 classes have a bar and a number each; of more, each split shows the counts from the
    largest class to the smallest, and the ends are named below. A class without a picture has an
    orange 0.

    Args:
        summary: what ``check_data`` found.

    Returns:
        A figure. Every split has a scale of its own, from 0.

    >>> from convolens.data import check_data, load_data
    >>> figure = plot_class_counts(check_data(load_data("digits")))
    >>> len(figure.axes), figure.texts[0].get_text()
    (3, 'train\n1,437 images')
    """
    counts = {
        name: np.asarray(split.class_counts, dtype=np.int64)
        for name, split in summary.splits.items()
    }
    names = drawable_names(summary.classes)
    draw = _draw_bars if len(names) <= _MOST_NAMED else _draw_ranks
    return draw(counts, names)


def plot_pairs(
    pairs: Sequence[tuple[ArrayLike, ArrayLike]], captions: Sequence[tuple[str, str]]
) -> Figure:
    """Pairs of pictures side by side, with words below each picture.

    Args:
        pairs: two pictures each, (height, width), (height, width, 1) or (height, width, 3). At most
            12 are drawn; the title says so.
        captions: for each pair the words below its two pictures.

    Returns:
        A figure.

    Raises:
        ConfigError: no pairs, something that is no picture, or not as many captions as pairs.

    >>> figure = plot_pairs([(np.eye(4), np.eye(4))], [("a.png", "b.png")])
    >>> [text.get_text() for text in figure.texts]
    ['a.png', 'b.png']
    """
    if len(pairs) == 0:
        raise ConfigError("pairs is empty; give at least one pair of pictures")
    if len(captions) != len(pairs):
        raise ConfigError(f"{len(captions)} captions for {len(pairs)} pairs; give one each")
    shown = [
        (as_picture(one, f"pairs[{index}][0]"), as_picture(other, f"pairs[{index}][1]"))
        for index, (one, other) in enumerate(pairs[:MOST_PAIRS])
    ]
    return _draw_pairs(shown, captions, len(pairs))


@house_style()
def _draw_bars(counts: dict[str, NDArray[np.int64]], names: list[str]) -> Figure:
    room = min(max(text_width(name, SMALL) for name in names), _NAME_ROOM)
    # Hinting makes letters on the screen up to a twentieth wider than they measure.
    left = _EDGE + 1.05 * room + 0.08
    width = (WIDTH - left - _EDGE - (len(counts) - 1) * _GAP) / len(counts)
    titles = [
        "\n".join(fit(line, width, TEXT) for line in _heading(name, own))
        for name, own in counts.items()
    ]
    top = _EDGE + max(text_height(title, TEXT) for title in titles) + 0.05
    height = _ROW * len(names)
    page = new_page(top + height + _EDGE)
    for index, (own, title) in enumerate(zip(counts.values(), titles, strict=True)):
        start = left + index * (width + _GAP)
        page.write(start, top - 0.05, title, size=TEXT, va="bottom")
        axes = page.axes(start, top, width, height)
        axes.barh(range(len(names)), own, height=0.72, color=BLUE)
        # So that the longest bar leaves room for its number.
        widest = max(text_width(f"{n:,}", SMALL) for n in own.tolist()) + 0.1
        axes.set(xlim=(0, max(int(own.max()), 1) * width / (width - widest)))
        axes.set(ylim=(len(names) - 0.5, -0.5))
        for row, n in enumerate(own.tolist()):
            axes.annotate(
                f"{n:,}",
                (n, row),
                xytext=(3, 0),
                textcoords="offset points",
                size=SMALL,
                color=INK if n else VERMILLION,
                va="center_baseline",
            )
        for side in ("top", "right", "bottom"):
            axes.spines[side].set_visible(False)
    for row, name in enumerate(names):
        middle = top + (row + 0.5) * _ROW
        page.write(left - 0.08, middle, fit(name, room, SMALL), ha="right", va="center_baseline")
    return page.figure


@house_style()
def _draw_ranks(counts: dict[str, NDArray[np.int64]], names: list[str]) -> Figure:
    left, block = 0.65, _RANKED_HEIGHT + 0.35
    lines = _ends(next(iter(counts.values())), names)
    below = _EDGE + len(counts) * block
    page = new_page(below + 0.45 + text_height("\n".join(lines), SMALL) + _EDGE)
    for index, (name, own) in enumerate(counts.items()):
        top = _EDGE + index * block
        page.write(left, top, ", ".join(_heading(name, own)), size=TEXT)
        axes = page.axes(left, top + 0.25, WIDTH - left - _EDGE, _RANKED_HEIGHT)
        ranked = np.sort(own)[::-1]
        axes.stairs(ranked, np.arange(len(own) + 1) + 0.5, fill=True, color=BLUE)
        empty = int((own == 0).sum())
        if empty:
            first_empty = len(own) - empty + 0.5
            axes.axvspan(
                first_empty, len(own) + 0.5, fill=False, color=VERMILLION, hatch="//", linewidth=0
            )
        most = max(int(own.max()), 1)
        axes.set(xlim=(0.5, len(own) + 0.5), ylim=(0, 1.05 * most))
        axes.set_yticks([0, most], ["0", f"{most:,}"])
        axes.tick_params(length=0)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        if index == len(counts) - 1:
            axes.set_xlabel("classes, from the largest to the smallest", loc="left")
    _write_lines(page, below + 0.2, lines)
    return page.figure


def _ends(counts: NDArray[np.int64], names: list[str]) -> list[str]:
    """The largest and the smallest classes of the first split, a line each."""
    order = np.argsort(-counts, kind="stable")
    room = WIDTH - 2 * _EDGE
    chosen = [*order[:_NAMED_ENDS].tolist(), *order[-_NAMED_ENDS:].tolist()]
    told = [fit(f"{names[label]}: {counts[label]:,}", room, SMALL) for label in chosen]
    heads = ("largest in train", "smallest in train")
    return [heads[0], *told[:_NAMED_ENDS], heads[1], *told[_NAMED_ENDS:]]


def _write_lines(page: Page, top: float, lines: list[str]) -> None:
    for index, line in enumerate(lines):
        muted = index in (0, _NAMED_ENDS + 1)
        y = top + index * SMALL * LINE / 72
        page.write(_EDGE, y, line, colour=MUTED if muted else INK)


def _heading(name: str, counts: NDArray[np.int64]) -> list[str]:
    empty = int((counts == 0).sum())
    missing = [f"{empty:,} {'class' if empty == 1 else 'classes'} empty"] if empty else []
    return [name, f"{int(counts.sum()):,} images", *missing]


@house_style()
def _draw_pairs(
    pairs: list[tuple[NDArray[np.generic], NDArray[np.generic]]],
    captions: Sequence[tuple[str, str]],
    n: int,
) -> Figure:
    block = (WIDTH - 2 * _EDGE - _BETWEEN_PAIRS) / 2
    width = (block - _BETWEEN_TWO) / 2
    pictures = [picture for pair in pairs for picture in pair]
    height = width * min(max(common_aspect([picture.shape for picture in pictures]), 0.25), 2.0)
    words = [[fit(text, width, SMALL, lines=2) for text in both] for both in captions[: len(pairs)]]
    lines = max(text.count("\n") + 1 for both in words for text in both)
    step = height + lines * SMALL * LINE / 72 + 0.2
    title = cut_note(len(pairs), n, "pairs").capitalize()
    top = _EDGE + (text_height(title, TITLE) + 0.08 if title else 0)
    note = not_finite_note(*pictures)
    bottom = top + -(-len(pairs) // 2) * step
    page = new_page(bottom + text_height(note, SMALL) + _EDGE)
    page.write(_EDGE, _EDGE, title, size=TITLE)
    page.write(_EDGE, bottom, note, colour=MUTED)
    left = _EDGE if len(pairs) > 1 else (WIDTH - block) / 2
    for index, pair in enumerate(pairs):
        row, column = divmod(index, 2)
        for side, picture in enumerate(pair):
            x = left + column * (block + _BETWEEN_PAIRS) + side * (width + _BETWEEN_TWO)
            axes = page.axes(x, top + row * step, width, height)
            axes.set_anchor("S")
            show_picture(axes, picture, unit_limits(*pair))
            frame(axes, RULE)
            y = top + row * step + height + 0.05
            page.write(x + width / 2, y, words[index][side], ha="center")
    return page.figure
