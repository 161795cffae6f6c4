"""The parts of a page on one picture: heat maps, its way through the network, the arithmetic."""

from collections.abc import Iterator, Sequence
from html import escape

from convolens.explain import Explanation, HeatMaps, IntegratedGradients, Occlusions, find_peak
from convolens.explain.explanation_text import belief_words
from convolens.plotting import plot_deletion_insertion, plot_receptive_field, plot_value_trace
from convolens.plotting.figures import figure_svg
from convolens.plotting.heat_pictures import heat_picture, picture_bytes
from convolens.reports.explanation_pictures import map_grid, panel, panels
from convolens.reports.page import Block, Drawing, Markup, Output, Prose
from convolens.reports.words import as_html, as_markdown, one_line, percent


def heat_sections(explanation: Explanation) -> Iterator[Block]:
    """Where in the picture that is which speaks for a class, and whether to believe it."""
    target = as_markdown(explanation.classes[explanation.target])
    yield Prose(
        f"## What speaks for {target}\n\n"
        "Each map answers the question in its own way, so they need not agree. In yellow and red "
        "is what speaks for the class; in blue, where a method tells it, what speaks against it."
    )
    yield Markup(panels([_heat_panel(explanation, method) for method in explanation.heat_maps]))
    yield Prose(f"### Can the first map be believed?\n\n{as_markdown(_believed(explanation))}")
    if explanation.faithfulness is not None:
        areas = explanation.faithfulness.to_dict()["areas"]
        yield Prose(
            "The pixels are covered from the hottest to the coldest, and laid on an empty picture "
            "in the same order. Of a map that marks what counts the probability falls early and "
            "rises early. The same map, moved to random places, shows what chance would do."
        )
        yield _drawing(
            figure_svg(plot_deletion_insertion(explanation.faithfulness)),
            "Probability while the hottest pixels are taken out (area "
            f"{areas['deletion']:.2f}, of moved maps {areas['chance_deletion']:.2f}), and while "
            f"they are put in ({areas['insertion']:.2f}, of moved maps "
            f"{areas['chance_insertion']:.2f})",
        )


def way_sections(explanation: Explanation) -> Iterator[Block]:
    """What each layer makes of the picture."""
    shown, n = len(explanation.way), explanation.way_length
    which = (
        f"Of {n} layers {shown} are shown: the first, the last of each size of maps, and the one "
        "whose arithmetic follows."
        if shown < n
        else "Every convolution, pooling and activation is shown that changes anything."
    )
    yield Prose(
        "## Its way through the network\n\n"
        f"{which} Below each map are its channel, and its smallest (black) and largest (white) "
        "value; the channels with the largest values are first."
    )
    for station in explanation.way:
        layer = station.layer
        few = len(station.channels)
        height, width, channels = layer.shape
        field = layer.receptive_field
        sees = f"; a value sees {field[0]} × {field[1]} pixels" if field else ""
        cut = f"the {few} strongest of {channels:,}" if few < channels else f"{channels}"
        yield Markup(
            f"<h3>{as_html(layer.name)}</h3>"
            f'<p class="soft">{as_html(layer.operation)}: maps of {height} × {width} values, '
            f"{cut} channels{sees}</p>{map_grid(station)}"
        )


def value_sections(explanation: Explanation) -> Iterator[Block]:
    """One value, number by number, and the pixels it depends on."""
    trace = explanation.trace
    place = f"row {trace.row}, column {trace.column}, channel {trace.channel}"
    yield Prose(
        f"## How one value comes about\n\nThe value of layer {as_markdown(trace.layer)} at {place}."
    )
    yield _drawing(figure_svg(plot_value_trace(trace)), f"{trace.layer}, {place}, number by number")
    field = explanation.field
    if field is not None:
        figure = plot_receptive_field(picture_bytes(explanation.picture), field)
        yield _drawing(figure_svg(figure), str(field))
    yield Markup(
        "<details><summary>The same in words</summary>"
        f'<pre class="output" tabindex="0"><samp>{escape(str(trace))}</samp></pre></details>'
    )
    yield Markup(_layer_table(explanation))


def nearest_sections(explanation: Explanation) -> Iterator[Block]:
    """The training pictures that the network sees as most like it."""
    if not explanation.nearest:
        return
    same = [each.same for each in explanation.nearest]
    which = "The first" if same[0] else "One of them"
    itself = f" {which} is this picture itself, or its copy: it was trained on." * any(same)
    yield Prose(
        "## The nearest training pictures\n\n"
        "Those whose features before the last layer point most nearly the same way; the number is "
        f"the cosine between them.{itself}"
    )
    items = [
        panel(
            each.picture,
            f"{each.name}: {each.label}, cosine {each.similarity:.3f}",
            f'{as_html(each.label)} {each.similarity:.3f}<br><span class="soft">'
            f"{as_html(each.name)}</span>",
        )
        for each in explanation.nearest
    ]
    yield Markup(panels(items))


def command_sections(command: str) -> Iterator[Block]:
    """How to make the page again."""
    yield Prose("## How to make this page again")
    yield Output(command)


def _believed(explanation: Explanation) -> str:
    return belief_words(explanation) or "Nothing in its layer speaks for the class."


def _heat_panel(explanation: Explanation, method: str) -> str:
    heat = explanation.heat_maps[method]
    name = explanation.classes[int(heat.targets[0])]
    said = _heat_words(heat, method, name)
    peak = find_peak(heat.values[0])
    where = "nowhere" if peak is None else f"strongest at {peak}"
    title = {
        "grad_cam": f"Grad-CAM for {name}",
        "layer_cam": f"LayerCAM for {name}",
        "occlusion": f"Occlusion for {name}",
        "integrated_gradients": f"Integrated gradients for {name}",
        "rival": f"Grad-CAM for {name}",
    }[method]
    words = f"{title}: {where}"
    caption = f"<strong>{as_html(title)}</strong><br>{as_html(said)}"
    return panel(heat_picture(explanation.picture, heat), words, caption)


def _heat_words(heat: HeatMaps, method: str, name: str) -> str:
    """What a heat map shows, in one sentence."""
    if isinstance(heat, Occlusions):
        height, width = heat.window
        return (
            f"How far the logit falls where {height} × {width} pixels are covered by the "
            f"{heat.fill}. Red: without it {name} is less likely; blue: more."
        )
    if isinstance(heat, IntegratedGradients):
        gained = float(heat.logits[0] - heat.baseline_logits[0])
        error = abs(heat.completeness_errors[0])
        return (
            f"What each pixel adds to the logit on the way from the {heat.baseline}: red adds, "
            f"blue takes away. All together {gained:.3g}, to {error:.1g}."
        )
    if method == "layer_cam":
        sizes = ", ".join(f"{height} × {width}" for height, width in heat.resolutions)
        return f"Where features of several sizes speak for it, in layers of {sizes} values."
    height, width = heat.resolutions[0]
    other = "The likeliest other class. " if method == "rival" else ""
    return (
        f"{other}Where the features of {heat.layer} ({height} × {width} values) speak for it; the "
        "lighter the more."
    )


def _layer_table(explanation: Explanation) -> str:
    """The layers whose arithmetic can be asked for."""
    rows = "".join(
        f"<tr><td>{as_html(layer.name)}</td><td>{layer.kind}</td>"
        f'<td class="number">{_product(layer.shape)}</td>'
        f'<td class="number">{_product(layer.receptive_field or ("?",))}</td></tr>'
        for layer in explanation.layers
        if layer.traceable
    )
    return (
        "<details><summary>Every layer that --layer can name</summary>"
        '<div class="wide" tabindex="0" role="region" aria-label="layers"><table><thead><tr>'
        '<th scope="col">layer</th><th scope="col">kind</th><th scope="col" class="number">output'
        '</th><th scope="col" class="number">sees</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _product(sides: Sequence[int | str]) -> str:
    return " × ".join(str(side) for side in sides)


def _drawing(svg: bytes, caption: str) -> Drawing:
    return Drawing(svg, one_line(caption))


def chances(explanation: Explanation) -> str:
    """The likeliest classes as bars, as HTML: a list that can be read without them."""
    items = "".join(
        f"<li><span>{as_html(name)}</span><span>{percent(share)}</span>"
        f'<i style="--share:{share:.4f}" aria-hidden="true"></i></li>'
        for name, share in explanation.top
    )
    return f'<ol class="chances">{items}</ol>'
