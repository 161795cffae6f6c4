"""Where a model is from: its data and their problems, its settings, and the report's command."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import numpy as np

from convolens.data import PROBLEM_KINDS
from convolens.explain import activation_statistics
from convolens.reports.judged import Judged, RunFacts
from convolens.reports.page import Block, Drawing, Markup, Output, Prose
from convolens.reports.words import as_html, as_markdown

_LOOKED_AT = 500
"""Pictures, of which channels that say nothing are looked for."""


def origin_sections(judged: Judged, drawn: Mapping[str, Drawing]) -> Iterator[Block]:
    """The data, the training, the network and the command."""
    run = judged.run
    yield Prose("## The data and their problems")
    facts: dict[str, Any] = {
        "judged on": f"{judged.pictures.which} of {judged.pictures.name}",
        "pictures": f"{judged.evaluation.n:,}",
    }
    if judged.trained_on is not None:
        facts["of these trained on"] = f"{judged.trained_on:,}"
    skipped = sum(problem.skipped for problem in judged.pictures.problems)
    if skipped:
        facts["files skipped"] = f"{skipped:,}"
    yield Markup(_facts({**facts, **(run.data if run else {})}))
    yield Prose(_problems(run))
    if run is not None:
        yield Prose("## How it was trained")
        if "learning_curves" in drawn:
            yield drawn["learning_curves"]
        yield Markup(_facts(run.facts))
        settings = _facts(_flat(run.settings))
        yield Markup(f"<details><summary>Every setting</summary>{settings}</details>")
    yield from _network(judged)
    yield Prose("## How to make this page again")
    yield Output(judged.command)


def _network(judged: Judged) -> Iterator[Block]:
    """What it is made of, and whether all of it is used."""
    yield Prose("## The network")
    yield Output(str(judged.model.summary()))
    n = min(_LOOKED_AT, judged.evaluation.n)
    places = np.linspace(0, judged.evaluation.n - 1, n).round().astype(np.int64)
    seen = activation_statistics(
        judged.model, np.stack([judged.picture(place) for place in places.tolist()])
    )
    dead = sum(len(channels) for channels in seen.dead.values())
    said = (
        f"On {n:,} of these pictures every channel of every layer says something."
        if dead == 0
        else f"On {n:,} of these pictures **{dead:,} channels say nothing**, in "
        f"{as_markdown(', '.join(seen.dead))}: a narrower network (`width`) may do as well, or the "
        "learning rate was too high."
    )
    yield Prose(said)
    table = f'<pre class="output" tabindex="0"><samp>{escape(str(seen))}</samp></pre>'
    yield Markup(f"<details><summary>What every layer puts out</summary>{table}</details>")


def _problems(run: RunFacts | None) -> str:
    if run is None:
        return "What was wrong with the data that it was trained on is not known: `convolens data`."
    found = [(kind, n) for kind, n in run.problems.items() if n and kind in PROBLEM_KINDS]
    if not found:
        return "No problem with the data was known when it was trained."
    lines = [
        f"- **{PROBLEM_KINDS[kind].title}** ({n:,}). {PROBLEM_KINDS[kind].advice}"
        for kind, n in found
    ]
    return "What was known of the data:\n\n" + "\n".join(lines)


def _facts(facts: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{as_html(name)}</th><td>{as_html(_said(value))}</td></tr>'
        for name, value in facts.items()
    )
    return f'<table class="facts"><tbody>{rows}</tbody></table>'


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings by names joined with dots.

    >>> _flat({"a": 1, "b": {"c": 2}})
    {'a': 1, 'b.c': 2}
    """
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[f"{before}{name}"] = value
    return flat
