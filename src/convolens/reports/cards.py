"""Pictures on a page, each with what the model says of it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from convolens.reports.judged import Judged
from convolens.reports.thumbnails import as_shown, thumbnail
from convolens.reports.words import as_html, percent

Heat = Mapping[int, Sequence[tuple[str, NDArray[np.uint8]]]]
"""For a picture's position its heat maps, laid over it: each with what it says, in words."""


def picture_card(judged: Judged, place: int, *, heat: Heat | None = None, said: str = "") -> str:
    """One picture with its probability and, where there are any, its heat maps.

    Args:
        judged: what was judged.
        place: the picture's position.
        heat: of some pictures, this one among them or not.
        said: what stands below it; by default the likeliest class's probability.
    """
    right, called = judged.evaluation.labels[place], judged.predicted[place]
    classes, share = judged.classes, percent(float(judged.confidence[place]))
    name = judged.name_of(place)
    verdict = f"judged rightly: {classes[called]}"
    if right != called:
        verdict = f"{classes[right]}, taken for {classes[called]}"
    picture = judged.picture(place)
    parts = [_image(picture, f"{name}: {verdict}, {share}")]
    parts += [_image(drawn, f"{name}: {words}") for words, drawn in (heat or {}).get(place, ())]
    caption = said or as_html(share)
    if not said and judged.pictures.split.name_of(place) is not None:
        caption += f'<br><span class="soft">{as_html(name)}</span>'
    return (
        f'<figure class="card" title="{as_html(name)}"><div>{"".join(parts)}</div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def cards(items: Sequence[str]) -> str:
    """Cards beside one another, as many in a row as there is room for."""
    return f'<div class="cards">{"".join(items)}</div>'


def _image(picture: NDArray[np.uint8], words: str) -> str:
    width, height = as_shown(picture)
    return (
        f'<img src="{thumbnail(picture)}" alt="{as_html(words)}" width="{width}" '
        f'height="{height}" decoding="async">'
    )
