"""What layers put out, and how fast a class's logit grows with each of their values."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convolens.errors import ConfigError
from convolens.explain.batches import at_least_single, mean_logits
from convolens.explain.networks import Explainable, layers_of
from convolens.explain.targets import chosen, picked


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerGradients:
    """Of one batch; of a mirrored model the pictures come first, then their mirror images."""

    logits: Tensor
    """(n,) of the targets."""
    targets: Tensor
    """(n,) int64."""
    outputs: list[Tensor]
    """Of each layer (views * n, channels, height, width)."""
    gradients: list[Tensor]
    """Of each view's own logit by these, likewise; both in float32 at least."""


class Keeper:
    """Keeps what layers put out while it is entered, for each thread apart.

    Nothing is recorded for gradients before the first of the layers, so that going back is no
    further than to it.

    Args:
        layers: by name; of one that is passed several times the last pass counts.
    """

    def __init__(self, layers: Mapping[str, nn.Module]) -> None:
        self._layers = dict(layers)
        self._here = threading.local()
        self._handles: list[Any] = []

    def __enter__(self) -> "Keeper":
        for name, layer in self._layers.items():
            self._handles.append(layer.register_forward_hook(self._hook(name)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()

    def gradients(
        self, model: Explainable, x: Tensor, wanted: NDArray[np.int64] | None
    ) -> LayerGradients:
        """Pass a batch and go back to the layers.

        Args:
            model: the one that the layers are part of.
            x: (n, channels, height, width).
            wanted: (n,) classes; the likeliest if None.

        Raises:
            ConfigError: a layer without maps, one that is not passed or that the logits do not
                depend on, or a class that does not exist.
        """
        self._here.outputs = kept = {}
        try:
            with torch.no_grad():
                logits = mean_logits(model, x)
        finally:
            del self._here.outputs
        outputs = [_maps(model, name, kept) for name in self._layers]
        targets = chosen(logits, wanted)
        of_target = picked(logits, targets)
        gradients: tuple[Tensor | None, ...] = (None,)
        if of_target.requires_grad:
            # Every view is as much of the mean as its share: its own logit's gradient is wanted.
            share = outputs[0].shape[0] // len(x)
            gradients = torch.autograd.grad(of_target.sum() * share, outputs, allow_unused=True)
        found = [
            _reached(name, gradient)
            for name, gradient in zip(self._layers, gradients, strict=False)
        ]
        return LayerGradients(
            logits=of_target.detach(),
            targets=targets,
            outputs=[at_least_single(output.detach()) for output in outputs],
            gradients=[at_least_single(gradient) for gradient in found],
        )

    def _hook(self, name: str) -> Callable[..., Any]:
        def keep(_module: nn.Module, _inputs: object, output: Any) -> Any:
            kept = getattr(self._here, "outputs", None)
            if kept is None:  # another thread is using the network for something else
                return None
            kept[name] = output
            if not isinstance(output, Tensor) or not output.is_floating_point():
                return None
            torch.set_grad_enabled(True)
            if not output.requires_grad:
                kept[name] = output = output.detach().requires_grad_()
            # What follows gets a copy: an activation in place would change what is kept.
            return output.clone()

        return keep


def _maps(model: Explainable, name: str, kept: dict[str, Any]) -> Tensor:
    if name not in kept:
        raise ConfigError(f"layer {name!r} is not passed by a picture")
    output = kept[name]
    if isinstance(output, Tensor) and output.ndim == 4:
        return output
    gives = (
        f"values of shape {tuple(output.shape[1:])}"
        if isinstance(output, Tensor)
        else (f"a {type(output).__name__}")
    )
    others = list(layers_of(model, "convolution"))[-3:]
    such = f", such as {', '.join(others)}" if others else ""
    raise ConfigError(
        f"layer {name!r} puts out {gives} for each picture, without height and width; "
        f"choose one with maps{such}"
    )


def _reached(name: str, gradient: Tensor | None) -> Tensor:
    if gradient is None:
        raise ConfigError(
            f"the logits do not depend on layer {name!r}, or the network computes them without "
            "gradients"
        )
    return gradient
