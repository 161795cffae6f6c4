"""An explanation in words."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convolens.explain.explained_layers import ExplainedLayer
    from convolens.explain.explanation import Explanation
    from convolens.explain.neighbours import Neighbour

UNLIKE = "unlike what the model was trained on"
_MOST_LAYERS = 24


def explanation_text(explanation: "Explanation") -> str:
    """Prediction, heat map, layers, and the arithmetic of one value."""
    trace = explanation.trace
    blocks = [
        prediction_words(explanation),
        heat_words(explanation),
        layer_table(explanation.layers),
        str(trace),
    ]
    if explanation.field is not None:
        blocks.append(str(explanation.field))
    if explanation.nearest:
        blocks.append(_nearest(explanation.nearest))
    return "\n\n".join(blocks)


def prediction_words(explanation: "Explanation") -> str:
    """The likeliest classes, and what makes the answer doubtful."""
    said = ", ".join(f"{name} {share:.1%}" for name, share in explanation.top)
    if explanation.unsure:
        said = f"unsure ({said})"
    return f"{said}{f'; {UNLIKE}' if explanation.unknown else ''}"


def heat_words(explanation: "Explanation") -> str:
    """Where the heat map is strongest, in which layer."""
    heat, peak = explanation.heat, explanation.peak
    name = explanation.classes[explanation.target]
    if name != explanation.top[0][0]:
        name = f"{name} ({explanation.probabilities[explanation.target]:.1%})"
    (rows, columns), (height, width) = heat.resolutions[0], heat.values.shape[1:]
    where = f"in layer {heat.layer!r} (Grad-CAM, {rows} x {columns} values)"
    if peak is None:
        return f"Nothing {where} speaks for {name}."
    return (
        f"What speaks for {name} {where} is strongest at {peak} of the picture's "
        f"{height} x {width}. {belief_words(explanation)}"
    )


def belief_words(explanation: "Explanation") -> str:
    """Whether the heat map can be believed, and why."""
    found = explanation.faithfulness
    if found is None:
        return ""
    wins, maps = int((found.gains > 0).sum()), found.gains.size
    areas = found.to_dict()["areas"]
    verdict = {
        True: "That this is what counts for the network can be believed: it is better than",
        None: "Whether this can be believed one picture cannot tell: it is better than",
        False: "This should not be believed: it is better than only",
    }[explanation.believable]
    said = (
        f"{verdict} {wins} of {maps} maps that were moved to a random place (area of deletion "
        f"{areas['deletion']:.2f}, of moved maps {areas['chance_deletion']:.2f}; of insertion "
        f"{areas['insertion']:.2f}, of moved maps {areas['chance_insertion']:.2f})."
    )
    empty = float(found.deletion[0, -1])
    if empty > 0.5:
        name = explanation.classes[explanation.target]
        said += f" Even an empty picture is called {name}, at {empty:.0%}."
    return said


def layer_table(layers: "Sequence[ExplainedLayer]") -> str:
    """The layers whose arithmetic can be written out, one a line."""
    able = [layer for layer in layers if layer.traceable]
    shown = able if len(able) <= _MOST_LAYERS else _important(able)
    rows = [("layer", "kind", "output", "sees"), *(_row(layer) for layer in shown)]
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    if len(shown) < len(able):
        lines.append(f"and {len(able) - len(shown)} more convolutions and poolings")
    return "\n".join(lines)


def _nearest(nearest: "Sequence[Neighbour]") -> str:
    rows = [(each.label, f"{each.similarity:.3f}", each.name) for each in nearest]
    width = max(len(label) for label, _, _ in rows)
    lines = [f"{label:<{width}}  {share}  {name}" for label, share, name in rows]
    return "\n".join(["The nearest training pictures, with the cosine between features:", *lines])


def _important(layers: "list[ExplainedLayer]") -> "list[ExplainedLayer]":
    """The first of each size of maps and the last."""
    last = {layer.shape[:2]: layer.name for layer in layers}
    first = {layer.shape[:2]: layer.name for layer in reversed(layers)}
    kept = {*first.values(), *last.values()}
    return [layer for layer in layers if layer.name in kept]


def _row(layer: "ExplainedLayer") -> tuple[str, str, str, str]:
    size = " x ".join(str(side) for side in layer.shape)
    field = layer.receptive_field
    sees = "?" if field is None else f"{field[0]} x {field[1]}"
    return layer.name, layer.kind, size, sees
