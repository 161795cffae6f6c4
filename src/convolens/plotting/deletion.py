"""Curves of deletion and insertion beside those of maps that were moved to a random place."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from convolens.errors import ConfigError
from convolens.plotting.chart import percent_marks, quiet
from convolens.plotting.figures import Figure
from convolens.plotting.page import new_page, text_height
from convolens.plotting.style import BLUE, MUTED, RULE, SMALL, TEXT, TITLE, WIDTH, house_style

if TYPE_CHECKING:
    from convolens.explain import DeletionInsertion

_EDGE, _LEFT, _GAP = 0.1, 0.8, 0.5
_HEIGHT = 2.3
_NOTE = "blue: the map; grey: the same map moved to random places, their mean dashed"


def plot_deletion_insertion(found: "DeletionInsertion", title: str = "") -> Figure:
    """How the probability falls where a map's pixels are taken out, and rises where put in.

    Args:
        found: what ``deletion_insertion`` returned; of several pictures their means are drawn.
        title: above all; how many moved maps it is better than if empty.

    Returns:
        A figure. A map that marks what counts falls below the grey lines on the left, and rises
        above them on the right.

    Raises:
        ConfigError: something else than such a result.

    >>> from torch import nn
    >>> from convolens.explain import deletion_insertion
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    >>> found = deletion_insertion(network, np.ones((1, 4, 4, 1)), np.zeros((1, 4, 4)), steps=2)
    >>> len(plot_deletion_insertion(found, "One picture").axes)
    2
    """
    from convolens.explain import DeletionInsertion

    if not isinstance(found, DeletionInsertion):
        raise ConfigError(
            f"cannot draw a {type(found).__name__}; give what deletion_insertion returns"
        )
    better = f"better than {int((found.gains > 0).sum())} of {found.gains.size} moved maps"
    return _draw(found, title or better)


@house_style()
def _draw(found: "DeletionInsertion", title: str) -> Figure:
    width = (WIDTH - _LEFT - _GAP - 0.3) / 2
    top = _EDGE + text_height("x", TITLE) + text_height("x", TEXT) + 0.1
    bottom = top + _HEIGHT + 0.55
    page = new_page(bottom + text_height("x", SMALL) + _EDGE)
    page.write(_EDGE, _EDGE, title, size=TITLE)
    page.write(_EDGE, bottom, _NOTE, colour=MUTED)
    parts = (
        ("hottest pixels taken out", found.deletion, found.chance_deletion),
        ("hottest pixels put in alone", found.insertion, found.chance_insertion),
    )
    for index, (name, curves, chance) in enumerate(parts):
        left = _LEFT + index * (width + _GAP)
        page.write(left, top - 0.05, name, size=TEXT, va="bottom")
        axes = page.axes(left, top, width, _HEIGHT)
        quiet(axes)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="share of the pixels")
        percent_marks(axes.xaxis, 0, 1, most=3)
        percent_marks(axes.yaxis, 0, 1)
        _draw_curves(axes, found.shares, curves.mean(axis=0), chance.mean(axis=0))
        if index:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel("probability")
    return page.figure


def _draw_curves(
    axes: Axes,
    shares: NDArray[np.float64],
    curve: NDArray[np.float32],
    chance: NDArray[np.float32],
) -> None:
    for one in chance:
        axes.plot(shares, one, color=RULE, linewidth=0.7, zorder=2)
    axes.plot(shares, chance.mean(axis=0), color=MUTED, linewidth=1.6, linestyle="--", zorder=3)
    axes.plot(shares, curve, color=BLUE, linewidth=2.2, zorder=4, clip_on=False)
