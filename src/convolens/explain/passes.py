"""The layers that one picture passes, and which layer's output each of them reads.

``zoo.tracing.follow`` finds the same without a picture, where every operation of a network is a
module. Here a picture passes, and each tensor that a layer puts out is recognised where a later
layer gets it. So networks that compute outside of their layers, use a layer several times, or
choose their path by the values, are followed as far as that goes.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from convolens.errors import ConfigError
from convolens.explain.networks import Explainable, find_layer, judging, layers_of, network_of

PICTURE = -1
"""The place of the picture among what layers read."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerPass:
    """A layer at work."""

    name: str
    """The layer's name in the network."""
    module: nn.Module
    """The layer."""
    inputs: tuple[int | None, ...]
    """The places of the passes whose outputs it got; -1 is the picture, None what the network
    computed outside of its layers."""
    given: Tensor
    """The first of its inputs; no later layer has changed it."""
    output: Tensor
    """What it put out, likewise."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PassedLayers:
    """All that happened in one pass."""

    passes: tuple[LayerPass, ...]
    """In the order of the computation; a layer that is passed twice is there twice."""
    blocks: dict[str, int | None]
    """For each module with parts that was asked for, the place of the pass that gave its output;
    None where the output was computed outside of the layers."""

    def place(self, name: str) -> int:
        """The last pass of a layer.

        Raises:
            ConfigError: no picture passes it.
        """
        places = [place for place, passed in enumerate(self.passes) if passed.name == name]
        if not places:
            raise ConfigError(f"layer {name!r} is not passed by a picture, or puts out no tensor")
        return places[-1]

    def readers(self, place: int) -> list[LayerPass]:
        """The layers that got the output of a pass."""
        return [passed for passed in self.passes if place in passed.inputs]


def follow_pass(model: Explainable, x: Tensor, blocks: Iterable[str] = ()) -> PassedLayers:
    """Let a picture pass, and write down what came in and went out of each layer.

    Args:
        model: as everywhere here.
        x: (n, channels, height, width), as from ``network_input``; all inputs and outputs are kept,
            so that n should be small.
        blocks: names of modules with parts whose outputs are to be found among the layers'.

    Raises:
        ConfigError: there is no such block.

    >>> network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True))
    >>> [(each.name, each.inputs) for each in follow_pass(network, torch.ones(1, 1, 5, 5)).passes]
    [('0', (-1,)), ('1', (0,))]
    """
    network = network_of(model)
    recorder = _Recorder()
    handles: list[Any] = []
    for name, module in layers_of(model).items():
        handles.append(module.register_forward_pre_hook(recorder.enter, with_kwargs=True))
        handles.append(module.register_forward_hook(recorder.leave(name)))
    handles += [
        find_layer(model, name).register_forward_hook(recorder.leave_block(name)) for name in blocks
    ]
    try:
        # Changes in place are not counted of tensors that were made in inference mode.
        with torch.inference_mode(mode=False), torch.no_grad(), judging(network):
            x = x.clone()
            recorder.know(x, PICTURE)
            network(x)
    finally:
        for handle in handles:
            handle.remove()
    return PassedLayers(passes=tuple(recorder.passes), blocks=recorder.blocks)


@dataclass(eq=False)
class _Recorder:
    """Knows tensors by what they are and how often they were changed in place."""

    passes: list[LayerPass] = field(default_factory=list)
    blocks: dict[str, int | None] = field(default_factory=dict)
    places: dict[tuple[int, int], int] = field(default_factory=dict)
    alive: list[Tensor] = field(default_factory=list)  # so that no other tensor gets its number
    entered: list[tuple[tuple[int | None, ...], Tensor | None]] = field(default_factory=list)
    thread: int = field(default_factory=threading.get_ident)  # others may use the network, too

    def know(self, tensor: Tensor, place: int) -> None:
        self.alive.append(tensor)
        self.places[_key(tensor)] = place

    def enter(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if threading.get_ident() != self.thread:
            return
        given = list(_tensors((*args, *kwargs.values())))
        places = tuple(self.places.get(_key(tensor)) for tensor in given)
        self.entered.append((places, given[0].clone() if given else None))

    def leave(self, name: str) -> Callable[..., Any]:
        def record(module: nn.Module, _args: tuple[Any, ...], output: Any) -> Any:
            if threading.get_ident() != self.thread:
                return None
            inputs, given = self.entered.pop()
            if not isinstance(output, Tensor) or given is None:
                return None
            place = len(self.passes)
            # An activation in place hands its input on; whoever holds that sees the same values.
            self.know(output, place)
            kept, handed_on = output.clone(), output.clone()
            self.know(handed_on, place)
            self.passes.append(
                LayerPass(name=name, module=module, inputs=inputs, given=given, output=kept)
            )
            return handed_on

        return record

    def leave_block(self, name: str) -> Callable[..., Any]:
        def record(_module: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
            if threading.get_ident() == self.thread and isinstance(output, Tensor):
                self.blocks[name] = self.places.get(_key(output))

        return record


def _key(tensor: Tensor) -> tuple[int, int]:
    return id(tensor), tensor._version  # noqa: SLF001 - PyTorch's own count of changes in place


def _tensors(given: Iterable[Any]) -> Iterable[Tensor]:
    for one in given:
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, list | tuple):
            yield from _tensors(one)
