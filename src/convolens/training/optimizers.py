"""Optimisers: which one trains which parameters, at which rates."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convolens.errors import ConfigError
from convolens.training.step_updates import StaticAdamW, StaticMuon
from convolens.training.updates import AdamW, Muon, orthogonalise


@dataclass(frozen=True, kw_only=True)
class NAdam:
    """Adam with Nesterov momentum, with the constants of Keras.

    Source: T. Dozat, "Incorporating Nesterov momentum into Adam", 2016; constants as Keras 3.
    """

    learning_rate: float = 1e-3
    """Peak learning rate."""

    def __post_init__(self) -> None:
        """Refuse a learning rate that is not positive."""
        _check_positive("learning_rate", self.learning_rate)

    def build(self, network: nn.Module) -> list[torch.optim.Optimizer]:
        """One optimiser for all parameters.

        Keras adds 1e-7 to the root where PyTorch adds 1e-8, and its momentum rises with 0.96 to
        the power of t, where PyTorch follows the paper's 0.96 to the power of 0.004 t.
        """
        return [
            torch.optim.NAdam(
                network.parameters(), lr=self.learning_rate, eps=1e-7, momentum_decay=1.0
            )
        ]


@dataclass(frozen=True, kw_only=True)
class MuonAdamW:
    """Muon on the convolutions' filters, AdamW on everything else."""

    learning_rate: float = 0.15
    """Peak learning rate of Muon; a filter bank has the norm sqrt(filters), so this is an angle."""
    momentum: float = 0.6
    """Of Muon (Nesterov)."""
    adam_learning_rate: float = 0.02
    """Peak learning rate of AdamW."""
    weight_decay: float = 0.01
    """Of AdamW, decoupled; biases and normalisations have none."""

    def __post_init__(self) -> None:
        """Refuse rates that are not positive and a momentum outside 0..1."""
        _check_positive("learning_rate", self.learning_rate)
        _check_positive("adam_learning_rate", self.adam_learning_rate)
        if not 0 <= self.momentum < 1:
            raise ConfigError(f"momentum must be in [0, 1); got {self.momentum}")
        if not self.weight_decay >= 0:
            raise ConfigError(f"weight_decay must be 0 or more; got {self.weight_decay}")

    def build(self, network: nn.Module) -> list[torch.optim.Optimizer]:
        """Two halves of Muon and an AdamW, by the number of dimensions of each parameter.

        The halves cost about the same and can be computed at the same time. On a GPU they are those
        of :meth:`build_static`.
        """
        if next(network.parameters()).device.type == "cuda":
            return self.build_static(network)
        return self._build(network, Muon, AdamW)

    def build_static(self, network: nn.Module) -> list[torch.optim.Optimizer]:
        """The same optimisers in a form that a captured step can hold, on any device."""
        return self._build(network, StaticMuon, StaticAdamW)

    def _build(
        self, network: nn.Module, muon: type[Muon], adamw: type[AdamW]
    ) -> list[torch.optim.Optimizer]:
        parameters = [p for p in network.parameters() if p.requires_grad]
        filters = [p for p in parameters if p.ndim == 4]
        matrices = [p for p in parameters if p.ndim == 2]
        vectors = [p for p in parameters if p.ndim < 2]
        groups = [
            {"params": matrices, "weight_decay": self.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        muons = [
            muon(half, lr=self.learning_rate, momentum=self.momentum)
            for half in _halves(filters)
            if half
        ]
        return [*muons, adamw(groups, lr=self.adam_learning_rate, betas=(0.9, 0.98))]


def _halves(filters: list[nn.Parameter]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Two lists that cost Muon about the same: each filter bank goes to the lighter one."""
    halves: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
    costs = [0.0, 0.0]
    for bank in sorted(filters, key=_cost, reverse=True):
        lighter = costs.index(min(costs))
        halves[lighter].append(bank)
        costs[lighter] += _cost(bank)
    return halves


def _cost(bank: Tensor) -> float:
    """Multiply-adds of a Newton-Schulz step, but for a factor."""
    rows, columns = len(bank), bank[0].numel()
    return float(min(rows, columns)) ** 2 * max(rows, columns)


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ConfigError(f"{name} must be positive; got {value}")


__all__ = ["AdamW", "Muon", "MuonAdamW", "NAdam", "orthogonalise"]
