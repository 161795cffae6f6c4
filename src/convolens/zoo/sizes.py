"""How an architecture fits pictures of any size: how often it halves them, and where.

An architecture is published for one size of picture. On others its halvings are kept as far as its
last maps stay large enough, and the first halvings are given up first: small pictures keep their
resolution in the early layers, as those networks do that were published for small pictures.
"""

from convolens.errors import ConfigError

MINIMUM_SIZE = 8
"""Height and width below which no architecture of the zoo's papers is built."""

LEAST_MAP_OF_SMALL = 7
"""Smallest last map, in pixels a side, of architectures published for 32 x 32: they end in 8 x 8
there, and in 7 x 7 on 28 x 28."""

LEAST_MAP_OF_LARGE = 4
"""Likewise of architectures published for 224 x 224, which end in 7 x 7 there. On 32 x 32 it gives
4 x 4, as in their usual variants for small pictures. No map is ever of one pixel, which a batch
normalisation could not train on with one picture."""


def check_picture(name: str, input_shape: tuple[int, int, int], least: int = MINIMUM_SIZE) -> None:
    """Refuse pictures smaller than an architecture takes.

    Args:
        name: of the architecture, for the message.
        input_shape: (height, width, channels).
        least: smallest height and width in pixels.

    Raises:
        ConfigError: height or width is less than ``least``, or there is no channel.
    """
    height, width, channels = input_shape
    if min(height, width) < least or channels < 1:
        raise ConfigError(
            f"architecture {name!r} needs pictures of at least {least} x {least} pixels and one "
            f"channel; got {height} x {width} x {channels}: enlarge them, or use 'compact'"
        )


def check_share(name: str, value: object) -> None:
    """Refuse what is not a share in [0, 1), such as of activations to drop.

    Raises:
        ConfigError: it is not a number of at least 0 and below 1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ConfigError(f"{name} must be a number in [0, 1); got {value!r}")


def count_halvings(input_shape: tuple[int, int, int], *, most: int, least: int) -> int:
    """How often pictures are halved.

    Args:
        input_shape: (height, width, channels); the shorter side decides.
        most: as often as this in the published architecture.
        least: pixels that a side of the last map has at least, where a halving rounds up.

    >>> [count_halvings((size, size, 3), most=5, least=4) for size in (8, 28, 32, 64, 96, 224)]
    [1, 3, 3, 4, 4, 5]
    >>> [count_halvings((size, size, 3), most=4, least=7) for size in (8, 28, 32, 64, 96, 224)]
    [0, 2, 2, 3, 3, 4]
    """
    side, halvings = min(input_shape[:2]), 0
    while halvings < most and (side + 1) // 2 >= least:
        side, halvings = (side + 1) // 2, halvings + 1
    return halvings


def strides_of(halvings: int, places: int) -> tuple[int, ...]:
    """The stride at each place that may halve: 2 at the last ``halvings`` of them, else 1.

    >>> strides_of(2, 3), strides_of(5, 3)
    ((1, 2, 2), (2, 2, 2))
    """
    return tuple(2 if place >= places - halvings else 1 for place in range(places))
