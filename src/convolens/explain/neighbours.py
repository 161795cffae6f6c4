"""Which training pictures a network sees as like one picture, with their names and classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convolens.bundle import Model
from convolens.data import Split
from convolens.explain.activations import one_input
from convolens.explain.nearest import nearest_pictures
from convolens.explain.networks import Explainable
from convolens.images import fit_image


@dataclass(frozen=True, eq=False, kw_only=True)
class Neighbour:
    """A training picture that the network sees as like the explained one."""

    name: str
    """Its path, or its place in the split where it has none."""
    label: str
    """Its class."""
    similarity: float
    """Cosine between the features of both, at most 1."""
    picture: NDArray[np.uint8]
    """(height, width, channels)."""
    same: bool = False
    """Whether the network sees the same pixels in both: it is the explained picture, or a copy."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, without the picture."""
        return {"name": self.name, "class": self.label, "similarity": self.similarity}


def find_neighbours(
    model: Explainable, picture: Any, split: Split, class_names: Sequence[str], k: int
) -> tuple[Neighbour, ...]:
    """The pictures of a split that a network sees as most like one picture.

    Args:
        model: as for :func:`explain_picture`.
        picture: likewise.
        split: those to search, such as the training pictures.
        class_names: names of their classes.
        k: how many.

    Raises:
        ConfigError: k is below 1 or above the number of pictures, or the network has no features.
        ImageError: the picture cannot be read.
    """
    seen = as_seen(model, picture)
    found = nearest_pictures(model, seen[None], split.images, k=k)
    return tuple(
        Neighbour(
            name=split.name_of(index) or f"picture {index}",
            label=class_names[int(split.labels[index])],
            similarity=similarity,
            picture=np.asarray(split.images[index]),
            # A cosine of 1 says less: of few features many pictures have the same direction.
            same=np.array_equal(as_seen(model, split.images[index]), seen),
        )
        for index, similarity in zip(
            found.indices[0].tolist(), found.similarities[0].tolist(), strict=True
        )
    )


def as_seen(model: Explainable, picture: Any) -> NDArray[Any]:
    """A picture in the network's size, before any preprocessing: (height, width, channels).

    Raises:
        ConfigError: a bare network was given something else than an array of floating point.
        ImageError: the picture cannot be read.
    """
    if isinstance(model, Model):
        return fit_image(picture, *model.input_shape, policy=model.preprocessing.fit)
    one_input(model, picture)  # refuses what is no picture
    return np.asarray(picture)
