"""The figures of a report on a model, by name; drawn only when they are asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convolens.evaluation import reliability, risk_coverage
from convolens.plotting import (
    Figure,
    plot_class_scores,
    plot_confusion_matrix,
    plot_familiarity,
    plot_learning_curves,
    plot_precision_recall_curves,
    plot_reliability,
    plot_risk_coverage,
    plot_roc_curves,
    save_figure,
)
from convolens.reports.judged import Judged

RISKS = (0.01, 0.02, 0.05)
"""Of what is answered, the shares that may be wrong for which a report says when to be unsure."""


@dataclass(frozen=True, kw_only=True)
class NamedFigure:
    """One figure of a report."""

    name: str
    """Of its file, without the ending."""
    caption: str
    """What it shows, in words: its text alternative, too."""
    draw: Callable[[], Figure]


def evaluation_figures(judged: Judged) -> dict[str, NamedFigure]:
    """All figures that there are for a model, by name, in the order of the report.

    One class alone has no curves, a bundle without its run no learning curves, and a model without
    thresholds no histogram of familiarity.
    """
    return {figure.name: figure for figure in _figures(judged)}


def write_figures(judged: Judged, folder: str | Path, dpi: float = 150) -> tuple[Path, ...]:
    """Write every figure as PNG and SVG.

    Args:
        judged: what was judged.
        folder: made when missing; files of the same names are replaced.
        dpi: of the PNG files.

    Returns:
        The files.
    """
    written: list[Path] = []
    for figure in evaluation_figures(judged).values():
        drawn = figure.draw()
        paths = (Path(folder) / f"{figure.name}.{ending}" for ending in ("png", "svg"))
        written += [save_figure(drawn, path, dpi=dpi) for path in paths]
    return tuple(written)


def _figures(judged: Judged) -> Iterator[NamedFigure]:
    figures, names = judged.evaluation, judged.classes
    probabilities, labels = figures.probabilities, figures.labels
    yield NamedFigure(
        name="class_scores",
        caption="Precision, recall and F1 of each class, with 95 % intervals",
        draw=lambda: plot_class_scores(figures, judged.intervals),
    )
    yield NamedFigure(
        name="confusion_matrix",
        caption="How many pictures of each class were called each class",
        draw=lambda: plot_confusion_matrix(figures.confusion_matrix, names),
    )
    yield NamedFigure(
        name="reliability",
        caption="How often the model is right, against how sure it is",
        draw=lambda: plot_reliability(reliability(probabilities, labels)),
    )
    yield NamedFigure(
        name="risk_coverage",
        caption="How many answers are wrong, against how many pictures are answered",
        draw=lambda: plot_risk_coverage(risk_coverage(probabilities, labels), marks=_marks(judged)),
    )
    if len(np.unique(labels)) > 1:
        yield NamedFigure(
            name="roc",
            caption="Each class against the rest: pictures of it that are found, against pictures "
            "of others that are taken for it",
            draw=lambda: plot_roc_curves(probabilities, labels, names),
        )
        yield NamedFigure(
            name="precision_recall",
            caption="Each class against the rest: precision against recall",
            draw=lambda: plot_precision_recall_curves(probabilities, labels, names),
        )
    scores, thresholds = figures.familiarity, judged.model.thresholds
    if scores is not None and thresholds is not None:
        yield NamedFigure(
            name="familiarity",
            caption="How familiar the pictures are, and below which score they are called unknown",
            draw=lambda: plot_familiarity(scores, thresholds.unknown.threshold),
        )
    run = judged.run
    if run is not None and run.history:
        yield NamedFigure(
            name="learning_curves",
            caption="Loss, accuracy and learning rate while it was trained",
            draw=lambda: plot_learning_curves(run.history, run.steps, note=run.note),
        )


def _marks(judged: Judged) -> dict[str, float]:
    """Thresholds of some risks, by what the figure says of each."""
    if judged.model.thresholds is None or not judged.calibrated:
        return {}
    found = {risk: judged.model.unsure_below(risk) for risk in RISKS}
    return {f"{risk:.0%} risk": each.threshold for risk, each in found.items() if each.coverage}
