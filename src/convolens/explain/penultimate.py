"""What a network has made of a picture before it names a class."""

import threading
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convolens.errors import ConfigError
from convolens.explain.batches import both_views, first_input, in_batches, views
from convolens.explain.layer_kinds import kind_of
from convolens.explain.networks import AnyPictures, Explainable, network_of
from convolens.explain.passes import follow_pass


def features(model: Explainable, pictures: AnyPictures) -> NDArray[np.float32]:
    """The penultimate features of pictures: what comes into the layer that gives the logits.

    That layer is the dense one that a picture passes last. Where none is, or convolutions follow
    it, the convolution that is passed last gives the logits, and the features are the means of the
    maps that come into it over all places. Where several rows of a picture come into a dense layer,
    such as its patches, the features are the means of these, too.

    A mirrored model has the mean of a picture's features and of its mirror image's. The logits that
    it gives, being linear in the features of a dense layer, are those of that mean.

    Args:
        model: as from ``load_model``, or any ``nn.Module``.
        pictures: for a model a list of any pictures, or an array (n, height, width, channels) of
            uint8; for a bare network an array (n, height, width, channels) of floating point.

    Returns:
        (n, features) float32. On a CPU all threads compute, each a batch at a time, and only the
        features of earlier batches are kept.

    Raises:
        ConfigError: no pictures, pictures of a wrong kind, or a network without any such layer.
        ImageError: a picture cannot be read.

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> features(network, np.ones((5, 2, 2, 1))).shape
    (5, 3)
    """
    layer = _logits_layer(model, first_input(model, pictures))
    here = threading.local()  # several batches pass at the same time

    def keep(_module: nn.Module, given: tuple[Any, ...]) -> None:
        here.given = _means(layer, given[0])

    def compute(x: Tensor, _span: slice) -> Tensor:
        with torch.no_grad():
            network_of(model)(both_views(model, x))
        rows = here.given
        if len(rows) != len(x) * views(model):
            raise ConfigError(
                f"the last {type(layer).__name__} gets {len(rows)} rows for {len(x)} pictures; "
                "allowed: one a picture"
            )
        return torch.stack(rows.chunk(views(model))).mean(dim=0).cpu()

    handle = layer.register_forward_pre_hook(keep)
    try:
        return torch.cat(in_batches(model, pictures, compute)).numpy()
    finally:
        handle.remove()


def _logits_layer(model: Explainable, x: Tensor) -> nn.Module:
    """The dense layer or convolution that a picture passes last."""
    passed = [each.module for each in follow_pass(model, x).passes]
    found = [module for module in passed if kind_of(module) in ("dense", "convolution")]
    if not found:
        raise ConfigError("no picture passes a dense layer or a convolution: there are no features")
    return found[-1]


def _means(layer: nn.Module, given: Tensor) -> Tensor:
    """(n, features): over all places of maps, or all rows of a picture; a copy."""
    places = range(2, given.ndim) if kind_of(layer) == "convolution" else range(1, given.ndim - 1)
    values = given.detach().float()
    return values.mean(dim=tuple(places)) if len(places) else values.clone()
