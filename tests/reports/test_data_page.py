"""The doctor's page: the verdict first, each problem with pictures, no name taken for markup."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from convolens.data import PROBLEM_KINDS, Dataset, Problem, Split, check_data
from convolens.errors import ConfigError
from convolens.reports import data_page, write_data_page


class Page(HTMLParser):
    """The words, the captions and the attributes of a page."""

    def __init__(self, html):
        super().__init__()
        self.words: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def captions(self):
        return [value for tag, name, value in self.attributes if (tag, name) == ("img", "alt")]


def dataset(names=None, problems=(), classes=("ant", "bee")):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 200, (60, 16, 16, 3), dtype=np.uint8)
    images[41] = images[1]
    images[3] = 7
    labels = np.arange(60) % 2
    parts = [
        Split(images[cut], labels[cut], None if names is None else names[cut])
        for cut in (slice(0, 40), slice(40, 50), slice(50, 60))
    ]
    return Dataset("x", *parts, classes, "x.npz", problems=problems)


def page_of(data):
    return data_page(check_data(data), data)


def test_the_verdict_stands_before_everything_else():
    data = dataset(
        problems=(Problem(kind="damaged", path="a.jpg", reason="is cut off", skipped=True),)
    )
    text = Page(page_of(data)).text
    order = [
        "Seen 61 = used 60 + skipped 1.",
        f"{PROBLEM_KINDS['duplicate_across_splits'].title} (1). ",
        f"{PROBLEM_KINDS['damaged'].title} (1). {PROBLEM_KINDS['damaged'].advice}",
        f"{PROBLEM_KINDS['blank_image'].title} (1). ",
        "60 images of 16 x 16 pixels, colour, in 2 classes.",
        "validation[1] is the same picture as train[1]",
        "a.jpg is cut off (skipped)",
        "train[3] every pixel is (7, 7, 7)",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_duplicates_and_blank_pictures_are_shown():
    captions = Page(page_of(dataset())).captions
    assert captions == [
        "Images of each class, split by split",
        "The first training pictures of each class",
        "Pairs with their class and split",
        "Pictures with their class and split",
    ]


def test_the_page_needs_nothing_beside_it():
    for tag, name, value in Page(page_of(dataset())).attributes:
        assert tag != "script"
        if name in ("src", "href"):
            assert value.startswith(("data:", "#")), (tag, value)


def test_a_good_data_set_is_called_one():
    data = dataset()
    data.train.images[3] = data.train.images[5][::-1]
    data.validation.images[1] = data.train.images[6][::-1]
    text = Page(page_of(data)).text
    assert "No problems were found." in text
    assert "Each problem" not in text


HOSTILE = [
    "<script>alert(1)</script>.png",
    "a|b|c.png",
    "**bold**_x_`code`.png",
    "[link](http://example.org).png",
    "line\nbreak\r\n# heading.png",
    "half \udce9 a character.png",
    "&amp;&lt;.png",
    "\\|\\*.png",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_never_taken_for_markup(name):
    names = [name if n == 3 else f"{n}.png" for n in range(60)]
    problems = (Problem(kind="damaged", path=name, reason=name, skipped=True),)
    html = page_of(dataset(names, problems, classes=(name, "bee")))
    page = Page(html)
    html.encode()
    plain = " ".join(name.split()).encode("utf-8", "replace").decode()
    assert f"{plain} {plain} (skipped)" in page.text
    assert f"{plain} every pixel is (7, 7, 7)" in page.text
    assert not {tag for tag, _, _ in page.attributes} & {"script", "b"}
    assert not any("example.org" in value for _, name, value in page.attributes if name == "href")


def test_long_lists_are_cut_and_say_by_how_much():
    problems = tuple(
        Problem(kind="damaged", path=f"{n}/" + "long" * 500, reason="is cut off", skipped=True)
        for n in range(5000)
    )
    data = dataset(problems=problems)
    data.train.images[:] = 0
    html = page_of(data)
    page = Page(html)
    assert "And 4,980 more;" in page.text
    assert "And 20 more;" in page.text
    assert "Pictures with their class and split: the first 10 of 40" in page.captions
    assert len(html) < 2_000_000


def test_many_classes_are_shown_in_part():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (300, 8, 8, 1), dtype=np.uint8)
    part = Split(images, np.arange(300) // 2)
    other = Split(images[::-1].copy(), np.arange(300) // 2)
    data = Dataset("x", part, other, None, tuple(f"class {n}" for n in range(150)), "")
    captions = Page(page_of(data)).captions
    assert "The first training pictures of each class (20 of 150 classes)" in captions


def test_writing_replaces_our_page_and_no_other(tmp_path):
    data = dataset()
    summary = check_data(data)
    path = write_data_page(tmp_path / "new" / "page.html", summary, data)
    assert path.read_text(encoding="utf-8") == data_page(summary, data)
    assert write_data_page(path, summary, data) == path
    other = tmp_path / "mine.html"
    other.write_text("my own page")
    with pytest.raises(ConfigError, match=r"mine\.html is there already and no page of ours"):
        write_data_page(other, summary, data)
    assert other.read_text() == "my own page"
    with pytest.raises(ConfigError, match=r"is a folder; name a file in it"):
        write_data_page(tmp_path, summary, data)


def test_the_same_data_gives_the_same_page():
    assert re.sub(r"\s", "", page_of(dataset())) == re.sub(r"\s", "", page_of(dataset()))
