"""Why a network says what it says of one picture, in one figure."""

from typing import TYPE_CHECKING

import numpy as np

from convolens.errors import ConfigError
from convolens.plotting.chart import percent
from convolens.plotting.figures import Figure
from convolens.plotting.heat_pictures import heat_picture, picture_bytes
from convolens.plotting.image import size_within
from convolens.plotting.maps import show_map
from convolens.plotting.marks import mark_window
from convolens.plotting.page import Page, new_page, text_height
from convolens.plotting.panels import frame
from convolens.plotting.pictures import show_picture
from convolens.plotting.style import BLUE, INK, MUTED, RULE, SMALL, TEXT, TITLE, WIDTH, house_style
from convolens.plotting.value_chain import chain_lines
from convolens.plotting.words import LINE, drawable, fit

if TYPE_CHECKING:
    from convolens.explain import Explanation, LayerMaps

_EDGE, _GAP = 0.1, 0.12
_ROOM = WIDTH - 2 * _EDGE
_HINTED = 1.05  # letters on the screen are up to a twentieth wider than they measure
_PANEL = 1.9  # side of the picture and the heat map
_CAPTION = 3  # lines below these
_MAPS = 6  # beside one another
_MOST_STATIONS = 7
_NAMES = 1.55  # room for the layers' names
_STEP = TEXT * LINE / 72


def plot_explanation(explanation: "Explanation", title: str = "picture") -> Figure:
    """One picture's prediction, heat map, way through the network, and the arithmetic of a value.

    Args:
        explanation: what ``explain_picture`` returned.
        title: what to call the picture.

    Returns:
        A figure: of many layers the important ones, each with its six strongest maps; the
        arithmetic in short (``plot_value_trace`` has every number).

    Raises:
        ConfigError: something else than an explanation.

    >>> from torch import nn
    >>> from convolens.explain import explain_picture
    >>> network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2))
    >>> figure = plot_explanation(explain_picture(network, np.eye(8)[:, :, None]), "a line")
    >>> figure.texts[0].get_text().startswith("a line: class ")
    True
    """
    from convolens.explain import Explanation

    if not isinstance(explanation, Explanation):
        raise ConfigError(
            f"cannot draw a {type(explanation).__name__}; give what explain_picture returns"
        )
    return _draw(explanation, title)


@house_style()
def _draw(explanation: "Explanation", title: str) -> Figure:
    stations = _stations(explanation)
    lines = [
        part
        for line in chain_lines(explanation.trace)
        for part in fit(line, _ROOM, TEXT, lines=2).split("\n")
    ]
    top = _EDGE + text_height("x", TITLE) + text_height("x", SMALL) + 0.1
    panel = size_within(explanation.picture, _PANEL, _PANEL)
    below = top + panel[1] + _CAPTION * SMALL * LINE / 72 + 0.25
    cell = (_ROOM - _NAMES - _MAPS * _GAP / 2) / _MAPS
    tall = [min(cell * each.maps.shape[0] / each.maps.shape[1], 1.6 * cell) for each in stations]
    rows = [max(one, 3 * SMALL * LINE / 72) + _GAP for one in tall]
    middle = below + 0.3 + sum(rows) + 0.1
    page = new_page(middle + (len(lines) + 1) * _STEP + 0.15 + _EDGE)
    _write_head(page, explanation, title)
    _draw_pictures(page, explanation, top, panel)
    left = 2 * (_EDGE + _PANEL) + 0.2
    _draw_bars(page, explanation, left, top)
    much = explanation.way_length > len(stations)
    which = f", {len(stations)} of {explanation.way_length} layers" if much else ""
    page.write(_EDGE, below, f"its way through the network{which}", size=TEXT)
    place = below + 0.3
    for each, row in zip(stations, rows, strict=True):
        _draw_station(page, each, place, cell, row - _GAP)
        place += row
    page.write(_EDGE, middle, fit(_value_name(explanation), _ROOM / _HINTED, TEXT), size=TEXT)
    for number, line in enumerate(lines, start=1):
        page.write(_EDGE, middle + 0.08 + number * _STEP, line, size=TEXT, colour=MUTED)
    return page.figure


def _stations(explanation: "Explanation") -> "list[LayerMaps]":
    """The layers shown: of many the first, the last of each size, and the traced one."""
    way = list(explanation.way)
    if len(way) <= _MOST_STATIONS:
        return way
    last = {each.layer.shape[:2]: each.layer.name for each in way}
    kept = {way[0].layer.name, explanation.trace.layer, *last.values()}
    chosen = [each for each in way if each.layer.name in kept]
    return chosen[:1] + chosen[1 - _MOST_STATIONS :] if len(chosen) > _MOST_STATIONS else chosen


def _write_head(page: Page, explanation: "Explanation", title: str) -> None:
    from convolens.explain.explanation_text import UNLIKE

    name, share = explanation.top[0]
    said = f"{drawable(title)}: {drawable(name)}, {percent(share)}"
    page.write(_EDGE, _EDGE, fit(said, _ROOM / _HINTED, TITLE), size=TITLE)
    doubts = ["unsure"] if explanation.unsure else []
    doubts += [UNLIKE] if explanation.unknown else []
    text = "; ".join([*doubts, f"by {explanation.network}"])
    page.write(_EDGE, _EDGE + text_height("x", TITLE) + 0.02, text, colour=MUTED)


def _draw_pictures(
    page: Page, explanation: "Explanation", top: float, panel: tuple[float, float]
) -> None:
    """The picture with what the value sees, and the heat map over it."""
    width, height = panel
    field, heat = explanation.field, explanation.heat
    seen = picture_bytes(explanation.picture)
    over = heat_picture(explanation.picture, heat)
    target = explanation.classes[explanation.target]
    size = "{} × {} values".format(*heat.resolutions[0])
    boxed = field is not None and field.rows is not None and field.columns is not None
    captions = (
        f"as the network sees it{'; the box is what the value below sees' if boxed else ''}",
        f"what speaks for {drawable(target)}, in {heat.layer} ({size})",
    )
    for index, (image, words) in enumerate(zip((seen, over), captions, strict=True)):
        left = _EDGE + index * (_PANEL + 0.15)
        axes = page.axes(left, top, width, height)
        show_picture(axes, image[:, :, 0] if image.shape[2] == 1 else image)
        frame(axes)
        if index == 0 and boxed:
            assert field is not None
            assert field.rows is not None
            assert field.columns is not None
            rows, columns = (
                np.arange(ends[0], ends[1] + 1) for ends in (field.rows, field.columns)
            )
            mark_window(axes, rows, columns)
        text = fit(words, _PANEL / _HINTED, SMALL, lines=_CAPTION)
        page.write(left, top + height + 0.06, text, colour=MUTED)


def _belief(explanation: "Explanation") -> str:
    found = explanation.faithfulness
    if found is None:
        return "heat map: nothing in this layer speaks for the class"
    word = {
        True: "can be believed",
        None: "one picture cannot tell whether to believe it",
        False: "should not be believed",
    }[explanation.believable]
    better = int((found.gains > 0).sum())
    return f"heat map: {word}, better than {better} of {found.gains.size} that were moved"


def _draw_bars(page: Page, explanation: "Explanation", left: float, top: float) -> None:
    """The likeliest classes, each with a bar below its name; whether to believe the heat map."""
    width = WIDTH - _EDGE - left
    step = 2 * SMALL * LINE / 72 + 0.12
    for index, (name, share) in enumerate(explanation.top):
        y = top + index * step
        words = percent(share)
        page.write(left, y, fit(name, (width - 0.6) / _HINTED, SMALL))
        page.write(WIDTH - _EDGE, y, words, ha="right")
        axes = page.axes(left, y + SMALL * LINE / 72 + 0.03, width, 0.12)
        axes.barh([0], [1], color="#ececec", height=1)
        axes.barh([0], [share], color=BLUE, height=1)
        axes.set(xlim=(0, 1), ylim=(-0.5, 0.5))
        frame(axes, RULE, 0.5)
    belief = fit(_belief(explanation), width / _HINTED, SMALL, lines=7)
    page.write(left, top + len(explanation.top) * step + 0.05, belief, colour=MUTED)


def _draw_station(page: Page, each: "LayerMaps", top: float, cell: float, height: float) -> None:
    layer = each.layer
    size = " × ".join(str(side) for side in layer.shape)
    kind = "activation" if layer.kind == "activation" else layer.operation
    for line, text in enumerate((layer.name, kind, size)):
        y = top + line * SMALL * LINE / 72
        words = fit(text, (_NAMES - 0.1) / _HINTED, SMALL)
        page.write(_EDGE, y, words, colour=MUTED if line else INK)
    for index in range(min(_MAPS, len(each.channels))):
        left = _EDGE + _NAMES + index * (cell + _GAP / 2)
        show_map(page.axes(left, top, cell, height), each.maps[:, :, index], "gray")


def _value_name(explanation: "Explanation") -> str:
    trace = explanation.trace
    return f"{trace.layer!r} at row {trace.row}, column {trace.column}, channel {trace.channel}:"
