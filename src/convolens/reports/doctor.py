"""What is in a data set and what is wrong with it, as one page with pictures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from convolens.data import PROBLEM_KINDS, Dataset, DataSummary, Problem
from convolens.files import write_text
from convolens.plotting import Figure, plot_class_counts, plot_images, plot_pairs
from convolens.reports.page import Block, Picture, Prose, render_page
from convolens.reports.places import check_page_place
from convolens.reports.words import as_markdown, one_line

_MOST_ROWS = 20  # of a table of problems
_MOST_SHOWN = 10  # pictures, or pairs of them, of one kind of problem
_MOST_CLASSES = 20  # of which pictures are shown
_EACH = 5  # pictures of a class

_Place = tuple[str, int]


def data_page(summary: DataSummary, dataset: Dataset) -> str:
    """The doctor's findings as one HTML page that needs nothing beside it.

    The verdict comes first, with what to do about each kind of problem; then how many pictures each
    class has, some pictures of each, and every kind of problem with its paths and, of duplicates
    and blank pictures, the pictures themselves. Long lists are cut, and say by how much.

    Args:
        summary: what ``check_data`` found in ``dataset``.
        dataset: the data set itself, for its pictures.

    Returns:
        HTML.

    >>> from convolens.data import check_data, load_data
    >>> data = load_data("digits")
    >>> "No problems were found." in data_page(check_data(data), data)
    True
    """
    title = f"The data set {one_line(summary.name)}"
    blocks = [*_verdict(summary), *_contents(summary, dataset)]
    if summary.problems:
        blocks.append(Prose("## Each problem"))
    for kind in summary.kinds:
        blocks += _kind_section(kind, summary, dataset)
    return render_page(title, blocks, footer="Made by Convolens. Nothing in the data was changed.")


def write_data_page(path: str | Path, summary: DataSummary, dataset: Dataset) -> Path:
    """Write :func:`data_page` to a file; its folder is made when missing.

    Args:
        path: where to. A page of ours that is there is replaced.
        summary: what ``check_data`` found in ``dataset``.
        dataset: the data set itself, for its pictures.

    Returns:
        The path.

    Raises:
        ConfigError: the path is a folder, or a file that is no page of ours.
    """
    path = check_page_place(path)
    write_text(path, data_page(summary, dataset))
    return path


def _verdict(summary: DataSummary) -> Iterator[Block]:
    yield Prose(
        "## What was found\n\n"
        f"**Seen {summary.seen:,} = used {summary.used:,} + skipped {summary.skipped:,}.**"
    )
    if not summary.problems:
        yield Prose("No problems were found.")
        return
    lines = [
        f"{place}. **{PROBLEM_KINDS[kind].title}** ({count:,}). {PROBLEM_KINDS[kind].advice}"
        for place, (kind, count) in enumerate(summary.kinds.items(), start=1)
    ]
    yield Prose("The gravest first, with what to do about it:\n\n" + "\n".join(lines))


def _contents(summary: DataSummary, dataset: Dataset) -> Iterator[Block]:
    height, width, channels = summary.shape
    rows = "\n".join(
        f"| {name} | {split.n:,} | {split.minimum} to {split.maximum} | {split.mean:.1f} | "
        f"{split.standard_deviation:.1f} |"
        for name, split in summary.splits.items()
    )
    yield Prose(
        "## How many of each class\n\n"
        f"{summary.n:,} images of {height} x {width} pixels, "
        f"{'grey' if channels == 1 else 'colour'}, in {len(summary.classes):,} classes.\n\n"
        f"| split | images | pixels | mean | spread |\n|---|--:|--:|--:|--:|\n{rows}"
    )
    yield _picture(plot_class_counts(summary), "Images of each class, split by split")
    yield Prose("## Some pictures of each class")
    counts = np.bincount(dataset.train.labels, minlength=dataset.n_classes)
    present = np.flatnonzero(counts)
    shown = present[:_MOST_CLASSES]
    chosen = [np.flatnonzero(dataset.train.labels == label)[:_EACH] for label in shown.tolist()]
    indices = np.concatenate(chosen)
    figure = plot_images(
        dataset.train.images[indices], dataset.train.labels[indices], dataset.class_names
    )
    cut = f" ({len(shown)} of {len(present):,} classes)" if len(shown) < len(present) else ""
    yield _picture(figure, f"The first training pictures of each class{cut}")


def _kind_section(kind: str, summary: DataSummary, dataset: Dataset) -> Iterator[Block]:
    known = PROBLEM_KINDS[kind]
    problems = [problem for problem in summary.problems if problem.kind == kind]
    yield Prose(f"### {known.title}\n\n{len(problems):,} found. {known.advice}")
    places = [found.pictures for found in summary.findings if found.problem.kind == kind]
    if places:
        yield _shown(places, dataset)
    yield Prose(_table(problems))


def _shown(places: list[tuple[_Place, ...]], dataset: Dataset) -> Picture:
    """The pictures of some findings: pairs side by side, others alone."""
    first = places[:_MOST_SHOWN]
    paired = len(first[0]) == 2
    what = "pairs" if paired else "pictures"
    said = f"{what.capitalize()} with their class and split"
    if len(first) < len(places):
        said += f": the first {len(first)} of {len(places):,}"
    pictures = [[dataset.splits[name].images[at] for name, at in own] for own in first]
    captions = [[_caption(place, dataset) for place in own] for own in first]
    if paired:
        pairs = [(one, other) for one, other in pictures]
        return _picture(plot_pairs(pairs, [(one, other) for one, other in captions]), said)
    singles = [picture for own in pictures for picture in own]
    names = [caption for own in captions for caption in own]
    return _picture(plot_images(singles, range(len(names)), names), said)


def _caption(place: _Place, dataset: Dataset) -> str:
    split_name, index = place
    split = dataset.splits[split_name]
    own = split.name_of(index)
    label = dataset.class_names[int(split.labels[index])]
    if own is None:
        return f"{split_name}[{index}]: {label}"
    return f"{Path(own).name}: {label}, {split_name}"


def _table(problems: list[Problem]) -> str:
    rows = [
        f"| {as_markdown(problem.path)} | {as_markdown(problem.reason)}"
        f"{' (skipped)' if problem.skipped else ''} |"
        for problem in problems[:_MOST_ROWS]
    ]
    table = "\n".join(["| where | what |", "|---|---|", *rows])
    more = len(problems) - len(rows)
    rest = f"\n\nAnd {more:,} more; `convolens data` with `--json` lists all."
    return table + rest if more else table


def _picture(figure: Figure, caption: str) -> Picture:
    png = figure._repr_png_()
    return Picture(png, caption)
