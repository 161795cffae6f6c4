"""One HTML page from blocks of prose, code, output and pictures."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape
from importlib.resources import files

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

GENERATOR = '<meta name="generator" content="Convolens">'
"""By which a page of ours is known."""


@dataclass(frozen=True)
class Prose:
    """Words, in Markdown. A heading of the second level opens a section."""

    markdown: str


@dataclass(frozen=True)
class Code:
    """Lines of Python, shown coloured."""

    source: str


@dataclass(frozen=True)
class Output:
    """Text that a program printed."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A PNG picture with a caption, which is its text alternative too."""

    png: bytes
    caption: str


@dataclass(frozen=True)
class Drawing:
    """An SVG picture with a caption, which is its text alternative too."""

    svg: bytes
    caption: str


@dataclass(frozen=True)
class Markup:
    """HTML of our own making: whatever text is in it was escaped by who made it."""

    html: str


Block = Prose | Code | Output | Picture | Drawing | Markup


def render_page(
    title: str,
    blocks: Sequence[Block],
    *,
    footer: str = "",
    opening: str = "",
    styles: Sequence[str] = (),
    script: str | None = None,
) -> str:
    """The whole page as one HTML document that needs nothing beside it.

    Args:
        title: of the page; shown as its first heading.
        blocks: from top to bottom.
        footer: one line at the end, in Markdown.
        opening: HTML between the title and the links to the sections.
        styles: files beside ``page.css`` whose rules follow it.
        script: a file there that the page runs; it must be readable without.

    Returns:
        HTML. Links to its sections stand at the top.

    >>> page = render_page("Title", [Prose("## One"), Code("x = 1"), Output("a < b")])
    >>> "a &lt; b" in page and 'href="#one"' in page
    True
    """
    sections = [
        heading
        for block in blocks
        if isinstance(block, Prose)
        for heading in re.findall(r"^## (.+)$", block.markdown, flags=re.MULTILINE)
    ]
    titles = [_plain(_MARKDOWN.renderInline(heading)) for heading in sections]
    contents = "".join(
        f'<li><a href="#{_anchor(title)}">{escape(title)}</a></li>' for title in titles
    )
    body = "\n".join(_render(block) for block in blocks)
    css = "\n".join(_part(name) for name in ("page.css", *styles))
    code = f"<script>\n{_part(script)}</script>\n" if script else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{GENERATOR}
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{css}
{_highlighting()}
</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{opening}
<nav aria-label="Sections"><ol>{contents}</ol></nav>
{body}
<footer>{render_markdown(footer)}</footer>
</main>
{code}</body>
</html>
"""


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def render_markdown(markdown: str) -> str:
    r"""Words in Markdown as HTML; HTML in them is text.

    >>> render_markdown("**a** <b>")
    '<p><strong>a</strong> &lt;b&gt;</p>\n'
    """
    return _MARKDOWN.render(markdown)


def _render(block: Block) -> str:
    if isinstance(block, Prose):
        return _with_anchors(render_markdown(block.markdown))
    if isinstance(block, Code):
        # A block that scrolls sideways must be reachable by keyboard.
        formatter = HtmlFormatter(nowrap=True)
        coloured = highlight(block.source, PythonLexer(), formatter).rstrip("\n")
        return f'<pre class="code" tabindex="0"><code>{coloured}</code></pre>'
    if isinstance(block, Output):
        return (
            f'<pre class="output" tabindex="0"><samp>{escape(_writable(block.text))}</samp></pre>'
        )
    if isinstance(block, Markup):
        return block.html
    caption = escape(block.caption)
    if isinstance(block, Drawing):
        source, size = data_address(block.svg, "image/svg+xml"), 'class="drawing"'
    else:
        source, size = data_address(block.png, "image/png"), _size(block.png)
    return (
        f'<figure><img src="{source}" alt="{caption}" {size}>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _writable(text: str) -> str:
    """Text that UTF-8 can write: a path need not be any."""
    return text.encode("utf-8", "replace").decode("utf-8")


def data_address(content: bytes, kind: str) -> str:
    """The address of a file that lies in the page itself.

    >>> data_address(b"x", "image/png")
    'data:image/png;base64,eA=='
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _part(name: str) -> str:
    return files("convolens.reports").joinpath(name).read_text(encoding="utf-8")


def _with_anchors(html: str) -> str:
    return re.sub(
        r"<h2>(.+?)</h2>",
        lambda match: f'<h2 id="{_anchor(_plain(match[1]))}">{match[1]}</h2>',
        html,
    )


def _plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def _size(png: bytes) -> str:
    """Width and height, so that the page does not jump while it is read. PNG keeps them first."""
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    return f'width="{width}" height="{height}"'


def _highlighting() -> str:
    light = HtmlFormatter(style="xcode").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".code")
    keep = re.compile(r"^\.code \.", flags=re.MULTILINE)
    rules = [
        "\n".join(line for line in text.splitlines() if keep.match(line)) for text in (light, dark)
    ]
    return f"{rules[0]}\n@media screen and (prefers-color-scheme: dark) {{\n{rules[1]}\n}}"
