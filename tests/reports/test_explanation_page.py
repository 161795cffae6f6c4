"""The page on one picture: whole, by itself, in words, and honest about what it leaves out."""

import base64
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import torch
from pages import Page
from torch import nn

from convolens.errors import ConfigError
from convolens.explain import METHODS, Explanation, Neighbour, explain_picture
from convolens.reports import explanation_page, write_explanation_page

PICTURE = np.random.default_rng(0).random((12, 12, 3))
ORIGINAL = np.random.default_rng(1).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 40, 3), nn.BatchNorm2d(40), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(1000, 3),
    )  # fmt: skip
    return explain_picture(network.eval(), PICTURE, methods=METHODS)


@pytest.fixture(scope="module")
def html(explanation: Explanation) -> str:
    return explanation_page(explanation, name="noise", original=ORIGINAL, command="convolens x y")


def test_the_page_says_all_in_order(explanation: Explanation, html: str) -> None:
    page = Page(re.sub("<nav.*?</nav>", "", html))
    assert page.open == []
    name, share = explanation.top[0]
    trace = explanation.trace
    said = [
        f"Why is noise called {name}?",
        f"{100 * share:.1f}",
        "as it was given: 900 × 1200 pixels",
        "as the network sees it: 12 × 12 pixels, colour",
        "Can the first map be believed?",
        "better than",
        "Its way through the network",
        "the 16 strongest of 40 channels",
        "How one value comes about",
        f"row {trace.row}, column {trace.column}, channel {trace.channel}",
        trace.ending,
        "convolens x y",
    ]
    text = page.text[page.text.rindex("Why is noise") :]
    places = [text.index(words) for words in said]
    assert places == sorted(places)
    for title in ("Grad-CAM", "LayerCAM", "Occlusion", "Integrated gradients"):
        assert f"{title} for {name}" in text
    assert f"Grad-CAM for {explanation.classes[explanation.rival or 0]}" in text


def test_it_needs_nothing_beside_it_and_every_picture_has_its_words(html: str) -> None:
    page = Page(html)
    images = page.all("img")
    for image in images:
        assert image["src"].startswith("data:image/")
        assert len(image["alt"]) > 5
        assert base64.b64decode(image["src"].partition("base64,")[2])
    for _, attributes in page.tags:
        assert attributes.get("href", "#").startswith(("#", "data:"))
    assert "url(" not in re.sub(r"url\(#", "", html)
    # Three at the top, five heat maps, 16 maps of each of three layers, three figures.
    assert len(images) == 3 + 5 + 3 * 16 + 3


def test_the_probabilities_can_be_read_without_their_bars(
    explanation: Explanation, html: str
) -> None:
    (listed,) = re.findall(r'<ol class="chances">(.*?)</ol>', html)
    rows = re.findall(r"<span>(.*?)</span><span>(.*?)</span><i .*?aria-hidden", listed)
    assert [unescape(name) for name, _ in rows] == [name for name, _ in explanation.top]
    assert [float(share.split()[0]) for _, share in rows] == pytest.approx(
        [100 * share for _, share in explanation.top], abs=0.051
    )


def test_names_are_never_markup(explanation: Explanation) -> None:
    layers = tuple(replace(layer, name=HOSTILE) for layer in explanation.layers)
    way = tuple(
        replace(each, layer=layer) for each, layer in zip(explanation.way, layers, strict=False)
    )
    hostile = replace(
        explanation,
        classes=(HOSTILE,) * 3,
        layers=layers,
        way=way,
        trace=replace(explanation.trace, layer=HOSTILE),
        nearest=(Neighbour(name=HOSTILE, label=HOSTILE, similarity=0.5, picture=ORIGINAL),),
    )
    html = explanation_page(hostile, name=HOSTILE, command=HOSTILE)
    assert "<script" not in html
    assert Page(html).open == []
    assert HOSTILE in Page(html).text


def test_doubt_is_said_first(explanation: Explanation, html: str) -> None:
    assert "unsure" not in Page(html).text
    doubtful = replace(explanation, unsure=True, unknown=True, target=explanation.rival or 0)
    answer = re.findall(r'<div class="answer">(.*?)</div>', explanation_page(doubtful), re.DOTALL)
    assert "<strong>unsure</strong>" in answer[0]
    assert "<strong>unlike what it was trained on</strong>" in answer[0]
    assert f"What speaks for {explanation.classes[explanation.rival or 0]}, at" in answer[0]


def test_where_nothing_speaks_or_is_known_it_says_so(explanation: Explanation) -> None:
    bare = replace(explanation, faithfulness=None, field=None)
    text = Page(explanation_page(bare)).text
    assert "Nothing in its layer speaks for the class." in text
    assert "nearest training pictures" not in text
    assert "How to make this page again" not in text


def test_the_nearest_have_class_and_similarity(explanation: Explanation) -> None:
    nearest = tuple(
        Neighbour(
            name=f"{n}.png",
            label="bag",
            similarity=1 - n / 10,
            picture=ORIGINAL[:8, :8],
            same=n == 0,
        )
        for n in range(2)
    )
    text = Page(explanation_page(replace(explanation, nearest=nearest))).text
    assert "bag 1.000 0.png bag 0.900 1.png" in text
    assert "The first is this picture itself" in text
    turned = Page(explanation_page(replace(explanation, nearest=nearest[::-1]))).text
    assert "One of them is this picture itself" in turned
    # As like as can be, but another picture.
    other = replace(nearest[0], same=False)
    assert (
        "this picture itself"
        not in Page(explanation_page(replace(explanation, nearest=(other,)))).text
    )


def test_many_large_maps_of_noise_stay_below_five_megabytes(explanation: Explanation) -> None:
    rng = np.random.default_rng(2)
    layer = replace(explanation.way[0].layer, shape=(224, 224, 64))
    station = replace(
        explanation.way[0],
        layer=layer,
        channels=tuple(range(16)),
        maps=rng.random((224, 224, 16), dtype=np.float32),
    )
    html = explanation_page(replace(explanation, way=(station,) * 13), original=ORIGINAL)
    assert len(html) < 5_000_000


def test_nothing_but_a_page_of_ours_is_overwritten(
    explanation: Explanation, tmp_path: Path
) -> None:
    page = tmp_path / "new" / "page.html"
    for _ in range(2):
        assert write_explanation_page(page, explanation).read_text(encoding="utf-8")
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    with pytest.raises(ConfigError, match="no page of ours"):
        write_explanation_page(mine, explanation)
    assert mine.read_text() == "mine"
