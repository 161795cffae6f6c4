"""Does a heat map follow what a network has learnt? Its weights are mixed up, layer by layer."""

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.explain.batches import first_input, on_one_thread
from convolens.explain.class_activation import grad_cam
from convolens.explain.heat_maps import HeatMaps
from convolens.explain.networks import AnyPictures, Explainable, judging, network_of
from convolens.explain.targets import Target

ALIKE = 0.5
"""Mean rank correlation from which on maps count as alike. No paper sets one; what was met with
is in docs/decisions/0030-heat-maps.md."""

Method = Callable[[Any, Any, Any], HeatMaps]
"""From model, pictures and target to heat maps; other settings are bound by functools.partial."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SanityCheck:
    """How heat maps change when a network forgets, from the last layer to the first."""

    method: str
    """What made the maps."""
    layers: tuple[str, ...]
    """The layers in the order in which their weights were mixed up: the last of the network first;
    each stays mixed up when the next follows."""
    correlations: NDArray[np.float64]
    """(layers, n) in -1..1: the rank correlation of each picture's map with the one of the trained
    network, after each layer; 0 where either has only one value."""
    targets: NDArray[np.int64]
    """(n,) the class that all maps of a picture explain."""
    seed: int
    """Of the mixing."""

    @property
    def remaining(self) -> float:
        """The highest mean correlation once half of the layers or more are mixed up."""
        half = (len(self.layers) - 1) // 2
        return float(self.correlations[half:].mean(axis=1).max())

    @property
    def follows(self) -> bool:
        """Whether the maps follow what was learnt."""
        return self.remaining < ALIKE

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        found = (
            f"with half of the layers or more mixed up the rank correlation is at most "
            f"{self.remaining:.2f}"
        )
        if self.follows:
            return f"the maps follow what was learnt: {found}"
        return (
            f"the maps do not follow what was learnt, they would look much the same without "
            f"training: {found}"
        )

    def __str__(self) -> str:
        return self.verdict

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, correlations as means over the pictures."""
        return {
            "method": self.method,
            "n": len(self.targets),
            "seed": self.seed,
            "layers": list(self.layers),
            "correlations": self.correlations.mean(axis=1).tolist(),
            "remaining": self.remaining,
            "follows": self.follows,
            "verdict": self.verdict,
        }


def sanity_check(
    model: Explainable,
    pictures: AnyPictures,
    method: Method = grad_cam,
    seed: int = 0,
    *,
    target: Target = None,
) -> SanityCheck:
    """Whether heat maps follow what a network has learnt, or would look the same without.

    In a copy of the network the weights of each layer are mixed up, from the last to the first, so
    that each keeps the sizes of its weights and nothing of what they meant. After each layer the
    maps are made again, for the same classes, and compared with the trained network's. Maps that
    stay alike show edges or where pictures are bright, not why the network decides.

    Args:
        model: as for :func:`~convolens.explain.grad_cam`; it is left as it is.
        pictures: likewise; some tens are enough.
        method: what makes the maps, called as ``method(model, pictures, target)``.
        seed: of the mixing.
        target: as for :func:`~convolens.explain.grad_cam`.

    Raises:
        ConfigError: as the method; or a network without weights.

    Source: J. Adebayo et al., "Sanity checks for saliency maps", 2018: cascading randomisation.
    They draw weights anew; mixing needs no knowledge of how a layer of any kind begins.

    >>> network = nn.Sequential(
    ...     nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Flatten(), nn.Linear(8 * 36, 2)
    ... )
    >>> done = sanity_check(network, np.random.default_rng(0).random((3, 10, 10, 1)))
    >>> done.layers, done.correlations.shape
    (('4', '2', '0'), (3, 3))
    """
    check_whole("seed", seed, 0, 2**63 - 1)
    trained = method(model, pictures, target)
    network = copy.deepcopy(network_of(model))
    mixed = network if isinstance(model, nn.Module) else dataclasses.replace(model, network=network)
    x = first_input(model, pictures)
    names = on_one_thread(lambda: _with_weights(network, x))[::-1]
    if not names:
        raise ConfigError("the network has no weights that could be mixed up")
    modules = dict(network.named_modules())
    generator = torch.Generator().manual_seed(seed)
    correlations = []
    for name in names:
        _mix_up(modules[name], generator)
        maps = method(mixed, pictures, trained.targets)
        correlations.append(rank_correlations(trained.values, maps.values))
    return SanityCheck(
        method=trained.method,
        layers=tuple(names),
        correlations=np.stack(correlations),
        targets=trained.targets,
        seed=seed,
    )


def rank_correlations(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Spearman's rank correlation of each map with its counterpart.

    Args:
        first: (n, height, width).
        second: likewise.

    Returns:
        (n,) in -1..1; 0 where either map has only one value.

    >>> rank_correlations(np.array([[[1, 2, 3]]]), np.array([[[10, 30, 20]]]))
    array([0.5])
    """
    return np.array(
        [_correlation(_ranks(a), _ranks(b)) for a, b in zip(first, second, strict=True)]
    )


def _ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Places in order; those of equal values are their mean."""
    _, which, counts = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[which]


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size > 0 else 0.0


def _with_weights(network: nn.Module, x: Tensor) -> list[str]:
    """Modules with weights of their own, in the order in which a picture passes them last."""
    passed: dict[str, None] = {}
    handles = []

    def note(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object) -> None:
            passed.pop(name, None)
            passed[name] = None

        return hook

    for name, module in network.named_modules():
        if any(True for _ in module.parameters(recurse=False)):
            handles.append(module.register_forward_pre_hook(note(name)))
    try:
        with torch.no_grad(), judging(network):
            network(x.clone())
    finally:
        for handle in handles:
            handle.remove()
    return list(passed)


def _mix_up(module: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for weights in module.parameters(recurse=False):
            order = torch.randperm(weights.numel(), generator=generator).to(weights.device)
            weights.copy_(weights.flatten()[order].view_as(weights))
