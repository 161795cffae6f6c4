"""The picture that says nothing: what covered places show, and where a path to a picture begins."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from convolens.bundle import Model
from convolens.errors import ConfigError
from convolens.explain.networks import Explainable, network_input


def baseline_input(model: Explainable, picture: Any, like: Tensor) -> Tensor:
    """A picture that says nothing, as the network's input.

    Args:
        model: as everywhere here.
        picture: None for zeros, which after a standardisation is the mean training picture and
            after "scale" a black one; else for a model any one picture, which goes through its
            preprocessing, and for a bare network a number or an array (height, width, channels).
        like: (n, channels, height, width): an input of the network.

    Returns:
        (1, channels, height, width) float32, on the device of ``like``.

    Raises:
        ConfigError: none of these, or values that are not finite.
        ImageError: a picture that cannot be read.
    """
    if picture is None:
        return torch.zeros_like(like[:1])
    if isinstance(model, Model):
        return network_input(model, [picture])
    given = np.asarray(picture)
    shape = (like.shape[2], like.shape[3], like.shape[1])
    number = given.dtype.kind in "iuf" and given.ndim in (0, 3)
    if not number or (given.ndim == 3 and given.shape != shape):
        raise ConfigError(
            f"a bare network's baseline is a number or an array of shape {shape}; got "
            f"{type(picture).__name__} of shape {given.shape}"
        )
    if not np.isfinite(given).all():
        raise ConfigError("the baseline has values that are not finite")
    return network_input(model, np.broadcast_to(given, (1, *shape)).astype(np.float32))


def describe_baseline(model: Explainable, picture: Any) -> str:
    """In words, for a result."""
    if picture is not None:
        return "given"
    if not isinstance(model, Model):
        return "zeros"
    return "black picture" if model.preprocessing.kind == "scale" else "mean training picture"
