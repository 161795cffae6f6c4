"""Can a heat map be believed? What it marks is taken out of the picture, or put in alone."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convolens.bundle import Model
from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.explain.baselines import baseline_input
from convolens.explain.batches import PASSING, batch_size, first_input, in_batches, mean_logits
from convolens.explain.deletion_curves import DeletionInsertion
from convolens.explain.heat_maps import HeatMaps
from convolens.explain.networks import AnyPictures, Explainable
from convolens.explain.targets import Target, chosen, picked, read_target


def deletion_insertion(
    model: Explainable,
    pictures: AnyPictures,
    heat_maps: HeatMaps | NDArray[Any],
    target: Target = None,
    *,
    steps: int = 10,
    orders: int = 5,
    seed: int = 0,
    fill: Any = None,
) -> DeletionInsertion:
    """How a class's probability falls when what a map marks is taken out, and rises when put in.

    Pixels are covered from the hottest to the coldest, and laid on an empty picture in the same
    order. A map that marks what matters lets the probability fall early and rise early. How early
    depends on the network, so there is chance to compare with: the same maps, each moved to a
    random place (what leaves at one border comes in at the other). They are as coarse as the map
    itself. Single pixels in a random order would not be: such noise destroys a picture much faster
    than any coarse map, and every Grad-CAM would look worse than chance.

    The paper puts pixels into a blurred picture. Of small pictures the blurred one shows the class
    already, so the empty one is the same both times.

    Args:
        model: as for :func:`~convolens.explain.grad_cam`.
        pictures: likewise.
        heat_maps: of these pictures, as large as the network sees them; or an array
            (n, height, width). Of equal values the order is random.
        target: as for :func:`~convolens.explain.grad_cam`; if None, what the maps explain, else the
            likeliest class.
        steps: parts of the picture, each taken out or put in at once.
        orders: moved maps for each picture.
        seed: of the moves, and of the order of equal values.
        fill: what the empty picture shows, as for :func:`~convolens.explain.occlusion`.

    Returns:
        Curves and areas, and a verdict in words.

    Raises:
        ConfigError: maps that do not fit the pictures or are not finite, or numbers out of range.
        ImageError: a picture cannot be read.

    Source: V. Petsiuk et al., "RISE: Randomized input sampling for explanation of black-box
    models", 2018.

    >>> from torch import nn
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    >>> _ = nn.init.zeros_(network[1].weight)
    >>> network[1].weight.data[0, 5] = 9.0  # all that counts is one pixel
    >>> heat = np.zeros((1, 4, 4))
    >>> heat[0, 1, 1] = 1.0
    >>> found = deletion_insertion(network, np.ones((1, 4, 4, 1)), heat, steps=4)
    >>> bool(found.deletion_areas < found.chance_deletion_areas.mean())
    True
    """
    first = first_input(model, pictures)
    side = (first.shape[2], first.shape[3])
    check_whole("steps", steps, 2, max(2, side[0] * side[1]))
    check_whole("orders", orders, 1, 1000)
    check_whole("seed", seed, 0, 2**63 - 1)
    values = _checked(heat_maps, (len(pictures), *side))
    if target is None and isinstance(heat_maps, HeatMaps):
        target = heat_maps.targets
    wanted = read_target(model, target, len(pictures))
    empty = baseline_input(model, fill, first)
    shares = np.round(np.linspace(0, side[0] * side[1], steps + 1)).astype(np.int64)

    def compute(x: Tensor, span: slice) -> tuple[Tensor, Tensor]:
        numbers = range(span.start, span.stop)
        ranks = torch.from_numpy(
            np.stack([_ranks(values[number], orders, (seed, number)) for number in numbers], axis=1)
        ).to(x.device)
        with torch.no_grad():
            logits = mean_logits(model, x)
            targets = chosen(logits, None if wanted is None else wanted[span])
            whole = _probabilities(model, logits, targets)
            blank = mean_logits(model, empty).expand(len(x), -1)
            nothing = _probabilities(model, blank, targets)
            ends = torch.stack([whole, nothing], dim=1)
            inside = [_curves(model, x, empty, order, targets, shares[1:-1]) for order in ranks]
            curves = [torch.cat([ends, each, ends.flip(1)], dim=2) for each in inside]
        return torch.stack(curves, dim=1).cpu(), targets.cpu()

    curves, targets = zip(*in_batches(model, pictures, compute), strict=True)
    both = torch.cat(curves).numpy()
    return DeletionInsertion(
        shares=shares / shares[-1],
        deletion=both[:, 0, 0],
        insertion=both[:, 0, 1],
        chance_deletion=both[:, 1:, 0],
        chance_insertion=both[:, 1:, 1],
        targets=torch.cat(targets).numpy(),
        seed=seed,
    )


def _checked(heat_maps: HeatMaps | NDArray[Any], shape: tuple[int, int, int]) -> NDArray[Any]:
    values = heat_maps.values if isinstance(heat_maps, HeatMaps) else np.asarray(heat_maps)
    if values.shape != shape:
        raise ConfigError(
            f"heat maps have shape {values.shape}; these pictures, as the network sees them, need "
            f"{shape}"
        )
    if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise ConfigError("heat maps have values that are not finite numbers")
    return values


def _ranks(heat: NDArray[Any], orders: int, seed: tuple[int, int]) -> NDArray[np.int64]:
    """(1 + orders, height, width): each pixel's place, by the map and by moved ones."""
    generator = np.random.default_rng(seed)
    return np.stack([_places(each, generator) for each in (heat, *_moved(heat, orders, generator))])


def _moved(heat: NDArray[Any], orders: int, generator: np.random.Generator) -> list[NDArray[Any]]:
    by = generator.integers(1, max(2, heat.size), orders)  # never by nothing
    return [np.roll(heat, divmod(int(one), heat.shape[1]), axis=(0, 1)) for one in by]


def _places(heat: NDArray[Any], generator: np.random.Generator) -> NDArray[np.int64]:
    order = np.lexsort((generator.random(heat.size), -heat.ravel().astype(np.float64)))
    places = np.empty(heat.size, dtype=np.int64)
    places[order] = np.arange(heat.size)
    return places.reshape(heat.shape)


def _curves(
    model: Explainable,
    x: Tensor,
    empty: Tensor,
    ranks: Tensor,
    targets: Tensor,
    counts: NDArray[np.int64],
) -> Tensor:
    """(n, 2, counts): probabilities when so many pixels are taken out, and when they are put in."""
    together = max(1, batch_size(x, PASSING) // len(x))  # few pictures: several steps at a time
    curves: list[Tensor] = []
    for start in range(0, len(counts), together):
        part = torch.from_numpy(counts[start : start + together]).to(x.device)
        first = (ranks < part.view(-1, 1, 1, 1))[:, :, None]
        both = (torch.where(first, empty, x), torch.where(first, x, empty))
        found = [
            _probabilities(model, mean_logits(model, each.flatten(0, 1)), targets) for each in both
        ]
        curves.append(torch.stack(found, dim=1))
    return torch.cat(curves, dim=2)


def _probabilities(model: Explainable, logits: Tensor, targets: Tensor) -> Tensor:
    """(n, passes) of the targets, as ``predict_proba`` gives them, from (passes * n, classes)."""
    temperature = model.temperature if isinstance(model, Model) else 1.0
    times = len(logits) // len(targets)
    probabilities = torch.softmax(logits / temperature, dim=1)
    return picked(probabilities, targets.repeat(times)).view(times, -1).T
