"""How much of every layer is zero, and which channels are dead."""

from typing import TYPE_CHECKING, Any

from convolens.errors import ConfigError
from convolens.plotting.figures import Figure
from convolens.plotting.page import Page, new_page, text_height
from convolens.plotting.style import (
    BLUE,
    INK,
    MUTED,
    RULE,
    SMALL,
    TEXT,
    TITLE,
    VERMILLION,
    WIDTH,
    house_style,
)
from convolens.plotting.words import fit, text_width

if TYPE_CHECKING:
    from convolens.explain import ActivationStatistics, LayerStatistics

MOST_LAYERS = 60

_EDGE = 0.1
_ROW = 0.22
_NAME_ROOM = 2.0
_ROOM_FOR_DEAD = 1.25
_ROOM_FOR_SHARE = 0.55


def plot_activation_statistics(statistics: "ActivationStatistics") -> Figure:
    """The share of zeros in every activation, and the dead channels of these and of convolutions.

    Args:
        statistics: from ``activation_statistics``.

    Returns:
        A figure, a row for each activation (where a network has none, and for convolutions with
        dead channels: for these). A bar is the share of its values that are 0, from the channel
        with the fewest to the one with the most as a thin line; behind it stands how many channels
        are dead. Of more than 60 rows the first are drawn.

    Raises:
        ConfigError: something else than statistics, or no layer that could be shown.

    >>> import numpy as np
    >>> from torch import nn
    >>> from convolens.explain import activation_statistics
    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    >>> network[0].bias.data[:] = -99.0
    >>> figure = plot_activation_statistics(activation_statistics(network, np.ones((2, 5, 5, 1))))
    >>> figure.texts[0].get_text()
    '8 dead channels in 2 layers'
    """
    if not hasattr(statistics, "layers"):
        raise ConfigError(
            f"cannot draw a {type(statistics).__name__}; give what activation_statistics returns"
        )
    shown = [layer for layer in statistics.layers if layer.kind == "activation" or layer.dead]
    shown = shown or [layer for layer in statistics.layers if layer.kind == "convolution"]
    if not shown:
        raise ConfigError("the network has neither activations nor convolutions to draw")
    return _draw(shown, statistics.n)


@house_style()
def _draw(layers: list["LayerStatistics"], n: int) -> Figure:
    drawn = layers[:MOST_LAYERS]
    names = [layer.label for layer in drawn]
    left = _EDGE + min(max(text_width(name, SMALL) for name in names), _NAME_ROOM) * 1.05 + 0.1
    width = WIDTH - left - _EDGE - _ROOM_FOR_DEAD - _ROOM_FOR_SHARE
    head = _EDGE + text_height("x", TITLE) + text_height("x", SMALL) + 0.15
    top = head + text_height("x", TEXT) + 0.05
    notes = _notes(layers, len(drawn))
    bottom = top + _ROW * len(drawn) + 0.1
    page = new_page(bottom + text_height("\n".join(notes), SMALL) + _EDGE)
    page.write(_EDGE, _EDGE, _title(layers), size=TITLE)
    pictures = "1 picture" if n == 1 else f"{n:,} pictures"
    below = _EDGE + text_height("x", TITLE) + 0.02
    page.write(_EDGE, below, f"over all values of {pictures}", colour=MUTED)
    page.write(left, head, "zeros", size=TEXT)
    page.write(WIDTH - _EDGE, head, "dead channels", size=TEXT, ha="right")
    axes = page.axes(left, top, width, _ROW * len(drawn))
    shares = [float(layer.zeros.mean()) for layer in drawn]
    axes.barh(range(len(drawn)), shares, height=0.6, color=BLUE)
    for row, layer in enumerate(drawn):
        ends = float(layer.zeros.min()), float(layer.zeros.max())
        axes.hlines(row, *ends, color=INK, linewidth=1.0)
        axes.vlines(ends, row - 0.15, row + 0.15, color=INK, linewidth=1.0)
    axes.set(xlim=(0, 1), ylim=(len(drawn) - 0.5, -0.5))
    axes.spines[["top", "bottom"]].set_visible(False)
    axes.spines["right"].set_color(RULE)
    for row, (name, layer) in enumerate(zip(names, drawn, strict=True)):
        _write_row(page, top + (row + 0.5) * _ROW, left, width, name, layer)
    page.write(_EDGE, bottom, "\n".join(notes), colour=MUTED)
    return page.figure


def _write_row(
    page: Page, middle: float, left: float, width: float, name: str, layer: "LayerStatistics"
) -> None:
    style: dict[str, Any] = {"va": "center_baseline"}
    page.write(left - 0.08, middle, fit(name, _NAME_ROOM, SMALL), ha="right", **style)
    page.write(left + width + 0.06, middle, f"{layer.zeros.mean():.0%}".replace("%", " %"), **style)
    dead = len(layer.dead)
    text = f"{dead:,} of {layer.shape[-1]:,}"
    colour = VERMILLION if dead else MUTED
    page.write(WIDTH - _EDGE, middle, text, ha="right", colour=colour, **style)


def _title(layers: list["LayerStatistics"]) -> str:
    dead = [layer for layer in layers if layer.dead]
    n = sum(len(layer.dead) for layer in dead)
    if not n:
        return "No dead channels"
    channels, where = ("channel" if n == 1 else "channels"), len(dead)
    return f"{n:,} dead {channels} in {where} {'layer' if where == 1 else 'layers'}"


def _notes(layers: list["LayerStatistics"], drawn: int) -> list[str]:
    notes = ["bar: share of values that are 0; line: from the channel with the fewest to that with",
             "the most; dead: 0 for every picture, of a convolution one constant"]  # fmt: skip
    if drawn < len(layers):
        notes.append(f"first {drawn} of {len(layers)} layers")
    return notes
