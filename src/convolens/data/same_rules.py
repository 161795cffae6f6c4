"""How alike two pictures must be to count as nearly the same, by their size."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """How alike two pictures must be, each after the gain that fits best.

    So brightness and contrast are free.
    """

    residue: float
    """Most variance, as a share, that one leaves unexplained of the other."""
    patch: float
    """Largest difference of any patch of 3 x 3 pixels, in standard deviations of the picture."""
    detail: float = -1.0
    """Least correlation of the details: of what differs from the mean around it."""
    grain: float = np.inf
    """Largest difference of the details, a standard deviation in grey levels of 0..255."""


@dataclass(frozen=True, kw_only=True)
class SameRule:
    """When two pictures of one size count as nearly the same."""

    least_side: int
    """The rule is for pictures with a smaller side of at least so many pixels."""
    alike: float
    """Least cosine between the lowest waves, before pixels are looked at."""
    blur: int
    """Radius of the mean that is taken first, to forget noise and compression."""
    around: int
    """Radius of the mean that is subtracted to see detail only."""
    shift: int
    """Pixels that one may be moved against the other, on a side of at most 128."""
    zooms: tuple[int, ...]
    """Pixels, likewise, that both edges together may have lost before either was enlarged."""
    likenesses: tuple[Likeness, ...]
    """Any one of them is enough."""


# What a picture without much detail, such as a sky, has left when noise has been averaged out.
_GRAIN = 2.0

# Measured: pictures that are NOT the same against 19 alterations of 300 to 1,500 pictures.
# Of 2,062 photographs of hands, 100 x 100, the likest pairs have a correlation of detail of 0.77, a
# residue of 0.09 and a patch of 1.7; altered copies 0.95, 0.05 and 0.75 at worst (one of half the
# size, one 20 % brighter and cut off at white). Fashion-MNIST, 28 x 28, is the hardest case: 70,000
# products photographed alike. 0.98, 0.01 and 0.2 leave 59 pairs, each of one product; the hooded
# jumper with another print on its chest has a patch of 0.21 to 0.48. So copies of 28 x 28 pixels
# that were resized or compressed strongly are not found. Digits of 8 x 8: no pair.
SAME_RULES = (
    SameRule(
        least_side=64,
        alike=0.975,
        blur=1,
        around=3,
        shift=2,
        zooms=(2, 4),
        likenesses=(
            Likeness(residue=0.08, patch=0.8, detail=0.95),
            Likeness(residue=0.05, patch=0.5, detail=0.9),
            Likeness(residue=0.02, patch=0.3, grain=_GRAIN),
        ),
    ),
    SameRule(
        least_side=32,
        alike=0.975,
        blur=1,
        around=3,
        shift=1,
        zooms=(),
        likenesses=(
            Likeness(residue=0.05, patch=0.5, detail=0.97),
            Likeness(residue=0.01, patch=0.3, grain=_GRAIN),
        ),
    ),
    SameRule(
        least_side=8,
        alike=0.99,
        blur=0,
        around=1,
        shift=0,
        zooms=(),
        likenesses=(Likeness(residue=0.01, patch=0.2, detail=0.98),),
    ),
)
"""From large pictures to small ones; there is none for less than 8 x 8 pixels, where different
drawings of one digit are the same picture."""


def rule_for(shape: tuple[int, ...]) -> SameRule | None:
    """The rule for pictures of a shape (n, height, width, channels), None if they are too small.

    >>> rule_for((9, 8, 8, 1)).alike, rule_for((9, 7, 40, 1))
    (0.99, None)
    """
    side = min(shape[1:3])
    return next((rule for rule in SAME_RULES if side >= rule.least_side), None)
