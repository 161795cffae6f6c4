"""Why a network says of one picture what it says: all that was found out, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.explain.deletion_curves import DeletionInsertion
from convolens.explain.explained_layers import ExplainedLayer, LayerMaps
from convolens.explain.explanation_text import explanation_text
from convolens.explain.heat_maps import HeatMaps
from convolens.explain.neighbours import Neighbour
from convolens.explain.peaks import Peak, find_peak
from convolens.explain.receptive_fields import ReceptiveField
from convolens.explain.value_trace import ValueTrace

TOP = 3
"""Likeliest classes that are named."""

BELIEVED = 0.9
"""Share of maps, moved to a random place, that a heat map must be better than to be believed: by
chance one in ten would be. Below half of them it should not be believed; between, one picture
cannot tell."""

_AREAS = ("deletion", "insertion", "chance_deletion", "chance_insertion")


@dataclass(frozen=True, eq=False, kw_only=True)
class Explanation:
    """What a network says of a picture and what speaks for it; ``str()`` says it in words."""

    picture: NDArray[Any]
    """(height, width, channels) as the network sees it: of a model uint8 before the preprocessing,
    of a bare network what went in."""
    network: str
    """The architecture's name, of a bare network its class."""
    classes: tuple[str, ...]
    """Name of each class; a bare network's are numbered."""
    probabilities: NDArray[np.float32]
    """(classes,), of a model calibrated."""
    target: int
    """The class that is explained."""
    rival: int | None
    """The likeliest other class; None where there is none."""
    unsure: bool | None
    """Whether the probability is too low for the risk that was named; None where none was."""
    unknown: bool | None
    """Whether the picture is unlike what the model was trained on; None where it is not known."""
    familiarity: float | None
    """The score that this is judged by, likewise."""
    heat_maps: Mapping[str, HeatMaps]
    """By method, each of this one picture: "grad_cam" of the target always, others where they were
    asked for; "rival" is Grad-CAM of the rival."""
    faithfulness: DeletionInsertion | None
    """Whether the heat map of the target marks what counts, by taking that out and putting it in;
    None where nothing speaks for the class."""
    layers: tuple[ExplainedLayer, ...]
    """Every layer with maps that the picture passes."""
    way: tuple[LayerMaps, ...]
    """The strongest maps of convolutions, poolings and activations, from the first to the last."""
    way_length: int
    """How many such layers there are: of many the important ones are in ``way``."""
    trace: ValueTrace
    """The arithmetic of one value."""
    field: ReceptiveField | None
    """The pixels that it depends on; None where that cannot be said without much work."""
    nearest: tuple[Neighbour, ...] = ()
    """The nearest training pictures, where they were looked for; the nearest first."""

    @property
    def top(self) -> tuple[tuple[str, float], ...]:
        """The likeliest classes with their probabilities, the likeliest first."""
        order = np.argsort(-self.probabilities, kind="stable")[:TOP]
        return tuple((self.classes[i], float(self.probabilities[i])) for i in order.tolist())

    @property
    def heat(self) -> HeatMaps:
        """The heat map of the target by Grad-CAM."""
        return self.heat_maps["grad_cam"]

    @property
    def peak(self) -> Peak | None:
        """Where that is strongest; None where nothing in its layer speaks for the class."""
        return find_peak(self.heat.values[0])

    @property
    def believable(self) -> bool | None:
        """Whether the heat map marks what counts, see ``BELIEVED``; None: it cannot be told."""
        if self.faithfulness is None:
            return None
        better = float((self.faithfulness.gains > 0).mean())
        return True if better >= BELIEVED else False if better < 0.5 else None

    @property
    def layer(self) -> ExplainedLayer:
        """The layer whose value is taken apart."""
        return next(layer for layer in self.layers if layer.name == self.trace.layer)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, without pictures and maps."""
        top = [{"class": name, "probability": share} for name, share in self.top]
        peak = self.peak
        areas = {} if self.faithfulness is None else self.faithfulness.to_dict()["areas"]
        nowhere: dict[str, Any] = dict.fromkeys(("row", "column", "rows", "columns"))
        return {
            **top[0],
            "top": top,
            "unsure": self.unsure,
            "unknown": self.unknown,
            "familiarity": self.familiarity,
            "target": self.classes[self.target],
            "target_probability": float(self.probabilities[self.target]),
            "heat_map": {
                "method": self.heat.method,
                "layer": self.heat.layer,
                "size": list(self.heat.values.shape[1:]),
                "resolution": list(self.heat.resolutions[0]),
                **(nowhere if peak is None else peak.to_dict()),
                "believable": self.believable,
                **{name: areas.get(name) for name in _AREAS},
            },
            "layers": [layer.to_dict() for layer in self.layers],
            "trace": self.trace.to_dict(),
            "field": None if self.field is None else self.field.to_dict(),
            "nearest": [each.to_dict() for each in self.nearest],
        }

    def __str__(self) -> str:
        return explanation_text(self)
