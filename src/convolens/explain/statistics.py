"""What the layers of a network put out for many pictures: size, spread, zeros, dead channels."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convolens.config import to_dict
from convolens.explain.batches import PASSING, at_least_single, batch_size, first_input
from convolens.explain.layer_kinds import LayerKind, kind_of
from convolens.explain.networks import (
    AnyPictures,
    Explainable,
    judging,
    layers_of,
    network_input,
    network_of,
)
from convolens.explain.passes import follow_pass
from convolens.explain.statistics_text import statistics_table

PerChannel = NDArray[np.float64]
_RECTIFIERS = (nn.ReLU, nn.ReLU6)


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerStatistics:
    """What one layer put out, channel by channel, over all pictures and places."""

    layer: str
    """Its name in the network."""
    use: int
    """0; of a layer that a picture passes several times each pass has an entry, numbered from 0."""
    kind: LayerKind
    """What it does."""
    operation: str
    """Its class, such as "Conv2d"."""
    shape: tuple[int, ...]
    """Of one picture's output: (height, width, channels), or (channels,)."""
    mean: PerChannel
    """(channels,): mean value."""
    standard_deviation: PerChannel
    """(channels,): its spread."""
    minimum: PerChannel
    """(channels,): smallest value."""
    maximum: PerChannel
    """(channels,): largest value."""
    zeros: PerChannel
    """(channels,): share of values that are 0."""
    cut: PerChannel | None
    """(channels,): share of values at or below 0, where a rectifier, which makes 0 of these, is
    the next layer; None elsewhere."""
    dead: tuple[int, ...]
    """Channels that say nothing: of an activation those that are 0 for every picture, of a
    convolution those that are one constant."""

    @property
    def label(self) -> str:
        """Its name, and for a further pass which one: "relu (2)"."""
        return f"{self.layer} ({self.use + 1})" if self.use else self.layer

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivationStatistics:
    """Every layer that pictures passed, in the order of the computation; ``str()`` is a table."""

    n: int
    """How many pictures."""
    layers: tuple[LayerStatistics, ...]
    """One entry a layer."""

    @property
    def dead(self) -> dict[str, tuple[int, ...]]:
        """The dead channels by label of the layer, of those that have any."""
        return {layer.label: layer.dead for layer in self.layers if layer.dead}

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return to_dict(self)

    def __str__(self) -> str:
        return statistics_table(self)


def activation_statistics(model: Explainable, pictures: AnyPictures) -> ActivationStatistics:
    """Look at what every layer puts out for many pictures.

    Batch by batch, keeping sums alone: thousands of pictures need no more memory than one batch.

    Args:
        model: as from ``load_model``, or any ``nn.Module``.
        pictures: for a model a list of any pictures, or an array (n, height, width, channels) of
            uint8; for a bare network an array (n, height, width, channels) of floating point.

    Returns:
        The statistics of every layer without parts.

    Raises:
        ConfigError: no pictures, or pictures of a wrong kind.
        ImageError: a picture cannot be read.

    >>> network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU())
    >>> network[0].weight.data[:], network[0].bias.data[:] = 1.0, torch.tensor([0.0, -9.0])
    >>> activation_statistics(network, np.ones((5, 4, 4, 1))).dead
    {'0': (0, 1), '1': (1,)}
    """
    first = first_input(model, pictures)
    followed = follow_pass(model, first)
    rectified = {
        key
        for place, key in enumerate(_uses([passed.name for passed in followed.passes]))
        if any(isinstance(reader.module, _RECTIFIERS) for reader in followed.readers(place))
    }
    n, size = len(pictures), batch_size(first, PASSING)
    sums: dict[tuple[str, int], _Sums] = {}
    with _Watcher(model, sums) as watcher, judging(network_of(model)), torch.no_grad():
        for start in range(0, n, size):
            watcher.seen.clear()
            network_of(model)(network_input(model, pictures[start : start + size]))
    modules = layers_of(model)
    return ActivationStatistics(
        n=n,
        layers=tuple(
            seen.finished(*key, modules[key[0]], rectified=key in rectified)
            for key, seen in sums.items()
        ),
    )


@dataclass(eq=False)
class _Sums:
    """What is kept of a layer from one batch to the next."""

    shape: tuple[int, ...]
    count: int = 0
    mean: Any = 0.0
    squares: Any = 0.0
    minimum: Any = np.inf
    maximum: Any = -np.inf
    zeros: Any = 0
    not_positive: Any = 0

    def add(self, output: Tensor) -> None:
        """A batch's values, by T. Chan, G. Golub and R. LeVeque, 1983 (the pairwise update)."""
        output = at_least_single(output)
        places = (0, *range(2, output.ndim))
        count = output.numel() // output.shape[1]
        spread, mean = (_array(part) for part in torch.var_mean(output, places, correction=0))
        total = self.count + count
        step = mean - self.mean
        self.mean = self.mean + step * (count / total)
        self.squares = self.squares + spread * count + step**2 * (self.count * count / total)
        self.count = total
        self.minimum = np.minimum(self.minimum, _array(output.amin(places)))
        self.maximum = np.maximum(self.maximum, _array(output.amax(places)))
        self.zeros = self.zeros + _array((output == 0).sum(places))
        self.not_positive = self.not_positive + _array((output <= 0).sum(places))

    def finished(
        self, name: str, use: int, module: nn.Module, *, rectified: bool
    ) -> LayerStatistics:
        kind = kind_of(module)
        silent = np.zeros(len(self.mean), bool)
        if kind == "activation":
            silent = (self.minimum == 0) & (self.maximum == 0)
        elif kind == "convolution" and self.count > 1:  # one value alone is no constant
            silent = self.minimum == self.maximum
        return LayerStatistics(
            layer=name,
            use=use,
            kind=kind,
            operation=type(module).__name__,
            shape=self.shape,
            mean=self.mean,
            standard_deviation=np.sqrt(self.squares / self.count),
            minimum=self.minimum,
            maximum=self.maximum,
            zeros=self.zeros / self.count,
            cut=self.not_positive / self.count if rectified else None,
            dead=tuple(int(channel) for channel in np.flatnonzero(silent)),
        )


class _Watcher:
    """Adds up what layers put out while it is entered."""

    def __init__(self, model: Explainable, sums: dict[tuple[str, int], _Sums]) -> None:
        self._layers = layers_of(model)
        self._sums = sums
        self._thread = threading.get_ident()
        self._handles: list[Any] = []
        self.seen: list[str] = []

    def __enter__(self) -> "_Watcher":
        for name, module in self._layers.items():
            self._handles.append(module.register_forward_hook(self._watch(name)))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _watch(self, name: str) -> Callable[..., None]:
        def watch(_module: nn.Module, _given: object, output: Any) -> None:
            mine = threading.get_ident() == self._thread
            if not mine or not isinstance(output, Tensor) or output.ndim < 2:
                return
            key = (name, self.seen.count(name))
            self.seen.append(name)
            channels, *places = output.shape[1:]
            self._sums.setdefault(key, _Sums(shape=(*places, channels))).add(output)

        return watch


def _array(sums: Tensor) -> NDArray[np.float64]:
    return sums.double().cpu().numpy()


def _uses(names: list[str]) -> list[tuple[str, int]]:
    """Each name with how often it came before."""
    return [(name, names[:place].count(name)) for place, name in enumerate(names)]
