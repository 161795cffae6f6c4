import base64
import re
from html.parser import HTMLParser
from io import BytesIO

from PIL import Image

from convolens.reports import Code, Output, Picture, Prose, render_page


def png(width: int = 4, height: int = 3) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


class Tags(HTMLParser):
    """Collects tags, and that every opened one is closed."""

    VOID = frozenset({"meta", "link", "img", "br", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


BLOCKS = [
    Prose("## One & two\n\nSome *words* and `code`."),
    Code('print("<b>")'),
    Output("<script>alert(1)</script>"),
    Picture(png(), 'A "quoted" caption'),
    Prose("## Three"),
]


def test_the_page_needs_nothing_beside_it() -> None:
    page = render_page("Title", BLOCKS, footer="made by `me`")
    tags = Tags(page)
    assert tags.open == []
    for tag, attributes in tags.seen:
        assert tag != "script"
        for name in ("src", "href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, value)
    assert "url(" not in page
    assert "@import" not in page


def test_sections_are_linked_from_the_top() -> None:
    tags = Tags(render_page("Title", BLOCKS))
    links = [a["href"] for tag, a in tags.seen if tag == "a" and a.get("href")]
    anchors = [f"#{a['id']}" for tag, a in tags.seen if tag == "h2"]
    assert links == anchors == ["#one-two", "#three"]


def test_links_at_the_top_say_what_the_headings_say() -> None:
    page = render_page("Title", [Prose("## What speaks for T\\-shirt\\/top")])
    assert '<a href="#what-speaks-for-t-shirt-top">What speaks for T-shirt/top</a>' in page
    assert '<h2 id="what-speaks-for-t-shirt-top">' in page


def test_pictures_are_whole_and_have_words_in_their_place() -> None:
    tags = Tags(render_page("Title", BLOCKS))
    (image,) = [attributes for tag, attributes in tags.seen if tag == "img"]
    assert image["alt"] == 'A "quoted" caption'
    assert (image["width"], image["height"]) == ("4", "3")
    source = image["src"] or ""
    data = base64.b64decode(source.removeprefix("data:image/png;base64,"))
    assert data == png()


def test_text_is_never_taken_for_markup() -> None:
    page = render_page("<i>", [Output("<script>"), Prose("<script>x</script>"), Code("a < b")])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<title>&lt;i&gt;</title>" in page


def test_it_reads_in_light_and_dark_and_on_a_phone() -> None:
    page = render_page("Title", BLOCKS)
    assert "prefers-color-scheme: dark" in page
    assert re.search(r'name="viewport" content="width=device-width', page)
    assert "@media print" in page
