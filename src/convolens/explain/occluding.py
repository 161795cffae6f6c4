"""Occlusion: how far a class's logit falls where a part of the picture is covered."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.explain.baselines import baseline_input, describe_baseline
from convolens.explain.batches import PASSING, batch_size, first_input, in_batches, mean_logits
from convolens.explain.heat_maps import HeatMaps, Side
from convolens.explain.networks import AnyPictures, Explainable
from convolens.explain.targets import Target, chosen, picked, read_target


@dataclass(frozen=True, eq=False, kw_only=True)
class Occlusions(HeatMaps):
    """Maps of how far the logit falls, with what was laid over the pictures."""

    window: Side
    """Height and width of what covers."""
    stride: Side
    """By how many pixels it is moved down and across."""
    fill: str
    """What it shows, in words."""

    def to_dict(self) -> dict[str, Any]:
        """All but the maps themselves, as plain JSON types."""
        covered = {"window": list(self.window), "stride": list(self.stride), "fill": self.fill}
        return super().to_dict() | covered


def occlusion(
    model: Explainable,
    pictures: AnyPictures,
    target: Target = None,
    *,
    window: int | Side | None = None,
    stride: int | Side | None = None,
    fill: Any = None,
) -> Occlusions:
    """How far the logit of a class falls where a window of the picture is covered.

    It is the logit and not the probability: of what a model is sure the probability hardly moves.
    Where windows overlap the mean of their falls is taken; the last window of a row or column is
    cut off at the border.

    Args:
        model: as for :func:`~convolens.explain.grad_cam`.
        pictures: likewise.
        target: likewise.
        window: pixels, as one number or (height, width), of the picture as the network sees it; a
            quarter of each side if None.
        stride: by how many it is moved, no more than the window, or pixels would be left out; half
            of the window if None.
        fill: what the window shows; zeros in the network's input if None (the mean training picture
            of a standardised model); else for a model a picture, whose covered part is shown, for a
            bare network a number or an array (height, width, channels).

    Returns:
        Signed maps in the unit of a logit: below 0 where covering makes the class likelier.

    Raises:
        ConfigError: as :func:`~convolens.explain.grad_cam`; or a window or stride that cannot be.
        ImageError: a picture cannot be read.

    Source: M. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", 2014.

    >>> import numpy as np
    >>> from torch import nn
    >>> brightness = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    >>> _ = nn.init.ones_(brightness[1].weight)
    >>> occlusion(brightness, np.ones((1, 4, 4, 1)), 0, window=2, stride=2).values[0, 0].round(4)
    array([4., 4., 4., 4.], dtype=float32)
    """
    first = first_input(model, pictures)
    side = (first.shape[2], first.shape[3])
    covered = _pair("window", window, (max(1, side[0] // 4), max(1, side[1] // 4)), side)
    usual = (max(1, covered[0] // 2), max(1, covered[1] // 2))
    moved = _pair("stride", stride, usual, covered)
    wanted = read_target(model, target, len(pictures))
    shown = baseline_input(model, fill, first)

    def compute(x: Tensor, span: slice) -> list[Tensor]:
        with torch.no_grad():
            logits = mean_logits(model, x)
            targets = chosen(logits, None if wanted is None else wanted[span])
            reached = picked(logits, targets)
            falls = _falls(model, x, shown, targets, reached, (covered, moved))
        return [each.cpu() for each in (falls, targets, reached)]

    done = in_batches(model, pictures, compute)
    values, targets, logits = (torch.cat(each).numpy() for each in zip(*done, strict=True))
    return Occlusions(
        method="occlusion",
        values=values,
        signed=True,
        targets=targets,
        logits=logits,
        window=covered,
        stride=moved,
        fill=describe_baseline(model, fill),
    )


def _falls(
    model: Explainable,
    x: Tensor,
    shown: Tensor,
    targets: Tensor,
    reached: Tensor,
    windows: tuple[Side, Side],
) -> Tensor:
    """(n, height, width): the mean fall over the windows that cover each pixel."""
    window, stride = windows
    rows, columns = (
        _spans(x.shape[2 + axis], window[axis], stride[axis], x.device) for axis in (0, 1)
    )
    corners = [(row, column) for row in range(len(rows)) for column in range(len(columns))]
    together = max(1, batch_size(x, PASSING) // len(x))  # few pictures: several windows at a time
    total = torch.zeros(len(x), x.shape[2], x.shape[3], device=x.device)
    for start in range(0, len(corners), together):
        down, across = zip(*corners[start : start + together], strict=True)
        masks = rows[list(down)][:, :, None] & columns[list(across)][:, None, :]
        pictures = torch.where(masks[:, None, None], shown, x).flatten(0, 1)
        logits = picked(mean_logits(model, pictures), targets.repeat(len(masks)))
        falls = reached - logits.unflatten(0, (len(masks), -1))
        total += torch.einsum("kn,khw->nhw", falls, masks.float())
    return total / (rows.sum(dim=0)[:, None] * columns.sum(dim=0))


def _spans(side: int, window: int, stride: int, device: torch.device) -> Tensor:
    """(windows, side) bool: which pixels of a side each window covers."""
    count = -(-(side - window) // stride) + 1
    starts = torch.arange(count, device=device)[:, None] * stride
    places = torch.arange(side, device=device)
    return (places >= starts) & (places < starts + window)


def _pair(name: str, given: int | Side | None, usual: Side, most: Side) -> Side:
    if given is None:
        return usual
    pair = (given, given) if not isinstance(given, tuple | list) else tuple(given)
    if len(pair) != 2:
        raise ConfigError(f"{name} is {given!r}; allowed: a whole number, or (height, width)")
    for value, limit in zip(pair, most, strict=True):
        check_whole(name, value, 1, limit)
    return int(pair[0]), int(pair[1])
