"""A network followed module by module, in the order in which it computes; no picture is needed."""

from dataclasses import dataclass

from torch import fx, nn

from convolens.errors import ConfigError
from convolens.zoo.branches import Add, Concatenate

BETWEEN = (Add, Concatenate, nn.Dropout, nn.Identity, nn.MaxPool2d, nn.AvgPool2d)
"""What may lie between a convolution and its normalisation without bending what comes in."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Step:
    """One module at work."""

    name: str
    """The module's name in the network, such as ``stage1.0.body.conv1``."""
    module: nn.Module
    """The module, which has no parts of its own."""
    inputs: tuple[int, ...]
    """Which steps it gets its input from, by their place; -1 is the picture."""


def follow(network: nn.Module) -> tuple[Step, ...]:
    """Every module without parts that a picture passes, in the order of the computation.

    Args:
        network: takes one tensor and gives one; whatever it computes, its modules do.

    Returns:
        The steps. The last one gives the logits.

    Raises:
        ConfigError: an operation of the network is no module, or its path depends on values.

    >>> network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    >>> [(step.name, step.inputs) for step in follow(network)]
    [('0', (-1,)), ('1', (0,))]
    """
    try:
        graph = _Tracer().trace(network)
    except Exception as error:  # noqa: BLE001 - tracing runs the network's own code
        raise ConfigError(
            f"{type(network).__name__} cannot be followed layer by layer ({error}); "
            "its path must not depend on the values that pass"
        ) from None
    modules = dict(network.named_modules())
    places: dict[fx.Node, int] = {}
    steps: list[Step] = []
    for node in graph.nodes:
        if node.op == "placeholder":
            places[node] = -1
        elif node.op == "call_module":
            name = str(node.target)
            inputs = tuple(places[before] for before in node.all_input_nodes)
            places[node] = len(steps)
            steps.append(Step(name=name, module=modules[name], inputs=inputs))
        elif node.op != "output":
            raise ConfigError(
                f"a network is followed layer by layer, and {type(network).__name__} computes "
                f"{node.name!r} outside of its layers; make that operation a module"
            )
    return tuple(steps)


def length_free(network: nn.Module) -> bool:
    """Whether the length of each convolution's filters says nothing about what a network computes.

    It says nothing where a batch normalisation takes it away again, directly or behind sums,
    concatenations, poolings and dropout; then an optimiser may keep it fixed. (Behind a sum, the
    lengths of the two paths still weigh them against each other.) Frozen filters do not count.

    >>> length_free(nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)))
    True
    >>> length_free(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()))
    False
    """
    try:
        steps = follow(network)
    except ConfigError:
        return False
    readers: dict[int, list[int]] = {}
    for place, step in enumerate(steps):
        for before in step.inputs:
            readers.setdefault(before, []).append(place)

    def normalised(place: int) -> bool:
        """Whether all that reads a step's output is a normalisation, sooner or later."""
        after = readers.get(place, [])
        return bool(after) and all(
            isinstance(steps[reader].module, nn.BatchNorm2d)
            or (isinstance(steps[reader].module, BETWEEN) and normalised(reader))
            for reader in after
        )

    return all(
        step.module.bias is None and normalised(place)
        for place, step in enumerate(steps)
        if isinstance(step.module, nn.Conv2d) and step.module.weight.requires_grad
    )


class _Tracer(fx.Tracer):
    """Goes into every module that has parts, and into no other."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        return not any(True for _ in m.children())
