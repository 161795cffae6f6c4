"""How far a window steps, how much is padded, and how large the result is.

"valid" pads nothing. "same" pads zeros for an output of ceil(size / stride), the odd pixel at the
bottom and at the right, exactly as TensorFlow does. An int pads that many pixels on all four sides;
((top, bottom), (left, right)) pads each side by its own.
"""

import operator
from typing import Any, TypeAlias, cast

from convolens.errors import ConfigError

Size: TypeAlias = int | tuple[int, int]
Sides: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
Padding: TypeAlias = str | int | Sides

SEMANTICS = ("tensorflow", "torch")


def output_size(
    size: int,
    window: int,
    stride: int = 1,
    padding: str | int | tuple[int, int] = "valid",
    dilation: int = 1,
) -> int:
    """Number of positions at which a window fits, along one axis.

    Args:
        size: pixels along the axis, at least 1.
        window: cells of the window along the axis, at least 1.
        stride: pixels from one position to the next, at least 1.
        padding: "valid", "same", an int for both ends, or (before, after).
        dilation: pixels from one cell of the window to the next, at least 1.

    Returns:
        The output's size along the axis, at least 1.

    Raises:
        ConfigError: an argument is out of range, or the window is larger than the padded input.

    Source: ``tf.nn.convolution``, section on padding; Dumoulin and Visin (2016), "A guide to
    convolution arithmetic for deep learning", https://arxiv.org/abs/1603.07285.

    >>> output_size(28, 7), output_size(28, 7, padding="same"), output_size(7, 2, stride=2)
    (22, 28, 3)
    """
    size = whole_number("size", size)
    window, stride, dilation = (
        whole_number(name, value)
        for name, value in (("window", window), ("stride", stride), ("dilation", dilation))
    )
    along = padding if isinstance(padding, tuple) else (padding, padding)
    sides = padding_of(padding if isinstance(padding, str | int) else (along, along))
    before, after = axis_padding(size, window, stride, sides, dilation, axis=0)
    return axis_output_size("size", size, window, stride, (before, after), dilation)


def pad_amounts(
    size: tuple[int, int],
    window: Size,
    strides: Size = 1,
    padding: Padding = "valid",
    dilations: Size = 1,
) -> Sides:
    """Pixels of padding on the four sides of a picture.

    Args:
        size: (height, width) of the picture.
        window: window size, an int or (height, width).
        strides: pixels from one position to the next, an int or (vertical, horizontal).
        padding: "valid", "same", an int, or ((top, bottom), (left, right)).
        dilations: pixels between two cells of the window, an int or (vertical, horizontal).

    Returns:
        ((top, bottom), (left, right)).

    Raises:
        ConfigError: an argument is out of range.

    >>> pad_amounts((28, 28), 2, padding="same")
    ((0, 1), (0, 1))
    """
    windows, steps = pair("window", window), pair("strides", strides)
    gaps, sides = pair("dilations", dilations), padding_of(padding)
    rows, columns = (
        axis_padding(size[axis], windows[axis], steps[axis], sides, gaps[axis], axis=axis)
        for axis in (0, 1)
    )
    return rows, columns


def whole_number(name: str, value: Any, minimum: int = 1) -> int:
    """``value`` as an int of at least ``minimum``; floats and booleans are refused."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < minimum:
        raise ConfigError(f"{name} is {value!r}; it must be a whole number of at least {minimum}")
    return number


def pair(name: str, value: Any, minimum: int = 1) -> tuple[int, int]:
    """An int or (vertical, horizontal) as two whole numbers.

    >>> pair("strides", 2), pair("strides", (2, 1))
    ((2, 2), (2, 1))
    """
    values = as_sequence(value) or [value, value]
    if len(values) != 2:
        raise ConfigError(
            f"{name} is {value!r}; it must be a whole number or two of them, (vertical, horizontal)"
        )
    return whole_number(name, values[0], minimum), whole_number(name, values[1], minimum)


def as_sequence(value: Any) -> list[Any] | None:
    """The entries of a tuple or a list; None for anything else."""
    return list(cast("list[Any]", value)) if isinstance(value, tuple | list) else None


def padding_of(padding: Any) -> str | Sides:
    """Padding as "same", "valid" or ((top, bottom), (left, right)); upper case is accepted."""
    if isinstance(padding, str):
        if padding.lower() in ("same", "valid"):
            return padding.lower()
        raise _unknown(padding)
    sides = as_sequence(padding)
    if sides is not None:
        if [len(as_sequence(side) or []) for side in sides] != [2, 2]:
            raise _unknown(padding)
        return pair("padding", sides[0], minimum=0), pair("padding", sides[1], minimum=0)
    try:
        amount = whole_number("padding", padding, minimum=0)
    except ConfigError:
        raise _unknown(padding) from None
    return (amount, amount), (amount, amount)


def axis_padding(
    size: int, window: int, stride: int, padding: str | Sides, dilation: int, *, axis: int
) -> tuple[int, int]:
    """(before, after) along one axis, for values that are known to be valid."""
    if padding == "valid":
        return 0, 0
    if padding == "same":
        reach = dilation * (window - 1) + 1
        total = max((-(-size // stride) - 1) * stride + reach - size, 0)
        return total // 2, total - total // 2
    assert not isinstance(padding, str)
    return padding[axis]


def axis_output_size(
    name: str, size: int, window: int, stride: int, padding: tuple[int, int], dilation: int
) -> int:
    """Output size along one axis, for values that are known to be valid."""
    reach, padded = dilation * (window - 1) + 1, size + sum(padding)
    if reach > padded:
        spread = f" (dilated to {reach})" if dilation > 1 else ""
        with_padding = f" ({padded} with padding)" if padded > size else ""
        raise ConfigError(
            f"the window's {name} of {window}{spread} is larger than the picture's {size}"
            f'{with_padding}; use a smaller window or padding="same"'
        )
    return (padded - reach) // stride + 1


def check_semantics(semantics: str, padding: Any, strides: tuple[int, int]) -> None:
    """Refuse, under ``semantics="torch"``, the padding that PyTorch does not have."""
    if semantics not in SEMANTICS:
        raise ConfigError(f'semantics is {semantics!r}; it must be "tensorflow" or "torch"')
    if semantics == "tensorflow":
        return
    mode = padding_of(padding)
    if mode == "same" and strides != (1, 1):
        raise ConfigError(
            f'PyTorch has no padding="same" with strides of {strides}; '
            'use semantics="tensorflow", or pad by a whole number of pixels'
        )
    if not isinstance(mode, str) and any(before != after for before, after in mode):
        raise ConfigError(
            f'PyTorch pads both ends alike, and padding is {padding!r}; use semantics="tensorflow"'
        )


def _unknown(padding: Any) -> ConfigError:
    return ConfigError(
        f'padding is {padding!r}; it must be "valid", "same", a whole number of at least 0, '
        "or ((top, bottom), (left, right))"
    )
