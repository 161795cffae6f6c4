"""The picture of ``convolens see``: whichever drawing suits what was done."""

from typing import TYPE_CHECKING

from convolens.plotting.crop import plot_crop
from convolens.plotting.figures import Figure
from convolens.plotting.image import plot_image
from convolens.plotting.marks import mark_window
from convolens.plotting.pooling import plot_pooling
from convolens.plotting.view_grid import draw_view_grid
from convolens.plotting.view_parts import heading

if TYPE_CHECKING:
    from convolens.explain import ImageView
    from convolens.ops import ConvTrace, PoolTrace


def plot_view(view: "ImageView", trace: "ConvTrace | PoolTrace | None" = None) -> Figure:
    """Draw what a crop, filters and a pooling made of a picture.

    Without filters and pooling that is the picture with its colour bar, or the whole with the crop
    marked on it and beside it. A pooling alone is drawn before and after, at true relative size.
    Filters stand beside their feature maps, in a grid of all combinations of their settings.

    Args:
        view: what ``view_image`` returned.
        trace: what ``view.trace`` returned; its window and its value are marked.

    Returns:
        A figure.

    >>> import numpy as np
    >>> from convolens.explain import view_image
    >>> from convolens.ops import Pooling
    >>> picture = np.zeros((6, 8, 3), np.uint8)
    >>> len(plot_view(view_image(picture, pooling=Pooling("max", 2))).axes)
    2
    """
    if view.maps:
        return draw_view_grid(view, trace)
    if view.pooling is not None:
        (pooled,) = view.pooled
        figure = plot_pooling(view.input, pooled.values, (heading(view), str(view.pooling)))
        if trace is not None:
            before, after = figure.axes
            mark_window(before, trace.rows, trace.columns)
            mark_window(after, [trace.row], [trace.column])
        return figure
    if view.cropped:
        return plot_crop(view.image, view.rows, view.columns, title=view.name)
    shape = " × ".join(str(side) for side in view.image.shape)
    return plot_image(view.image, title=f"{view.name}: {shape}, {view.image.dtype}")
