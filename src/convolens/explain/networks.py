"""A network to look into, whoever's it is: its input, its layers, and what they put out.

What is here takes a :class:`~convolens.bundle.Model`, which knows how pictures become its input,
or any ``nn.Module`` that gives logits (n, classes) for one tensor (n, channels, height, width).
Layers are found by what they are, never by how they are called.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convolens.bundle import Model, Pictures
from convolens.config import choose, did_you_mean
from convolens.errors import ConfigError
from convolens.explain.layer_kinds import LayerKind, is_layer, kind_of
from convolens.prediction import input_dtype, to_network_input

_NAMED = 8
"""Layers, at most, in a message: a deep network has hundreds."""

T = TypeVar("T")

Explainable = Model | nn.Module
"""A trained model, or any network."""

AnyPictures = Pictures | NDArray[Any]
"""What a model predicts; or, for a bare network, an array (n, height, width, channels)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Passed:
    """What came out of a pass through a network."""

    logits: Tensor
    """(n, classes)."""
    outputs: dict[str, Tensor]
    """By layer, in the order of the computation, as each gave it: no later layer has changed it."""
    inputs: dict[str, Tensor]
    """What came into each of these layers (the first of its inputs), likewise; no gradients."""


def network_of(model: Explainable) -> nn.Module:
    """The network itself."""
    return model.network if isinstance(model, Model) else model


def network_input(model: Explainable, pictures: AnyPictures) -> Tensor:
    """Pictures as a network takes them.

    Args:
        model: one with a preprocessing, or a network without.
        pictures: for a model a list of any pictures, or an array (n, height, width, channels) of
            uint8; each goes through the model's own preprocessing. For a bare network an array of
            floating point (n, height, width, channels), which goes in as it is.

    Returns:
        (n, channels, height, width), on the network's device, of its parameters' kind of floating
        point; float32 where these are of several, or where there are none.

    Raises:
        ConfigError: no picture, or for a bare network anything but an array of numbers.
        ImageError: a picture cannot be read.
    """
    device, dtype = _device(network_of(model)), input_dtype(network_of(model))
    if isinstance(model, Model):
        if isinstance(pictures, str | bytes) or not hasattr(pictures, "__len__"):
            raise ConfigError(
                f"pictures must be a list; got one {type(pictures).__name__}: put it in brackets"
            )
        if len(pictures) == 0:
            raise ConfigError("there is nothing to look at: no picture was given")
        if (
            isinstance(pictures, np.ndarray)
            and pictures.dtype == np.uint8
            and pictures.shape[1:] == model.input_shape
        ):  # nothing to fit, one by one
            return to_network_input(model.preprocessing(pictures), device).to(dtype)
        return to_network_input(model.preprocessing.prepare(pictures), device).to(dtype)
    array = np.asarray(pictures)
    if array.ndim != 4 or 0 in array.shape or not np.issubdtype(array.dtype, np.floating):
        raise ConfigError(
            "a bare network takes an array of floating point, (n, height, width, channels); got "
            f"shape {array.shape} of {array.dtype}. A Model has a preprocessing and takes any "
            "pictures"
        )
    # A copy: a network whose first layer works in place would change the caller's pictures.
    precise = np.float64 if dtype == torch.float64 else np.float32
    return to_network_input(np.array(array, dtype=precise, order="C"), device).to(dtype)


def mirrored(model: Explainable) -> bool:
    """Whether the logits that a model gives are the mean of a picture's and its mirror image's."""
    return isinstance(model, Model) and model.mirrored


def layers_of(model: Explainable, *kinds: LayerKind) -> dict[str, nn.Module]:
    """The layers of a network, those modules that have no parts, in the order of registration.

    Args:
        model: as everywhere here.
        *kinds: those wanted; all if none is named.

    >>> list(layers_of(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()), "convolution"))
    ['0']
    """
    return {
        name: module
        for name, module in network_of(model).named_modules()
        if is_layer(name, module) and (not kinds or kind_of(module) in kinds)
    }


def find_layer(model: Explainable, name: str, *kinds: LayerKind) -> nn.Module:
    """A layer by its name; of a module with parts, its output is the layer's.

    Args:
        model: as everywhere here.
        name: as in :func:`layers_of` or, where no kind is named, of any module.
        *kinds: those allowed; any if none is named.

    Raises:
        ConfigError: there is none of that name, or it is of another kind; the nearest are named.
    """
    modules = dict(network_of(model).named_modules())
    if not kinds and modules.get(name) is not None and name:
        return modules[name]
    what = f"{' or '.join(kinds)} layer" if kinds else "layer"
    layers = layers_of(model, *kinds)
    if not layers:
        raise ConfigError(f"the network has no {what} to look at")
    if kinds and name in modules and name not in layers:
        raise ConfigError(
            f"layer {name!r} is a {type(modules[name]).__name__}; allowed is a {what}, such as "
            f"{', '.join(list(layers)[:3])}"
        )
    return choose_layer(what, name, layers)


def choose_layer(what: str, name: str, layers: Mapping[str, T]) -> T:
    """The layer of a name.

    Args:
        what: is chosen, for the message.
        name: of it.
        layers: those allowed, by name.

    Raises:
        ConfigError: there is none; of a deep network's layers only the likeliest are named.
    """
    if name in layers or len(layers) <= _NAMED:
        return choose(what, name, layers)
    likeliest = get_close_matches(name, layers, n=_NAMED, cutoff=0.0)
    guess = did_you_mean(name, likeliest)
    raise ConfigError(f"unknown {what} {name!r}{guess}, … ({_NAMED} of {len(layers):,} are named)")


@contextmanager
def judging(network: nn.Module) -> Iterator[None]:
    """While the block runs, every module is in evaluation mode; then each as it was found."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def pass_through(model: Explainable, x: Tensor, layers: Sequence[str] | None = None) -> Passed:
    """One pass through a network, keeping what layers put out.

    Where gradients are on, those of the logits by each output can be asked for
    (``torch.autograd.grad``); for that ``x`` should require one. A layer that is passed several
    times counts by its last pass.

    Args:
        model: as everywhere here.
        x: (n, channels, height, width), as from :func:`network_input`.
        layers: whose outputs are kept, by name; those of all layers without parts if None.

    Raises:
        ConfigError: there is no such layer, one is not passed, or the network does not give logits
            (n, classes).
    """
    network = network_of(model)
    wanted = layers_of(model) if layers is None else {n: find_layer(model, n) for n in layers}
    outputs: dict[str, Tensor] = {}
    inputs: dict[str, Tensor] = {}

    def taker(name: str) -> Callable[..., Any]:
        def take(_module: nn.Module, given: tuple[Any, ...]) -> None:
            if given and isinstance(given[0], Tensor):
                inputs[name] = given[0].detach().clone()

        return take

    def keeper(name: str) -> Callable[..., Any]:
        def keep(_module: nn.Module, _given: tuple[Any, ...], output: Any) -> Any:
            if not isinstance(output, Tensor):
                return None
            outputs.pop(name, None)  # so that the order is that of the last pass
            outputs[name] = output
            # What follows gets a copy: an activation in place would change what is kept.
            return output.clone()

        return keep

    handles = [module.register_forward_hook(keeper(name)) for name, module in wanted.items()]
    handles += [module.register_forward_pre_hook(taker(name)) for name, module in wanted.items()]
    try:
        with judging(network):
            logits = network(x)
    finally:
        for handle in handles:
            handle.remove()
    check_logits(logits, len(x))
    if layers is not None and (missing := [name for name in layers if name not in outputs]):
        raise ConfigError(f"layer {missing[0]!r} is not passed by a picture")
    return Passed(logits=logits, outputs=outputs, inputs=inputs)


def check_logits(logits: Any, n: int) -> Tensor:
    """What a network gave, if it is logits (n, classes).

    Raises:
        ConfigError: it is anything else.
    """
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != n:
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ConfigError(f"a network must give logits (n, classes) for {n} pictures; got {got}")
    return logits


def convolutions_passed(model: Explainable, x: Tensor) -> dict[str, tuple[int, int]]:
    """Height and width of what each convolution puts out, in the order in which they are passed.

    Left out are those that the logits do not depend on, and, where there are others, those whose
    maps are single values, such as inside a gate for channels: they show no place.

    Args:
        model: as everywhere here.
        x: as from :func:`network_input`; one picture is enough.

    Raises:
        ConfigError: the network has none, or none is passed.
    """
    names = set(layers_of(model, "convolution"))
    if not names:
        raise ConfigError("the network has no convolution to look at")
    with torch.inference_mode(mode=False), torch.enable_grad():
        # A layer may work in place on the second copy; on the first, a leaf, none may.
        passed = pass_through(model, x[:1].clone().requires_grad_().clone())
        outputs = {n: o for n, o in passed.outputs.items() if n in names and o.ndim == 4}
        if passed.logits.requires_grad:
            asked = {name: output for name, output in outputs.items() if output.requires_grad}
            found = torch.autograd.grad(passed.logits.sum(), [*asked.values()], allow_unused=True)
            reached = zip(asked, found, strict=True)
            outputs = {name: asked[name] for name, gradient in reached if gradient is not None}
    sizes = {name: (output.shape[2], output.shape[3]) for name, output in outputs.items()}
    if not sizes:
        raise ConfigError("no picture passes a convolution that the logits depend on")
    return {name: size for name, size in sizes.items() if size != (1, 1)} or sizes


def last_convolution(model: Explainable, x: Tensor) -> str:
    """The convolution that a picture passes last and that has maps of more than one value.

    Raises:
        ConfigError: the network has none.
    """
    return list(convolutions_passed(model, x))[-1]


def _device(network: nn.Module) -> torch.device:
    first = next(network.parameters(), None)
    return torch.device("cpu") if first is None else first.device
