"""Augmentation: small changes of a training picture that leave its class as it is.

What happens to a picture is a pure function of (seed, epoch, sample), never of the batch it is in
or of who loads it: an epoch can be taken up in its middle, and the number of workers changes
nothing.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from convolens.errors import ConfigError
from convolens.training.hardware import send

# Streams of their own: the orders of the epochs use those from 0 on, splits those from 2**63.
_FLIPS = 2**62 - 1
_SHIFTS = 2**62


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Which changes are made; the default makes none."""

    shift: int | Literal["auto"] = 0
    """Up to this many pixels up, down, left and right; the border is repeated. "auto" shifts where
    there are few pictures, by their size: see :meth:`Recipe.settled`."""
    flip: bool | Literal["auto"] = False
    """Left and right exchanged every second epoch, each picture starting at random.

    Only for data whose class survives it: clothes and animals, not digits and letters. "auto" flips
    where that is known of the data set and where there are epochs enough: see
    :meth:`Recipe.settled`. A network that was trained on flipped pictures also predicts from both.
    """

    def __post_init__(self) -> None:
        """Refuse a negative shift."""
        flip, shift = self.flip, self.shift
        if not (isinstance(flip, bool) or (isinstance(flip, str) and flip == "auto")):
            raise ConfigError(f'flip must be true, false or "auto"; got {self.flip!r}')
        whole = isinstance(shift, int) and not isinstance(shift, bool) and shift >= 0
        if not (whole or (isinstance(shift, str) and shift == "auto")):
            raise ConfigError(
                f'shift is a number of pixels, 0 or more, or "auto"; got {self.shift!r}'
            )

    def plan(self, n: int, *, seed: int, epoch: int) -> "AugmentationPlan":
        """What will happen to each of ``n`` training pictures in this epoch."""
        assert self.flip != "auto", "settled before"
        assert self.shift != "auto", "settled before"
        # Flips alternate, so their draw is that of the run, not of the epoch.
        flips = _draws(n, seed, _FLIPS) < 0.5
        draws = np.stack([_draws(n, seed, _SHIFTS + 2 * epoch + axis) for axis in (0, 1)], axis=1)
        offsets = np.floor(draws * (2 * self.shift + 1)).astype(np.int64) - self.shift
        return AugmentationPlan(
            shift=self.shift,
            offsets=torch.from_numpy(offsets),
            flips=torch.from_numpy(flips ^ (epoch % 2 == 1)) if self.flip else None,
        )


@dataclass(frozen=True, eq=False)
class AugmentationPlan:
    """The changes of one epoch, one row a training picture."""

    shift: int
    offsets: Tensor
    """(n, 2) int64: rows and columns by which each picture moves down and right."""
    flips: Tensor | None
    """(n,) bool."""

    def apply(self, images: Tensor, samples: Tensor) -> Tensor:
        """Change a batch.

        Args:
            images: (batch, channels, height, width).
            samples: (batch,) int64, where the plan is: which training pictures these are.

        Returns:
            The changed batch, same shape and memory layout; the input is left alone.
        """
        if self.shift:
            images = _shifted(images, send(self.offsets[samples], images.device), self.shift)
        if self.flips is not None:
            flip = send(self.flips[samples], images.device)
            images = torch.where(flip[:, None, None, None], images.flip(3), images)
        return images

    def to(self, device: torch.device) -> "AugmentationPlan":
        """The same plan on another device."""
        flips = None if self.flips is None else send(self.flips, device)
        return AugmentationPlan(shift=self.shift, offsets=send(self.offsets, device), flips=flips)

    def become(self, other: "AugmentationPlan") -> None:
        """Take over another epoch's changes of the same pictures, in the same place in memory."""
        assert (self.shift, self.flips is None) == (other.shift, other.flips is None)
        self.offsets.copy_(send(other.offsets, self.offsets.device))
        if self.flips is not None and other.flips is not None:
            self.flips.copy_(send(other.flips, self.flips.device))


def _draws(n: int, seed: int, stream: int) -> NDArray[np.float64]:
    """One number in [0, 1) for each of n pictures; the same for a picture whatever n is."""
    generator = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    return (generator.random_raw(n) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _shifted(images: Tensor, offsets: Tensor, reach: int) -> Tensor:
    """Every picture moved by its own offset, all with one gather."""
    n, channels, height, width = images.shape
    padded = F.pad(images, (reach, reach, reach, reach), mode="replicate")
    rows = torch.arange(height, device=images.device) + reach - offsets[:, :1]
    starts = reach - offsets[:, 1:]
    picture = torch.arange(n, device=images.device)[:, None]
    lines = padded.permute(0, 2, 3, 1).contiguous()
    # Every part of every line that is as long as a picture is wide: the columns of a line are then
    # copied at a time, which is several times as fast as one by one.
    down, along = lines.stride()[:2], channels
    parts = lines.as_strided(
        (n, height + 2 * reach, 2 * reach + 1, width, channels), (*down, along, along, 1)
    )
    return parts[picture, rows, starts].permute(0, 3, 1, 2)
