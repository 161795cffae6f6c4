"""Update rules: Muon and AdamW.

PyTorch has an AdamW of its own. But the first step of any of its optimisers imports its compiler,
which takes as long as a third of the shortest useful run (2 s of 6); these two do without.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

from convolens.training.hardware import multiplies_bfloat16


class _Updates(Optimizer):
    """An optimiser that never hands its own methods to the compiler.

    PyTorch wraps these four so that the compiler leaves them alone, and imports it for that.
    """

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As that of PyTorch."""
        _unwrapped(Optimizer.add_param_group)(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As that of PyTorch."""
        _unwrapped(Optimizer.zero_grad)(self, set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """As that of PyTorch."""
        return _unwrapped(Optimizer.state_dict)(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """As that of PyTorch."""
        _unwrapped(Optimizer.load_state_dict)(self, dict(state_dict))


def _unwrapped(method: Any) -> Any:
    return getattr(method, "__wrapped__", method)


class AdamW(_Updates):
    """Adam with decoupled weight decay.

    Source: I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", 2019. The same
    numbers as ``torch.optim.AdamW``, to rounding.

    Args:
        params: parameters, or groups of them with a ``weight_decay`` each.
        lr: the learning rate.
        betas: how slowly the means of the gradient and of its square follow.
        eps: added to the root.
        weight_decay: share of a weight, times the rate, that is taken off every step.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        *,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(cast("Any", params), defaults)

    @torch.no_grad()
    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            first, second = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["step"] = 0
                    state["mean"] = torch.zeros_like(weight)
                    state["square"] = torch.zeros_like(weight)
                state["step"] += 1
                mean, square = state["mean"], state["square"]
                mean.lerp_(weight.grad, 1 - first)
                square.mul_(second).addcmul_(weight.grad, weight.grad, value=1 - second)
                root = (square / (1 - second ** state["step"])).sqrt_().add_(group["eps"])
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.addcdiv_(mean, root, value=-group["lr"] / (1 - first ** state["step"]))


class Muon(_Updates):
    """Momentum whose update is made orthogonal, for convolution filters under a normalisation.

    Each filter bank is read as a matrix (filters, inputs x height x width). The momentum's nearest
    orthogonal matrix moves all directions of it alike, where plain momentum moves a few strong
    ones. Since a normalisation follows every such layer, the length of its weights says nothing:
    it is kept at sqrt(filters), and the learning rate then means an angle.

    Source: K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    """

    def __init__(self, params: Iterable[Tensor], *, lr: float, momentum: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Update every filter bank that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    update = self._direction(weight, group["momentum"])
                    weight.add_(update, alpha=-group["lr"])

    def _direction(self, weight: Tensor, momentum: float) -> Tensor:
        """What is subtracted, but for the rate; the weight is brought to its length."""
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        assert weight.grad is not None
        velocity = state["momentum"]
        velocity.mul_(momentum).add_(weight.grad)
        direction = weight.grad.add(velocity, alpha=momentum)
        # Rows of filters whose columns lie as in memory: nothing is copied, and an orthogonal
        # matrix stays one whatever the order of its columns.
        rows = direction.permute(0, 2, 3, 1)
        update = orthogonalise(rows.flatten(1)).view_as(rows).permute(0, 3, 1, 2)
        weight.mul_(len(weight) ** 0.5 / weight.norm())
        return update


def orthogonalise(matrix: Tensor, steps: int = 3) -> Tensor:
    """Nearly the nearest matrix with all singular values 1, by a Newton-Schulz iteration.

    Every step multiplies the matrix from the left by a polynomial of its Gram matrix. Those factors
    commute, so the whole iteration is done on the Gram matrix, which for filter banks is nine times
    smaller, and the matrix itself is multiplied once.

    Args:
        matrix: (rows, columns), floating point.
        steps: of the quintic iteration; three bring singular values from 0.1..1 to 0.7..1.2, which
            is all that an update direction needs.

    Returns:
        The same shape and type.

    Source: coefficients of K. Jordan et al., "Muon", 2024.

    >>> q = orthogonalise(torch.diag(torch.tensor([3.0, 2.0, 1.0])), steps=5)
    >>> bool(((torch.linalg.svdvals(q) - 1).abs() < 0.35).all())
    True
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.float()
    wide = x if x.shape[0] <= x.shape[1] else x.T
    gram = wide @ wide.T
    norm = gram.trace().sqrt() + 1e-7
    gram = gram / norm**2
    factor = torch.eye(len(gram), device=gram.device)
    for step in range(steps):
        polynomial = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        polynomial.diagonal().add_(a)
        factor = polynomial @ factor if step else polynomial
        if step < steps - 1:
            gram = polynomial @ gram @ polynomial
    fast = torch.bfloat16 if multiplies_bfloat16(matrix.device) else torch.float32
    orthogonal = ((factor / norm).to(fast) @ wide.to(fast)).to(matrix.dtype)
    return orthogonal if x.shape[0] <= x.shape[1] else orthogonal.T
