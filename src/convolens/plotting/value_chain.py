"""What is done with a sum inside a network, in a few short lines with its numbers."""

from typing import TYPE_CHECKING

from convolens.plotting.values import compact

if TYPE_CHECKING:
    from convolens.explain import FollowingStep, ValueTrace


def chain_lines(trace: "ValueTrace") -> list[str]:
    """From the window to where the value cannot be followed further; the last line says why.

    Args:
        trace: of a convolution or a pooling.
    """
    lines = [_sum_line(trace)]
    if trace.bias is not None:
        assert trace.sum is not None
        lines.append(f"+ bias {_term(trace.bias)} = {_number(trace.value)}")
    if not trace.agrees:
        lines.append(f"the network itself puts out {_number(trace.network_value)}, another value")
    for step in trace.following:
        lines += _step_lines(step)
    return [*lines, trace.ending]


def _sum_line(trace: "ValueTrace") -> str:
    value = _number(trace.value)
    if trace.winner is not None:
        row, column = trace.winner
        return f"largest value: {value}, from row {row}, column {column}"
    assert trace.sum is not None
    if trace.products is None:
        return f"mean: sum {_number(trace.sum)} / {trace.divisor} = {value}"
    products = f"{trace.products.size:,} products" if trace.products.size > 1 else "1 product"
    return f"sum of {products} = {_number(trace.sum)}"


def _step_lines(step: "FollowingStep") -> list[str]:
    own, before, after = step.numbers, _number(step.before), _number(step.value)
    if "variance" in own:
        centred = f"({before} − mean {_term(own['mean'])})"
        variance = f"variance {_number(own['variance'])} + {own['epsilon']:g}"
        return [
            f"normalised by {step.layer!r}: {centred} / √({variance})",
            f"   × scale {_term(own['scale'])} + shift {_term(own['shift'])} = {after}",
        ]
    name = f"{step.layer!r} ({step.operation})"
    if "factor" in own:
        return [f"{name}: {before} × factor {_term(own['factor'])} = {after}"]
    if "slope" in own and step.before < 0:
        return [f"{name}: {before} × slope {_term(own['slope'])} = {after}"]
    if step.operation == "ReLU":
        return [f"{name}: max(0, {before}) = {after}"]
    if step.value == step.before:
        return [f"{name}: hands it on"]
    return [f"{name} makes {after} of {before}"]


def _number(value: float) -> str:
    return compact(value, 4)


def _term(value: float) -> str:
    """A number behind a sign: in brackets where it has one of its own."""
    text = _number(value)
    return f"({text})" if text.startswith("−") else text
