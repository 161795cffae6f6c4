"""Class counts and pairs: what is drawn is what was counted, and it can be read."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Text

from convolens.data import DataSummary, SplitSummary
from convolens.errors import ConfigError
from convolens.plotting import plot_class_counts, plot_pairs
from convolens.plotting.style import VERMILLION

ODD_NAMES = ("鞋", "Ботинок", "حذاء", "$x^{2", "\ud83d", "a\nb\t\0", "हिन्दी", "👟", "x" * 5000)


def summary(names, **counts):
    splits = {
        name: SplitSummary(
            n=sum(own), minimum=0, maximum=255, mean=1.0, standard_deviation=1.0,
            class_counts=tuple(own), first_labels=(0,),
        )
        for name, own in counts.items()
    }  # fmt: skip
    n = sum(map(sum, counts.values()))
    return DataSummary(
        name="x", n=n, seen=n, used=n, skipped=0, splits=splits, classes=tuple(names),
        shape=(8, 8, 1), dtype="uint8", problems=(),
    )  # fmt: skip


def crowd(k):
    rng = np.random.default_rng(k)
    names = [f"a very long class name that ends in number {n}" for n in range(k)]
    counts = {
        name: (rng.integers(0, 10**6, k) // rng.integers(1, 10**6, k)).tolist()
        for name in ("train", "validation", "test")
    }
    counts["train"][0] = 60_000
    return summary(names, **counts)


FIGURES = {
    **{f"{k} classes": lambda k=k: plot_class_counts(crowd(k)) for k in (2, 10, 40, 41, 1000)},
    "odd names": lambda: plot_class_counts(summary(ODD_NAMES, train=range(9), test=[5] * 9)),
    "pairs": lambda: plot_pairs(
        [(np.eye(9), 1 - np.eye(9))] * 20, [("a/" * 40 + "b.png: bee, train", "鞋.png")] * 20
    ),
    "one pair": lambda: plot_pairs([(np.zeros((4, 9, 3)), np.ones((9, 4)))], [("a", "b")]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_text_is_inside_apart_and_large_enough(name):
    figure = FIGURES[name]()
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    width, height = figure.get_size_inches() * 100
    assert width == 600
    assert height < 1500
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    assert min(text.get_size() for text in texts) >= 9
    for words, box in boxes:
        assert min(box.x0, box.y0) >= -1, words
        assert max(box.x1 - width, box.y1 - height) <= 1, words
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 2 or down <= 2.5, (one, other)


def test_every_class_has_a_bar_and_its_number():
    figure = plot_class_counts(summary(("bag", "shoe"), train=(1200, 30), test=(0, 7)))
    train, test = figure.axes
    assert [bar.get_width() for bar in train.patches] == [1200, 30]
    assert [text.get_text() for text in train.texts] == ["1,200", "30"]
    assert [text.get_text() for text in test.texts] == ["0", "7"]
    assert test.texts[0].get_color() == VERMILLION
    words = [text.get_text() for text in figure.texts]
    assert words == ["train\n1,230 images", "test\n7 images\n1 class empty", "bag", "shoe"]
    for axes in figure.axes:
        assert axes.get_xlim()[0] == 0, "a bar that does not start at 0 lies"


def test_many_classes_are_ranked_and_the_ends_are_named():
    counts = list(range(100))
    figure = plot_class_counts(summary([f"class {n}" for n in counts], train=counts))
    words = [text.get_text() for text in figure.texts]
    assert words[0] == "train, 4,950 images, 1 class empty"
    assert words[1:] == [
        "largest in train", *(f"class {n}: {n}" for n in (99, 98, 97, 96, 95)),
        "smallest in train", *(f"class {n}: {n}" for n in (4, 3, 2, 1, 0)),
    ]  # fmt: skip
    heights = figure.axes[0].patches[0].get_data().values
    assert heights.tolist() == counts[::-1]


def test_pairs_are_drawn_side_by_side_and_cut_with_a_word():
    left, right = np.full((4, 4), 0.2), np.full((4, 4), 0.7)
    figure = plot_pairs([(left, right)] * 13, [("one", "other")] * 13)
    assert len(figure.axes) == 24
    assert figure.texts[0].get_text() == "First 12 of 13 pairs"
    shown = [float(np.asarray(axes.images[0].get_array()).mean()) for axes in figure.axes[:2]]
    assert shown == pytest.approx([0.2, 0.7])


@pytest.mark.parametrize(
    ("pairs", "captions", "message"),
    [
        ([], [], r"pairs is empty; give at least one pair"),
        ([(np.eye(2), np.eye(2))], [], r"0 captions for 1 pairs; give one each"),
        ([(np.eye(2), np.zeros(3))], [("a", "b")], r"pairs\[0\]\[1\] has shape \(3,\)"),
    ],
)
def test_what_cannot_be_drawn_is_said(pairs, captions, message):
    with pytest.raises(ConfigError, match=message):
        plot_pairs(pairs, captions)
