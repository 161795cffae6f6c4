"""Statistics of a network's layers as a table."""

from typing import TYPE_CHECKING

from convolens.ops.number_text import number

if TYPE_CHECKING:
    from convolens.explain.statistics import ActivationStatistics, LayerStatistics

_NAMED = 8


def statistics_table(statistics: "ActivationStatistics") -> str:
    """A line a layer, and what is dead below."""
    head = ("layer", "kind", "output", "mean", "spread", "from", "to", "zeros", "cut", "dead")
    rows = [head, *(_row(layer) for layer in statistics.layers)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    pictures = "1 picture" if statistics.n == 1 else f"{statistics.n:,} pictures"
    lines.append(f"{pictures}; cut: at or below 0, of which the rectifier behind makes 0")
    lines += [_dead_line(layer) for layer in statistics.layers if layer.dead]
    return "\n".join(lines)


def _row(layer: "LayerStatistics") -> tuple[str, ...]:
    return (
        layer.label,
        layer.kind,
        " x ".join(str(size) for size in layer.shape),
        number(float(layer.mean.mean())),
        number(float(layer.standard_deviation.mean())),
        number(float(layer.minimum.min())),
        number(float(layer.maximum.max())),
        f"{layer.zeros.mean():.1%}",
        "" if layer.cut is None else f"{layer.cut.mean():.1%}",
        str(len(layer.dead)) if layer.kind in ("activation", "convolution") else "",
    )


def _dead_line(layer: "LayerStatistics") -> str:
    named = ", ".join(str(channel) for channel in layer.dead[:_NAMED])
    more = len(layer.dead) - _NAMED
    rest = f" and {more} more" if more > 0 else ""
    what = "0 for every picture" if layer.kind == "activation" else "one constant"
    of = f"{len(layer.dead)} of {layer.shape[-1]} channels"
    return f"{layer.label}: {of} are {what}: {named}{rest}"
