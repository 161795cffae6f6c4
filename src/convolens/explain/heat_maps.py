"""Heat maps: how much each place of a picture speaks for a class, by whichever method."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from convolens.config import check_whole
from convolens.errors import ConfigError

Side = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True, eq=False, kw_only=True)
class HeatMaps:
    """A map for each picture: the larger a value, the more that place speaks for the target.

    Values are as the method defines them and never scaled for the eye: that is for whoever draws.
    """

    method: str
    """What made them: the function's name."""
    values: NDArray[np.float32]
    """(n, height, width)."""
    signed: bool
    """Whether values below 0 say that a place speaks against the target; else all are 0 or more."""
    targets: NDArray[np.int64]
    """(n,) the class that each map explains."""
    logits: NDArray[np.float32]
    """(n,) what the model gave for that class."""
    layers: tuple[str, ...] = ()
    """The layers whose outputs were looked at; none where only the picture was."""
    resolutions: tuple[Side, ...] = ()
    """Height and width of the map of each of them, before it was brought to the picture's size."""

    @property
    def layer(self) -> str | None:
        """The last of the layers that were looked at."""
        return self.layers[-1] if self.layers else None

    def to_dict(self) -> dict[str, Any]:
        """All but the maps themselves, as plain JSON types; with their range."""
        return {
            "method": self.method,
            "n": len(self.values),
            "size": list(self.values.shape[1:]),
            "signed": self.signed,
            "layers": list(self.layers),
            "resolutions": [list(side) for side in self.resolutions],
            "targets": self.targets.tolist(),
            "logits": self.logits.tolist(),
            "minimum": float(self.values.min()),
            "maximum": float(self.values.max()),
        }


def read_size(size: int | Side | None, picture: Side) -> Side:
    """Height and width of the maps to make: the picture's if ``size`` is None.

    Raises:
        ConfigError: no whole numbers from 1 on.
    """
    if size is None:
        return picture
    pair = (size, size) if not isinstance(size, tuple | list) else tuple(size)
    if len(pair) != 2:
        raise ConfigError(f"size is {size!r}; allowed: a whole number, or (height, width)")
    for name, side in zip(("height", "width"), pair, strict=True):
        check_whole(name, side, 1, 2**15)
    return int(pair[0]), int(pair[1])


def resized(maps: Tensor, size: Side) -> Tensor:
    """Maps (n, height, width) at another size, by bilinear interpolation.

    The corners of both grids, not their outermost values, lie on one another.
    """
    return F.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)[:, 0]
