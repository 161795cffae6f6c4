"""The first screen of a report: how good, where it is worst, and what to do next."""

from collections.abc import Iterator

import numpy as np

from convolens.data import PROBLEM_KINDS
from convolens.reports.judged import Judged
from convolens.reports.words import as_markdown, percent

MOST_ADVICE = 4
_BADLY_CALIBRATED = 0.05
_WIDE = 0.05  # of an accuracy's interval: nobody can choose between two models with that
_BEHIND = 0.1  # of a class's recall behind that of all
_OF_ALL_MISTAKES = 0.2  # of one pair of classes
_MANY_STRANGE = 0.2
_ENOUGH = 5  # mistakes of it
_MANY_SUSPECTED = 0.002
_RISKS = (0.01, 0.02, 0.05, 0.1, 0.2)
_GAP = 0.05  # between training and validation pictures


def answer(judged: Judged) -> str:
    """How good the model is, in one sentence, as Markdown."""
    figures = judged.evaluation
    right = f"**{percent(figures.accuracy)} of {figures.n:,} pictures are judged rightly**"
    if judged.trained_on == figures.n:
        return f"{right}, all of which it was trained on: it knows them by heart."
    return (
        f"{right}; {percent(figures.accuracy_low)} to {percent(figures.accuracy_high)} of others "
        f"of the same kind, with 95\xa0% confidence.{_reserve(judged)}"
    )


def worst(judged: Judged) -> tuple[str, ...]:
    """Where it is worst, in sentences, as Markdown."""
    figures = judged.evaluation
    present = [entry for entry in figures.per_class if entry.support]
    if len(present) == 1:
        return (f"All pictures are of one class, {as_markdown(present[0].name)}.",)
    if not len(judged.mistakes):
        return ("No picture is judged wrongly.",)
    least = min(present, key=lambda entry: entry.recall)
    found = round(least.recall * least.support)
    low, high = judged.intervals.recall[figures.per_class.index(least)]
    (most,) = figures.most_confused(1)
    place = int(judged.mistakes[0])
    right, called = figures.labels[place], judged.predicted[place]
    return (
        (
            f"The class found least: **{as_markdown(least.name)}**, {found:,} of {least.support:,} "
            f"pictures ({percent(low)} to {percent(high)})."
        ),
        (
            f"Most often confused: **{as_markdown(most.right)} taken for "
            f"{as_markdown(most.called)}**, {_times(most.count)} ({percent(most.share)} of its "
            "pictures)."
        ),
        (
            f"The surest mistake: {as_markdown(judged.name_of(place))}, "
            f"{as_markdown(judged.classes[right])} taken for {as_markdown(judged.classes[called])} "
            f"with {percent(float(judged.confidence[place]))}."
        ),
    )


def next_steps(judged: Judged) -> tuple[str, ...]:
    """What to do next, the most needed first, in sentences, as Markdown."""
    return tuple(list(_advice(judged))[:MOST_ADVICE])


def _reserve(judged: Judged) -> str:
    """Why the answer may be too good."""
    if judged.trained_on is None:
        return " Whether it was trained on some of them is not known."
    if judged.trained_on:
        return f" It was trained on {judged.trained_on:,} of them, so that is too good."
    if judged.chosen_by:
        return (
            f" Its best epoch and its thresholds were chosen by {judged.chosen_by:,} of them, so "
            "that is a little too good."
        )
    return ""


def _advice(judged: Judged) -> Iterator[str]:
    figures = judged.evaluation
    if judged.trained_on or judged.chosen_by:
        yield "Judge the model on pictures that had no part in its training."
    if judged.strange > _MANY_STRANGE:
        yield (
            f"Look whether these pictures are of the kind that it was trained on: "
            f"{percent(judged.strange)} of them are [unlike all that it knows]"
            "(#inputs-that-it-does-not-know), where 5\xa0% would be usual."
        )
    yield from _about_data(judged)
    suspected = 0 if judged.suspected is None else len(judged.suspected.indices)
    if suspected > _MANY_SUSPECTED * figures.n:
        yield (
            f"Look at [{'the label' if suspected == 1 else f'the {suspected:,} labels'} that "
            f"{'is' if suspected == 1 else 'are'} probably wrong](#labels-that-are-probably-wrong)"
            ". `convolens cv` finds those of all pictures, in a "
            "list that can be corrected and given back."
        )
    if figures.accuracy_high - figures.accuracy_low > _WIDE:
        half = (figures.accuracy_high - figures.accuracy_low) / 2
        yield (
            f"Judge it on more pictures: with {figures.n:,} the accuracy is known to about "
            f"± {percent(half)}, four times as many would halve that. `convolens cv` uses every "
            "picture for judging."
        )
    yield from _about_classes(judged)
    yield from _about_training(judged)
    if figures.ece > _BADLY_CALIBRATED:
        yield (
            f"Do not take the probabilities at their word: they are off by {percent(figures.ece)} "
            "on average. More validation pictures, of the kind that it is used on, would mend that."
        )
    if (risk := _worthwhile_risk(judged)) is not None:
        yield (
            "Where a mistake costs more than no answer, let it say so when it is unsure: "
            f"`convolens predict --risk {risk:g}`."
        )
    if not len(judged.mistakes):
        yield "Try it on pictures from elsewhere: those of one source are easier than they look."


def _worthwhile_risk(judged: Judged) -> float | None:
    """One that its thresholds can keep, and that is below what it is wrong without them."""
    if judged.model.thresholds is None:
        return None
    least, usual = judged.model.least_risk(), 1 - judged.evaluation.accuracy
    return next((risk for risk in _RISKS if least <= risk < usual), None)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _about_data(judged: Judged) -> Iterator[str]:
    problems = judged.run.problems if judged.run else {}
    for name, kind in PROBLEM_KINDS.items():
        if problems.get(name) and (kind.spoils or kind.bad):
            title = kind.title[0].lower() + kind.title[1:]
            yield f"Mend the data: {title} ({problems[name]:,}). {kind.advice}"
            return


def _about_classes(judged: Judged) -> Iterator[str]:
    figures = judged.evaluation
    wrong = figures.confusion_matrix - np.diag(np.diag(figures.confusion_matrix))
    pairs = np.triu(wrong + wrong.T)
    if pairs.max() >= _ENOUGH and pairs.max() > _OF_ALL_MISTAKES * pairs.sum():
        one, other = np.unravel_index(pairs.argmax(), pairs.shape)
        names = [as_markdown(judged.classes[int(place)]) for place in (one, other)]
        yield (
            f"Look at {names[0]} and {names[1]}, which make {percent(pairs.max() / pairs.sum())} "
            "of all mistakes: if people cannot tell them apart either, make them one class or "
            "take larger pictures; else add pictures of both."
        )
    behind = [
        entry
        for entry in figures.per_class
        if entry.support >= 10 and entry.recall < figures.accuracy - _BEHIND
    ]
    if behind:
        worst_first = sorted(behind, key=lambda entry: entry.recall)[:3]
        names = ", ".join(as_markdown(entry.name) for entry in worst_first)
        yield (
            f"Add pictures of {names}; if there are far fewer of them than of others, try "
            "`--class-weights balanced`."
        )


def _about_training(judged: Judged) -> Iterator[str]:
    run = judged.run
    if run is None or not run.history:
        return
    last = run.history[-1]
    train, validation = last["train_accuracy"], last["val_accuracy"]
    if run.comparable and train is not None and train - validation > _GAP:
        yield (
            f"Add training pictures: it knows its own ({percent(train)}) far better than others "
            f"({percent(validation)}), which more epochs would not change."
        )
    elif len(run.history) < 2 or validation >= max(each["val_accuracy"] for each in run.history):
        yield "Try a longer training, by more `--epochs`: the last epoch was the best."
