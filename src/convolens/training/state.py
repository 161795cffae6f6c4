"""Everything that a training step changes, in one object that a checkpoint holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

from convolens.errors import ModelError
from convolens.training.judging import BestWeights
from convolens.training.measuring import Progress


class Part(Protocol):
    """A part of the state: of tensors, numbers, texts, mappings, lists and tuples."""

    def state_dict(self) -> Mapping[str, Any]:
        """What the part is now."""
        ...

    def load_state_dict(self, state: Mapping[str, Any], /) -> object:
        """Become what :meth:`state_dict` gave, to the bit; tensors come on the CPU."""
        ...


@dataclass(eq=False, kw_only=True)
class TrainingState:
    """All that changes from step to step; what is not in here is a function of the step.

    The order of the pictures, augmentation and dropout are such functions (of seed, epoch and
    step), so this is the whole of what a run needs to go on as if it had never stopped.
    """

    network: nn.Module
    """That is trained."""
    optimizers: list[Optimizer]
    """With their momenta."""
    best: BestWeights
    """Best weights so far, and every epoch that was judged."""
    progress: Progress
    """Means of the epoch, pictures and seconds."""
    steps: int
    """Planned. It may change while the run goes."""
    step: int = 0
    """Done."""
    parts: dict[str, Part] = field(default_factory=dict)
    """Further parts by name, such as weight averages: all that is needed for them to be saved and
    to be resumed is to be in here."""

    def state_dict(self) -> dict[str, Any]:
        """The state; its tensors are those in use, not copies."""
        return {
            "step": self.step,
            "steps": self.steps,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            **{name: part.state_dict() for name, part in self._parts().items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            ModelError: it is that of another network, or of another version of Convolens.
        """
        parts = self._parts()
        expected = {"step", "steps", "optimizers", *parts}
        if state.keys() != expected or len(state["optimizers"]) != len(self.optimizers):
            raise ModelError(
                f"the checkpoint holds {', '.join(sorted(state))}; this version of Convolens needs "
                f"{', '.join(sorted(expected))}: resume with the version that began the run"
            )
        try:
            for name, part in parts.items():
                part.load_state_dict(state[name])
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                _load_optimizer(optimizer, saved)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise ModelError(
                f"the checkpoint does not fit the network: {reason}; resume with the version of "
                "Convolens that began the run"
            ) from None
        self.step, self.steps = state["step"], state["steps"]

    def _parts(self) -> dict[str, Part]:
        own: dict[str, Part] = {
            "network": self.network,
            "best": self.best,
            "progress": self.progress,
        }
        assert not own.keys() & self.parts.keys(), "a further part has a name of its own"
        return own | self.parts


def _load_optimizer(optimizer: Optimizer, saved: Mapping[str, Any]) -> None:
    optimizer.load_state_dict(dict(saved))
    # That casts every tensor to the type of its parameter: float32 master weights of a bfloat16
    # network would lose their bits.
    order = [index for group in saved["param_groups"] for index in group["params"]]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, parameter in zip(order, parameters, strict=True):
        for key, value in saved["state"].get(index, {}).items():
            loaded = optimizer.state[parameter][key]
            if isinstance(value, Tensor) and loaded.dtype != value.dtype:
                optimizer.state[parameter][key] = value.to(loaded.device)
