"""Every figure, drawn in full: text large enough, inside the figure, and not over other text."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Text

PHONE = 380  # CSS pixels
DPI = 100


@pytest.fixture(scope="session")
def drawn(examples):
    """Each figure after drawing, with its texts and their boxes in pixels."""
    figures = {}
    for name, draw in examples.items():
        figure = draw()
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        beyond = _labels_beyond_the_axes(figure)
        boxes = [
            (text, text.get_window_extent(renderer))
            for text in figure.findobj(Text)
            if text.get_text().strip() and text.get_visible() and text not in beyond
        ]
        figures[name] = figure, boxes
    return figures


def _labels_beyond_the_axes(figure):
    """Ticks outside an axis's limits have labels that are never drawn."""
    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                    beyond |= {tick.label1, tick.label2}
    return beyond


def test_text_is_readable_on_a_phone(drawn):
    for name, (figure, boxes) in drawn.items():
        width = figure.get_size_inches()[0]
        if width > 6.01:
            continue  # wider figures are those where more columns were asked for
        for text, _ in boxes:
            height = text.get_size() / 72 / width * PHONE
            assert height > 7.9, (name, text.get_text(), height)


def test_text_stays_inside_the_figure(drawn):
    for name, (figure, boxes) in drawn.items():
        width, height = figure.get_size_inches() * DPI
        for text, box in boxes:
            place = (name, text.get_text(), box.extents)
            assert min(box.x0, box.y0) >= -1, place
            assert max(box.x1 - width, box.y1 - height) <= 1, place


def test_no_text_covers_another(drawn):
    for name, (_, boxes) in drawn.items():
        for (one, a), (other, b) in itertools.combinations(boxes, 2):
            across = min(a.x1, b.x1) - max(a.x0, b.x0)
            down = min(a.y1, b.y1) - max(a.y0, b.y0)
            # Boxes have air around the letters: 2 pixels of it may be shared.
            assert across <= 2 or down <= 2, (name, one.get_text(), other.get_text(), across, down)


def test_figures_stay_of_bounded_size(drawn):
    for name, (figure, _) in drawn.items():
        width, height = figure.get_size_inches()
        assert width == 6 or (name == "images wide" and 6 < width < 9), name
        assert height < 15, name


def test_text_contrasts_with_what_is_under_it(drawn):
    """WCAG 2.2 asks 4.5 of text; numbers in cells are black or white, so at least that."""
    from matplotlib.colors import to_rgb

    for name in ("filters one", "trace", "confusion"):
        figure, _ = drawn[name]
        for axes in figure.axes:
            for text in axes.texts:
                if not axes.images or text.get_bbox_patch() is not None:
                    continue
                column, row = (round(place) for place in text.get_position())
                image = axes.images[0]
                cell = np.asarray(image.to_rgba(image.get_array()))[row, column, :3]
                assert _contrast(to_rgb(text.get_color()), cell) > 4.0, (name, text.get_text())


def _contrast(one, other):
    lights = sorted(_luminance(colour) for colour in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
