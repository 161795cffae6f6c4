"""Every class: its figures, what it is taken for, and pictures of it."""

from collections.abc import Iterator, Mapping

import numpy as np

from convolens.evaluation import precision_recall_curve, roc_curve
from convolens.explain import class_examples
from convolens.reports.cards import cards, picture_card
from convolens.reports.judged import Judged
from convolens.reports.page import Block, Drawing, Markup, Prose
from convolens.reports.tables import Entry, sortable_table
from convolens.reports.words import as_html, percent

_EXAMPLES = 6
_MOST_WITH_PICTURES = 20


def class_sections(judged: Judged, drawn: Mapping[str, Drawing]) -> Iterator[Block]:
    """The table of classes, and their scores as a figure."""
    figures = judged.evaluation
    macro, weighted = figures.macro, figures.weighted
    yield Prose(
        "## Every class\n\n"
        "Precision: of the pictures called this, the share that are. Recall: of the pictures that "
        "are this, the share called so. F1 is their harmonic mean. In brackets are 95\xa0% "
        "intervals. Areas are those under the curves of this class against the rest. A click on a "
        "column's head sorts by it."
    )
    yield Markup(class_table(judged))
    yield Prose(
        f"Over all classes alike: precision {percent(macro.precision)}, recall "
        f"{percent(macro.recall)}, F1 {percent(macro.f1)}. Weighing as many pictures as each has: "
        f"{percent(weighted.precision)}, {percent(weighted.recall)}, {percent(weighted.f1)}. Among "
        f"the five likeliest classes is the right one of {percent(figures.top_k_accuracy(5))}."
    )
    yield drawn["class_scores"]


def class_table(judged: Judged) -> str:
    """Every class with its figures, as HTML."""
    figures = judged.evaluation
    bounds = judged.intervals
    taken = {each.right: each for each in reversed(figures.most_confused(None))}
    rows: list[list[Entry]] = []
    for place, entry in enumerate(figures.per_class):
        scores = [
            _with_interval(getattr(entry, name), getattr(bounds, name)[place])
            for name in ("precision", "recall", "f1")
        ]
        most = taken.get(entry.name)
        said = f"{as_html(most.called)} ({most.count:,})" if most else ""
        one = figures.labels == place
        curves = Entry(text="", value=-1.0), Entry(text="", value=-1.0)
        if one.any() and not one.all():
            own = figures.probabilities[:, place]
            curves = tuple(
                Entry(text=f"{value:.3f}", value=value)
                for value in (
                    roc_curve(own, one).auc,
                    precision_recall_curve(own, one).average_precision,
                )
            )
        rows.append(
            [
                Entry(text=as_html(entry.name)),
                Entry(text=f"{entry.support:,}", value=entry.support),
                *scores,
                *curves,
                Entry(text=said),
            ]
        )
    columns = ("class", "pictures", "precision", "recall", "F1", "ROC area", "PR area")
    return sortable_table((*columns, "most often taken for"), rows, name="classes")


def telling_pictures(judged: Judged) -> Iterator[Block]:
    """Of each class the most typical, the least sure and the most wrong pictures."""
    figures = judged.evaluation
    examples = class_examples(figures.probabilities, figures.labels, k=_EXAMPLES)
    recall = np.array([entry.recall if entry.support else 2.0 for entry in figures.per_class])
    order = [place for place in np.argsort(recall, kind="stable").tolist() if recall[place] <= 1]
    shown = order[:_MOST_WITH_PICTURES]
    cut = f" The {len(shown)} classes found least are shown." if len(shown) < len(order) else ""
    yield Prose(
        "## Telling pictures of each class\n\n"
        "Most typical: judged rightly, and the surest. Least sure: those that it nearly called "
        f"something else. Most wrong: of the class, and called another most surely.{cut}"
    )
    for place in shown:
        own = examples[place]
        parts = [
            ("most typical", own.typical),
            ("least sure", own.uncertain),
            ("most wrong", own.wrong),
        ]
        columns = "".join(
            f"<div><h4>{title}</h4>{cards([_card(judged, int(each)) for each in places])}</div>"
            for title, places in parts
            if len(places)
        )
        name = as_html(judged.classes[place])
        yield Markup(f'<h3>{name}</h3><div class="class-row">{columns}</div>')


def _with_interval(value: float, bounds: tuple[float, float]) -> Entry:
    low, high = (f"{100 * bound:.1f}" for bound in bounds)
    return Entry(text=f'{percent(value)} <span class="soft">[{low}, {high}]</span>', value=value)


def _card(judged: Judged, place: int) -> str:
    right, called = judged.evaluation.labels[place], judged.predicted[place]
    share = percent(float(judged.confidence[place]))
    said = share if right == called else f"{as_html(judged.classes[called])} {share}"
    return picture_card(judged, place, said=said)
