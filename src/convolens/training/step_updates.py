"""Muon and AdamW whose update is a function of tensors alone, so that a GPU can replay it.

A CUDA graph keeps every number of Python's that it saw when it was captured: a learning rate, a
count of steps. Replayed, they would be wrong without a word. So here a step has two halves.
``plan`` counts and computes the numbers of the step on the host, in double precision as the
optimisers of the CPU do, and writes them into a tensor on the device; ``apply`` reads them there.

AdamW updates all parameters of a group with one kernel for each operation. On the CPU both give the
numbers of :mod:`convolens.training.updates`, to rounding (tested); on a GPU they have not been
measured yet.
"""

# pyright: reportPrivateImportUsage=false
# PyTorch documents its functions on lists of tensors under their names with an underscore.

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from convolens.training.hardware import send
from convolens.training.updates import AdamW, Muon


@runtime_checkable
class StaticUpdates(Protocol):
    """An optimiser whose step has the two halves."""

    def plan(self) -> None:
        """Count a step, and write its numbers to the device."""
        ...

    def apply(self) -> None:
        """Update every parameter that has a gradient, by what :meth:`plan` wrote last."""
        ...

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As of any optimiser."""
        ...


class StaticMuon(Muon):
    """:class:`Muon` in two halves."""

    def __init__(self, params: Iterable[Tensor], *, lr: float, momentum: float) -> None:
        super().__init__(params, lr=lr, momentum=momentum)
        self._rates = _Numbers(self.param_groups, 1)

    def plan(self) -> None:
        """Write the rates to the device."""
        self._rates.write([(-group["lr"],) for group in self.param_groups])

    @torch.no_grad()
    def apply(self) -> None:
        """Update every filter bank that has a gradient."""
        for group, (rate,) in zip(self.param_groups, self._rates.rows(), strict=True):
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.addcmul_(self._direction(weight, group["momentum"]), rate)

    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Both halves."""
        self.plan()
        self.apply()


class StaticAdamW(AdamW):
    """:class:`AdamW` in two halves.

    The steps of all parameters of a group are counted together: every parameter is expected to get
    a gradient in every step or in none.
    """

    def __init__(self, params: Iterable[Tensor] | Iterable[dict[str, Any]], **options: Any) -> None:
        super().__init__(params, **options)
        self._numbers = _Numbers(self.param_groups, 3)

    def plan(self) -> None:
        """Count a step; write what is kept of the weights, both corrections and the rate."""
        self._numbers.write([self._planned(group) for group in self.param_groups])

    def _planned(self, group: dict[str, Any]) -> tuple[float, float, float]:
        step = 1
        for weight in group["params"]:
            state = self.state[weight]
            if not state:
                state["step"] = 0
                state["mean"] = torch.zeros_like(weight)
                state["square"] = torch.zeros_like(weight)
            step = state["step"] = state["step"] + 1
        first, second = group["betas"]
        rate = group["lr"]
        return 1 - rate * group["weight_decay"], 1 - second**step, -rate / (1 - first**step)

    @torch.no_grad()
    def apply(self) -> None:
        """Update every parameter that has a gradient."""
        for group, numbers in zip(self.param_groups, self._numbers.rows(), strict=True):
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._update(weights, group, *numbers)

    def _update(
        self,
        weights: list[Tensor],
        group: dict[str, Any],
        kept: Tensor,
        second: Tensor,
        rate: Tensor,
    ) -> None:
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        means = [self.state[weight]["mean"] for weight in weights]
        squares = [self.state[weight]["square"] for weight in weights]
        slow, slower = group["betas"]
        torch._foreach_lerp_(means, gradients, 1 - slow)
        torch._foreach_mul_(squares, slower)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - slower)
        roots = torch._foreach_div(squares, second)  # noqa: SLF001
        torch._foreach_sqrt_(roots)
        torch._foreach_add_(roots, group["eps"])
        torch._foreach_mul_(weights, kept)
        updates = torch._foreach_mul(means, rate)  # noqa: SLF001
        torch._foreach_div_(updates, roots)
        torch._foreach_add_(weights, updates)

    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Both halves."""
        self.plan()
        self.apply()


class _Numbers:
    """A few numbers for each group of parameters, always in the same place on their device."""

    def __init__(self, groups: Sequence[dict[str, Any]], columns: int) -> None:
        device = next(weight.device for group in groups for weight in group["params"])
        self._table = torch.zeros(len(groups), columns, device=device)

    def write(self, numbers: Sequence[Sequence[float]]) -> None:
        """One row for each group."""
        self._table.copy_(send(torch.tensor(numbers, dtype=torch.float32), self._table.device))

    def rows(self) -> list[tuple[Tensor, ...]]:
        """The places of the numbers: single values, which follow what is written."""
        return [row.unbind() for row in self._table.unbind()]
