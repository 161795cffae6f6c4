"""The report on a model: its answer, its tables, its pictures, and what it says of what is not."""

import base64
import io
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pages import Page
from PIL import Image
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)
from torch import nn

from convolens.doubt import RiskTable, Thresholds, UnknownBelow
from convolens.errors import ConfigError
from convolens.evaluation import evaluate_probabilities
from convolens.reports import (
    Judged,
    evaluation_figures,
    evaluation_page,
    write_evaluation_page,
    write_figures,
)
from convolens.reports.evaluation_page import LARGEST
from convolens.reports.matrix import matrix_cells
from convolens.reports.mistake_sections import MOST_HEAT_MAPS
from convolens.reports.verdict import answer, next_steps, worst
from convolens.training import planning

Judge = Callable[..., Judged]


def rows_of(page: str, table: str) -> list[list[str]]:
    (body,) = re.findall(rf'<table class="sortable" id="{table}">.*?<tbody>(.*?)</tbody>', page)
    return [re.findall(r"<td.*?>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", body)]


def test_the_answer_comes_first_with_its_interval(judged: Judged, html: str) -> None:
    figures = judged.evaluation
    page = Page(html)
    said = (
        f"{100 * figures.accuracy:.1f}\xa0% of 120 pictures are judged rightly; "
        f"{100 * figures.accuracy_low:.1f}\xa0% to {100 * figures.accuracy_high:.1f}\xa0%"
    )
    text = page.text.replace(" ;", ";")
    said = " ".join(said.split())
    places = [
        text.index(words)
        for words in (said, "Where it is worst", "What to do next", "Every class", "Confusion")
    ]
    assert places == sorted(places)


def test_the_page_needs_nothing_beside_it_and_is_whole(html: str) -> None:
    page = Page(html)
    assert page.open == []
    for _, attributes in page.tags:
        for name in ("src", "href"):
            if name in attributes:
                assert attributes[name].startswith(("data:", "#"))
    assert "url(" not in html
    assert "@import" not in html
    ids = [own["id"] for _, own in page.tags if "id" in own]
    assert len(ids) == len(set(ids))
    links = {own["href"] for own in page.all("a")}
    assert links <= {f"#{anchor}" for anchor in ids}


def test_every_picture_has_words_in_its_place(html: str) -> None:
    page = Page(html)
    images = page.all("img")
    assert len(images) > 100
    assert all(own.get("alt") for own in images)


def test_the_table_of_classes_says_what_scikit_learn_says(judged: Judged, html: str) -> None:
    labels, probabilities = judged.evaluation.labels, judged.evaluation.probabilities
    scores = precision_recall_fscore_support(labels, judged.predicted)
    rows = rows_of(html, "classes")
    assert [row[0] for row in rows] == list(judged.classes)
    for label, row in enumerate(rows):
        *shares, support = (score[label] for score in scores)
        assert row[1] == f"{support:,}"
        for said, value in zip(row[2:5], shares, strict=True):
            assert said.startswith(f"{100 * value:.1f}\xa0%")
        own, one = probabilities[:, label], labels == label
        assert row[5:7] == [
            f"{roc_auc_score(one, own):.3f}",
            f"{average_precision_score(one, own):.3f}",
        ]


def test_its_figures_say_what_scikit_learn_says(judged: Judged, html: str) -> None:
    labels, probabilities = judged.evaluation.labels, judged.evaluation.probabilities
    text = Page(html).text.replace("\xa0", " ")
    macro = precision_recall_fscore_support(labels, judged.predicted, average="macro")[:3]
    assert "precision {:.1%}, recall {:.1%}, F1 {:.1%}".format(*macro).replace("%", " %") in text
    assert f"Log loss {log_loss(labels, probabilities):.4f}" in text
    truth = np.eye(3)[labels]
    assert f"Brier score {((probabilities - truth) ** 2).sum(axis=1).mean():.4f}" in text
    assert f"{accuracy_score(labels, judged.predicted):.1%}".replace("%", " %") in text
    counts = confusion_matrix(labels, judged.predicted)
    cells = re.findall(r'<a href="#cell-(\d)-(\d)"[^>]*>(\d+)</a>', html)
    assert {(int(r), int(c)): int(n) for r, c, n in cells} == {
        (r, c): int(counts[r, c]) for r in range(3) for c in range(3) if counts[r, c]
    }


def test_the_cells_hold_every_picture_once(judged: Judged) -> None:
    cells = matrix_cells(judged, room=10_000)
    assert sorted(np.concatenate([cell.places for cell in cells]).tolist()) == list(range(120))
    for cell in cells:
        assert (judged.evaluation.labels[cell.places] == cell.right).all()
        assert (judged.predicted[cell.places] == cell.called).all()
        sure = judged.confidence[cell.places]
        steps = np.diff(sure if cell.right == cell.called else -sure)
        assert (steps >= 0).all()  # of mistakes the surest first, of what is right the least sure


def test_a_cell_opens_pictures_that_are_those_of_the_data(judged: Judged, html: str) -> None:
    cell = next(cell for cell in matrix_cells(judged, 10_000) if cell.right != cell.called)
    assert f'href="#{cell.anchor}"' in html
    panel = html[html.index(f'id="{cell.anchor}"') :]
    source = re.findall(r'<img src="data:image/png;base64,(.+?)"', panel)[0]
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(source))))
    assert (shown == np.asarray(judged.pictures.split.images)[cell.places[0], :, :, 0]).all()


def test_mistakes_have_heat_maps_and_say_for_what(judged: Judged, html: str) -> None:
    page = Page(html)
    place = int(judged.mistakes[0])
    called = judged.classes[judged.predicted[place]]
    right = judged.classes[judged.evaluation.labels[place]]
    said = {own["alt"] for own in page.all("img")}
    assert f"picture {place}: what speaks for {called}, the lighter the more" in said
    assert f"picture {place}: what speaks for {right}, the lighter the more" in said


def test_a_network_without_convolutions_has_no_heat_maps(judged: Judged) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
    page = Page(evaluation_page(replace(judged, model=replace(judged.model, network=network))))
    assert "No layer of this network has maps, so there are no heat maps." in page.text
    assert not any("what speaks for" in own["alt"] for own in page.all("img"))


def test_pictures_of_another_shape_are_shown_as_the_model_sees_them(judged: Judged) -> None:
    large = np.repeat(np.repeat(judged.pictures.split.images, 2, axis=1), 2, axis=2)
    split = replace(judged.pictures.split, images=large)
    enlarged = replace(judged, pictures=replace(judged.pictures, split=split))
    assert enlarged.picture(0).shape == judged.model.input_shape
    assert Page(evaluation_page(enlarged)).all("img")


HOSTILE = ('<script>alert("x")</script>', "**bold**|_x_", "&amp;", "half \udce9", "$5")


def test_names_are_never_taken_for_markup(judge: Judge) -> None:
    names = [HOSTILE[n % len(HOSTILE)] + f" {n}.png" for n in range(120)]
    html = evaluation_page(judge(classes=HOSTILE[:4], names=names))
    html.encode()
    page = Page(html)
    assert page.open == []
    assert len(page.all("script")) == 1
    assert not page.all("b", onclick="")
    assert '<script>alert("x")</script>' in page.text


def test_a_model_that_saw_the_pictures_is_not_praised(judge: Judge) -> None:
    seen = judge(trained_on=120)
    assert "it knows them by heart" in answer(seen)
    assert next_steps(seen)[0] == "Judge the model on pictures that had no part in its training."
    page = Page(evaluation_page(seen))
    assert "Not looked for: the model was trained on these pictures" in page.text


def test_pictures_that_chose_the_model_flatter_it_a_little(judged: Judged) -> None:
    chosen = replace(judged, trained_on=0, chosen_by=120)
    assert "were chosen by 120 of them, so that is a little too good." in answer(chosen)
    assert chosen.suspected is not None  # it learned none of their labels
    assert next_steps(chosen)[0] == "Judge the model on pictures that had no part in its training."


def test_strange_pictures_come_first_and_blame_no_label(judged: Judged) -> None:
    unknown = UnknownBelow(threshold=0.0, kept=0.95, score="energy")
    table = RiskTable(thresholds=(0.9,), answered=(100,), wrong=(0,))
    model = replace(judged.model, thresholds=Thresholds(risks=table, unknown=unknown))
    scores = np.where(np.arange(120) < 70, -1.0, 1.0)
    figures = replace(judged.evaluation, familiarity=scores)
    strange = replace(judged, model=model, evaluation=figures)
    assert strange.strange == 70 / 120
    assert "unlike all that it knows" in next_steps(strange)[0]
    assert strange.suspected is None
    assert "too unlike those it knows" in Page(evaluation_page(strange)).text


def test_what_is_not_known_is_said(judged: Judged) -> None:
    assert "is not known" in answer(replace(judged, trained_on=None))


def test_advice_on_data_is_on_what_spoils_figures_alone(judged: Judged) -> None:
    run = judged.run
    assert run is not None
    harmless = replace(judged, run=replace(run, problems={"corrected": 1}))
    assert not any("Mend the data" in step for step in next_steps(harmless))
    grave = replace(judged, run=replace(run, problems={"duplicate_across_splits": 3}))
    assert next_steps(grave)[0].startswith("Mend the data: the same picture in two splits (3).")


def test_of_copies_with_other_labels_all_are_suspected(judge: Judge) -> None:
    judged = judge(wrong=0.0)
    images = np.array(judged.pictures.split.images)
    images[[3, 6, 7]] = images[0]  # labels 0, 0, 1 and, of the first, 0
    split = replace(judged.pictures.split, images=images)
    found = replace(judged, pictures=replace(judged.pictures, split=split)).suspected
    assert found is not None
    assert sorted(found.indices[found.contrary_copy].tolist()) == [0, 3, 6, 7]


def test_no_mistakes_one_class_and_no_run(judge: Judge) -> None:
    perfect = judge(wrong=0.0)
    assert worst(perfect) == ("No picture is judged wrongly.",)
    assert "Worst mistakes" not in evaluation_page(perfect)
    figures = perfect.evaluation
    one = evaluate_probabilities(
        np.tile(np.float32([0.7, 0.2, 0.1]), (120, 1)), np.zeros(120, np.int64), perfect.classes
    )
    alone = replace(perfect, evaluation=one, run=None)
    assert worst(alone) == ("All pictures are of one class, ant.",)
    page = Page(evaluation_page(alone))
    assert "Curves of each class" not in page.text
    assert "How it was trained" not in page.text
    assert figures.n == one.n


@pytest.mark.parametrize("n_classes", [300])
def test_many_classes_are_listed_and_not_drawn_as_a_table(judge: Judge, n_classes: int) -> None:
    classes = tuple(f"class {number}" for number in range(n_classes))
    html = evaluation_page(judge(n=2 * n_classes, classes=classes))
    page = Page(html)
    assert f"A table of {n_classes} classes cannot be read." in page.text
    assert 'class="matrix"' not in html
    assert page.all("details")


def test_the_page_stays_below_its_size(judge: Judge) -> None:
    judged = judge(n=3000, shape=(96, 96, 3), wrong=0.8)
    html = evaluation_page(judged)
    assert len(html.encode()) < LARGEST
    assert re.search(r"the surest \d+ shown", html)


def test_small_pictures_of_a_model_for_large_ones_stay_below_it_too(judge: Judge) -> None:
    judged = judge(n=3000, shape=(64, 64, 3), wrong=0.8)
    small = np.ascontiguousarray(judged.pictures.split.images[:, ::8, ::8, :1])
    split = replace(judged.pictures.split, images=small)
    html = evaluation_page(replace(judged, pictures=replace(judged.pictures, split=split)))
    assert len(html.encode()) < LARGEST


def test_a_page_too_large_is_made_again_with_less(judged: Judged, html: str) -> None:
    largest = len(html.encode()) - 20_000
    smaller = evaluation_page(judged, largest=largest)
    assert len(smaller.encode()) < largest
    assert "shown</summary>" in smaller


def test_a_command_with_a_path_that_is_no_text_is_written(judged: Judged) -> None:
    html = evaluation_page(replace(judged, command="convolens evaluate '/tmp/\udcff'"))
    assert b"convolens evaluate '/tmp/?'" in html.encode().replace(b"&#x27;", b"'")


def test_writing_replaces_our_page_and_no_other(judged: Judged, html: str, tmp_path) -> None:
    path = write_evaluation_page(tmp_path / "new" / "report.html", judged)
    assert path.read_text(encoding="utf-8") == html
    other = tmp_path / "mine.html"
    other.write_text("my own page")
    with pytest.raises(ConfigError, match="no page of ours"):
        write_evaluation_page(other, judged)
    assert other.read_text() == "my own page"


def test_every_figure_is_written_as_png_and_svg(judged: Judged, tmp_path) -> None:
    written = {path.name for path in write_figures(judged, tmp_path / "figures")}
    names = evaluation_figures(judged)
    assert written == {f"{name}.{ending}" for name in names for ending in ("png", "svg")}
    assert {"reliability", "roc", "precision_recall", "confusion_matrix"} <= set(names)


def test_a_budget_keeps_time_for_as_many_heat_maps_as_there_may_be() -> None:
    assert planning.HEAT_MAPS == MOST_HEAT_MAPS


def test_a_model_of_an_earlier_version_has_no_thresholds(html: str) -> None:
    text = Page(html).text
    assert "The model has no thresholds: it was trained by an earlier version." in text
