"""Integrated gradients: what each value of the input adds to the logit, on the way to it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convolens.config import check_whole
from convolens.errors import ConfigError
from convolens.explain.baselines import baseline_input, describe_baseline
from convolens.explain.batches import (
    LEARNING,
    at_least_single,
    batch_size,
    first_input,
    in_batches,
    mean_logits,
)
from convolens.explain.heat_maps import HeatMaps
from convolens.explain.networks import AnyPictures, Explainable
from convolens.explain.targets import Target, chosen, picked, read_target

STEPS = 50
"""As captum has it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class IntegratedGradients(HeatMaps):
    """Maps that are sums of what each input value adds, with these."""

    attributions: NDArray[np.float32]
    """(n, height, width, channels): what each value of the network's input adds to the logit, from
    the baseline's to its own."""
    steps: int
    """Points on the way at which the gradient was taken."""
    baseline: str
    """What the way begins at, in words."""
    baseline_logits: NDArray[np.float32]
    """(n,) what the model gives for the target there."""
    completeness_errors: NDArray[np.float32]
    """(n,) the sum of the attributions less the difference of both logits. It would be 0 for
    infinitely many steps; where it is not small beside that difference, take more."""

    def to_dict(self) -> dict[str, Any]:
        """All but maps and attributions, as plain JSON types."""
        return super().to_dict() | {
            "steps": self.steps,
            "baseline": self.baseline,
            "baseline_logits": self.baseline_logits.tolist(),
            "completeness_errors": self.completeness_errors.tolist(),
        }


def integrated_gradients(
    model: Explainable,
    pictures: AnyPictures,
    target: Target = None,
    *,
    steps: int = STEPS,
    baseline: Any = None,
) -> IntegratedGradients:
    """What each value of the picture adds to the logit of a class.

    On the straight way from a baseline to the picture the gradient of the logit is taken at points
    chosen for Gauss-Legendre quadrature; its mean times the difference from the baseline is the
    attribution. Attributions sum up to the difference of both logits, but for the error that the
    result states. Of a mirrored model, the logit is the mean of both views', and this is exact.

    The baseline is what gets no attribution, so nothing can be said of pixels that equal it. By
    default it is zero in the network's input: for a standardised model the mean training picture,
    about which the network knows nothing in particular. Of a black one, dark places would never be
    a reason for anything.

    Args:
        model: as for :func:`~convolens.explain.grad_cam`.
        pictures: likewise.
        target: likewise.
        steps: points on the way; each costs a pass forward and one back.
        baseline: None for the above; else for a model a picture, for a bare network a number or an
            array (height, width, channels).

    Returns:
        Signed maps, which are the attributions' sums over channels, and the attributions.

    Raises:
        ConfigError: as :func:`~convolens.explain.grad_cam`; or steps or a baseline that cannot be.
        ImageError: a picture cannot be read.

    Source: M. Sundararajan et al., "Axiomatic attribution for deep networks", 2017.

    >>> from torch import nn
    >>> linear = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    >>> found = integrated_gradients(linear, np.ones((1, 2, 2, 1)), target=0)
    >>> weights = linear[1].weight[0].detach().reshape(2, 2)
    >>> np.allclose(found.values[0], weights), bool(abs(found.completeness_errors[0]) < 1e-6)
    (True, True)
    """
    check_whole("steps", steps, 1, 10_000)
    start = baseline_input(model, baseline, first_input(model, pictures))
    wanted = read_target(model, target, len(pictures))

    def compute(x: Tensor, span: slice) -> list[Tensor]:
        with torch.no_grad():
            logits = mean_logits(model, x)
            targets = chosen(logits, None if wanted is None else wanted[span])
            reached = picked(logits, targets)
            begun = mean_logits(model, start)[0, targets]
        attributions = (x - start) * _mean_gradient(model, x, start, targets, steps)
        error = attributions.flatten(1).double().sum(dim=1) - (reached - begun).double()
        attributions = attributions.permute(0, 2, 3, 1).float()
        made = (attributions, targets, reached, begun, error.float())
        return [each.cpu() for each in made]

    done = in_batches(model, pictures, compute, most=LEARNING)
    attributions, targets, logits, begun, errors = (
        torch.cat(each).contiguous().numpy() for each in zip(*done, strict=True)
    )
    return IntegratedGradients(
        method="integrated_gradients",
        values=attributions.sum(axis=3),
        signed=True,
        targets=targets,
        logits=logits,
        attributions=attributions,
        steps=steps,
        baseline=describe_baseline(model, baseline),
        baseline_logits=begun,
        completeness_errors=errors,
    )


def _mean_gradient(
    model: Explainable, x: Tensor, start: Tensor, targets: Tensor, steps: int
) -> Tensor:
    """Of the targets' logits by the input, over the way from ``start`` to ``x``; like ``x``."""
    places, weights = np.polynomial.legendre.leggauss(steps)
    places, weights = (places + 1) / 2, weights / 2
    together = max(1, batch_size(x, LEARNING) // len(x))  # few pictures: several points at a time
    total = at_least_single(torch.zeros_like(x))
    for first in range(0, steps, together):
        part = slice(first, first + together)
        shares = torch.tensor(places[part], dtype=x.dtype, device=x.device)
        points = (start + shares.view(-1, 1, 1, 1, 1) * (x - start)).flatten(0, 1)
        points.requires_grad_()
        logits = mean_logits(model, points)
        sought = picked(logits, targets.repeat(len(shares))).sum()
        if not sought.requires_grad:
            raise ConfigError("the network computes its logits without gradients")
        (gradient,) = torch.autograd.grad(sought, points, materialize_grads=True)
        weighed = torch.tensor(weights[part], dtype=total.dtype, device=x.device)
        gradients = gradient.to(total.dtype).unflatten(0, (len(shares), -1))
        total += torch.einsum("k,knchw->nchw", weighed, gradients)
    return total
