"""A trace of a trained network's value as text that a person can read."""

from typing import TYPE_CHECKING

import numpy as np

from convolens.ops.number_text import PAD, cells, joined, number, side_by_side, span

if TYPE_CHECKING:
    from convolens.explain.value_trace import FollowingStep, ValueTrace

MOST_CHANNELS = 3
"""Of so many channels all are written out; of more those that contribute most."""
_LARGEST_GRID = 11
_LARGEST_OF_THREE = 7  # side of grids that lie beside one another in a line of text
_LISTED = 8


def trace_text(trace: "ValueTrace") -> str:
    """The whole arithmetic, from the window to what follows."""
    place = f"row {trace.row}, column {trace.column}, channel {trace.channel}"
    lines = [f"Layer {trace.layer!r} ({trace.operation}), {place}.", _seen(trace)]
    if trace.padded.any():
        lines.append(f'"{PAD}" is padding, {_meaning_of_padding(trace)}.')
    lines += ["", *(_sum_of_products(trace) if trace.kind == "convolution" else _pool(trace))]
    lines += [_network_value(trace), ""]
    lines += [str(step) for step in trace.following]
    return "\n".join([*lines, trace.ending])


def step_text(step: "FollowingStep") -> str:
    """One layer that follows, with its numbers."""
    start = f"then {step.layer!r} ({step.operation}): "
    before, after, own = number(step.before), number(step.value), step.numbers
    if "variance" in own:
        return (
            f"{start}({before} - mean {_term(own['mean'])}) / sqrt(variance "
            f"{number(own['variance'])} + {own['epsilon']:g}) x scale {_term(own['scale'])} + "
            f"shift {_term(own['shift'])} = {after}"
        )
    if "factor" in own:
        return f"{start}{before} x factor {_term(own['factor'])} = {after}"
    if "slope" in own and step.before < 0:
        return f"{start}{before} x slope {_term(own['slope'])} = {after}"
    if step.operation == "ReLU":
        return f"{start}max(0, {before}) = {after}"
    if step.value == step.before:
        return f"{start}handed on"
    return f"{start}{step.operation}({before}) = {after}"


def _seen(trace: "ValueTrace") -> str:
    place = f"{span('rows', trace.rows)} and {span('columns', trace.columns)}"
    seen, total = len(trace.channels), trace.source_shape[2]
    if total == 1:
        return f"It saw {place} of {trace.source_words}."
    if seen == total:
        which = f"all {total} channels"
    elif seen == 1:
        which = f"channel {trace.channels[0]}"
    else:
        which = f"channels {trace.channels[0]} to {trace.channels[-1]}"
    return f"It saw {place} of {which} of {trace.source_words}."


def _meaning_of_padding(trace: "ValueTrace") -> str:
    if trace.kind == "convolution":
        return "which counts as 0"
    if trace.kind == "avg_pool" and trace.divisor == trace.padded.size:
        return "which is counted, as 0"
    return "which does not count"


def _sum_of_products(trace: "ValueTrace") -> list[str]:
    assert trace.products is not None
    assert trace.sum is not None
    places, n = trace.largest_channels(MOST_CHANNELS), len(trace.channels)
    lines: list[str] = []
    grid = max(trace.padded.shape) <= _LARGEST_OF_THREE
    if grid:
        if n > len(places):
            lines.append(
                f"{trace.products.size:,} products; the channels that change the sum most:"
            )
        for place in places:
            lines += [*_grids(trace, place), ""]
    else:
        lines += [*_largest_products(trace), ""]
    sums = trace.channel_sums
    if n > MOST_CHANNELS:
        lines += [*_sum_by_channel(trace), ""]
        lines.append(f"sum of all {n} channels = {number(trace.sum)}")
    elif n > 1:
        parts = [number(float(part)) for part in sums]
        lines.append(f"sum = {joined(parts)} = {number(trace.sum)}")
    else:
        lines.append(f"sum = {number(trace.sum)}")
    if trace.bias is None:
        return [*lines, f"value = {number(trace.value)}"]
    total = f"{number(trace.sum)} + bias {_term(trace.bias)}"
    return [*lines, f"value = {total} = {number(trace.value)}"]


def _grids(trace: "ValueTrace", place: int) -> list[str]:
    assert trace.products is not None
    assert trace.weights is not None
    grids = {
        "window": cells(trace.window[:, :, place], trace.padded),
        "x weights": cells(trace.weights[:, :, place]),
        "= products": cells(trace.products[:, :, place]),
    }
    head = [f"channel {trace.channels[place]}"] if trace.source_shape[2] > 1 else []
    return [*head, *side_by_side(grids)]


def _largest_products(trace: "ValueTrace") -> list[str]:
    assert trace.products is not None
    assert trace.weights is not None
    sizes = np.abs(np.nan_to_num(trace.products, nan=np.inf))
    order = np.argsort(-sizes, axis=None, kind="stable")[:_LISTED]
    lines = [f"the largest of {trace.products.size:,} products:"]
    for i, j, k in zip(*np.unravel_index(order, trace.products.shape), strict=True):
        at = f"row {trace.rows[i]}, column {trace.columns[j]}, channel {trace.channels[k]}"
        seen, weight, product = (
            number(float(stack[i, j, k])) for stack in (trace.window, trace.weights, trace.products)
        )
        lines.append(f"  {at}: {seen} x {weight} = {product}")
    return lines


def _sum_by_channel(trace: "ValueTrace") -> list[str]:
    """What the largest channels add, and all others together."""
    sums, places = trace.channel_sums, trace.largest_channels(_LISTED)
    rest = np.delete(sums, places)
    lines = ["channel   its products sum to"]
    lines += [f"{trace.channels[place]:>7}   {number(float(sums[place]))}" for place in places]
    if len(rest):
        lines.append(f"the other {len(rest)}: {number(float(rest.sum()))}")
    return lines


def _pool(trace: "ValueTrace") -> list[str]:
    window = trace.window[:, :, 0]
    if max(window.shape) <= _LARGEST_GRID:
        lines = [*side_by_side({"window": cells(window, trace.padded)}), ""]
    else:
        inside = window[~trace.padded]
        ends = f"{number(float(inside.min()))} to {number(float(inside.max()))}"
        lines = [f"{inside.size:,} values from {ends}", ""]
    if trace.winner is not None:
        place = f"row {trace.winner[0]}, column {trace.winner[1]}"
        return [*lines, f"value = {number(trace.value)}, the largest, from {place}"]
    assert trace.sum is not None
    return [*lines, f"value = {number(trace.sum)} / {trace.divisor} = {number(trace.value)}"]


def _network_value(trace: "ValueTrace") -> str:
    own = number(trace.network_value)
    if trace.error == 0:
        return f"the network's own value: {own}, the same"
    if trace.agrees:
        return (
            f"the network's own value: {own}; the two differ by {trace.error:.1g} of the sum of "
            f"all magnitudes, {number(trace.magnitude)}"
        )
    return (
        f"the network's own value: {own}, which is another: {trace.operation} computes more than "
        "is written here"
    )


def _term(value: float) -> str:
    """A number behind a sign: in brackets where it has one of its own."""
    text = number(value)
    return f"({text})" if text.startswith("-") else text
