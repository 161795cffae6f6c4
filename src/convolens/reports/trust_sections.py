"""How far a model's word can be taken: calibration, doubt, labels, and inputs it does not know."""

from collections.abc import Iterator, Mapping

import numpy as np

from convolens.reports.cards import cards, picture_card
from convolens.reports.evaluation_figures import RISKS
from convolens.reports.judged import Judged
from convolens.reports.page import Block, Drawing, Markup, Prose
from convolens.reports.words import as_html, percent

_SUSPECTED_SHOWN = 24
_UNFAMILIAR_SHOWN = 16


def trust_sections(judged: Judged, drawn: Mapping[str, Drawing]) -> Iterator[Block]:
    """Calibration, coverage, curves, suspected labels and unknown inputs."""
    yield from _calibration(judged, drawn)
    yield from _coverage(judged, drawn)
    if "roc" in drawn:
        yield Prose(
            "## Curves of each class\n\n"
            "Each class against all others, as the probability from which on a picture counts as "
            "this class goes from 1 to 0."
        )
        yield drawn["roc"]
        yield drawn["precision_recall"]
    yield from _suspected(judged)
    yield from _unknown(judged, drawn)


def _calibration(judged: Judged, drawn: Mapping[str, Drawing]) -> Iterator[Block]:
    figures = judged.evaluation
    yield Prose(
        "## Is it as sure as it is right?\n\n"
        f"Its probabilities are off by **{percent(figures.ece)}** on average (expected calibration "
        "error, 15 bins of equal width). Log loss "
        f"{figures.log_loss:.4f}, Brier score {figures.brier_score:.4f} (0 is perfect, 2 the "
        f"worst). {_temperature(judged)}"
    )
    yield drawn["reliability"]


def _temperature(judged: Judged) -> str:
    if not judged.calibrated:
        return "They are the network's own, without the temperature that was fitted."
    return (
        f"They were made with a temperature of {judged.model.temperature:.3f}, fitted on the "
        "validation pictures."
    )


def _coverage(judged: Judged, drawn: Mapping[str, Drawing]) -> Iterator[Block]:
    yield Prose(
        "## Saying unsure\n\n"
        "A model that may say that it is unsure is wrong less often. Pictures are answered in the "
        "order of its confidence."
    )
    yield drawn["risk_coverage"]
    if judged.model.thresholds is None:
        yield Prose("The model has no thresholds: it was trained by an earlier version.")
        return
    if not judged.calibrated:
        yield Prose("Its thresholds are on calibrated probabilities, which these are not.")
        return
    rows: list[str] = []
    for risk in RISKS:
        found = judged.model.unsure_below(risk)
        answered = judged.confidence >= found.threshold
        n = int(answered.sum())
        if not n:
            rows.append(f"| {percent(risk)} | it cannot promise that | 0\xa0% | |")
            continue
        wrong = float((~judged.evaluation.right[answered]).mean())
        rows.append(
            f"| {percent(risk)} | {found.threshold:.4f} | {percent(n / len(answered))} | "
            f"{percent(wrong)} |"
        )
    table = "\n".join(rows)
    yield Prose(
        "The thresholds were fitted on the validation pictures, so that the risk is kept with "
        f"95\xa0% confidence; here is what they give on these pictures.{_fitted_here(judged)} "
        "`convolens predict` takes any as `--risk`, but none below what the validation pictures "
        f"can promise: {percent(judged.model.least_risk())}.\n\n"
        f"| at most wrong | answers from | answers | of these wrong |\n|--:|--:|--:|--:|\n{table}"
    )


def _suspected(judged: Judged) -> Iterator[Block]:
    yield Prose("## Labels that are probably wrong")
    found = judged.suspected
    if found is None:
        yield Prose(
            "Not looked for: the model was trained on these pictures, and knows wrong labels by "
            "heart."
            if judged.trained_on
            else "Not looked for: the model is wrong too often here, or these pictures are too "
            "unlike those it knows, for a mistake to speak against a label."
        )
        return
    if not len(found.indices):
        yield Prose("None of these labels is suspected.")
        return
    shown = found.indices[:_SUSPECTED_SHOWN]
    unsure = " (if it did not learn from them)" if judged.trained_on is None else ""
    cut = f"; the {len(shown)} most suspicious are shown" if len(shown) < len(found.indices) else ""
    yield Prose(
        f"**{len(found.indices):,}** of these {judged.evaluation.n:,} labels are "
        f"suspected{cut}: the model speaks against them more than it would if they were right"
        f"{unsure}. Some will be right all the same: look at each. `convolens cv` does this for "
        "every picture of a data set and writes a list to correct, which `convolens train --labels "
        "FILE` takes."
    )
    suspects = zip(
        shown.tolist(), found.suggested.tolist(), found.contrary_copy.tolist(), strict=False
    )
    items = [
        picture_card(judged, place, said=_suspicion(judged, place, suggested, copy=copy))
        for place, suggested, copy in suspects
    ]
    yield Markup(cards(items))


def _fitted_here(judged: Judged) -> str:
    """What must be said where thresholds meet the pictures that they are from."""
    return " Some of these are the pictures that they were fitted on." if judged.chosen_by else ""


def _suspicion(judged: Judged, place: int, suggested: int, *, copy: bool) -> str:
    given = as_html(judged.classes[judged.evaluation.labels[place]])
    chance = percent(float(judged.evaluation.probabilities[place, suggested]))
    rather = f"rather <b>{as_html(judged.classes[suggested])}</b> {chance}"
    said = "a copy of it has another label" if copy else rather
    name = as_html(judged.name_of(place))
    return f'labelled {given}<br>{said}<br><span class="soft">{name}</span>'


def _unknown(judged: Judged, drawn: Mapping[str, Drawing]) -> Iterator[Block]:
    yield Prose("## Inputs that it does not know")
    scores, thresholds = judged.evaluation.familiarity, judged.model.thresholds
    if scores is None or thresholds is None:
        yield Prose("The model has no threshold for them: it was trained by an earlier version.")
        return
    flagged = round(judged.strange * len(scores))
    yield Prose(
        "A classifier names one of its classes for anything, be it a photograph of a dog among "
        "clothes. So each picture has a score of how familiar it is, and below a threshold "
        "`convolens predict` says that it is unlike what the model was trained on. The threshold "
        f"lets {percent(thresholds.unknown.kept)} of the validation pictures pass. Of these "
        f"pictures **{flagged:,}** ({percent(flagged / len(scores))}) are flagged: far more than "
        f"that would say that they are of another kind.{_fitted_here(judged)}"
    )
    yield drawn["familiarity"]
    least = np.argsort(scores, kind="stable")[:_UNFAMILIAR_SHOWN]
    items = [
        picture_card(
            judged,
            place,
            said=f"{as_html(judged.classes[judged.evaluation.labels[place]])}<br>"
            f'<span class="soft">score {scores[place]:.2f}</span>',
        )
        for place in least.tolist()
    ]
    yield Prose("The least familiar of them, with their class:")
    yield Markup(cards(items))
