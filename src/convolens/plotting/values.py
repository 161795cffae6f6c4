"""Numbers as short text: one number, a range, or a grid of them with a common precision."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGEST_PLAIN = 1e5
_SMALLEST_PLAIN = 1e-3


def compact(value: float, digits: int = 2) -> str:
    """A number with at least ``digits`` significant digits, in as few characters as that allows.

    >>> compact(255.0), compact(-0.1234), compact(1234.56), compact(0.0000123), compact(math.nan)
    ('255', '−0.12', '1235', '1.2e−5', 'NaN')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
    size = abs(value)
    if size < _LARGEST_PLAIN and value == round(value):
        text = str(round(value))
    elif _SMALLEST_PLAIN <= size < _LARGEST_PLAIN:
        text = f"{value:.{max(0, digits - 1 - math.floor(math.log10(size)))}f}"
    else:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    if "." in text and "e" not in text and float(text) == value:
        text = text.rstrip("0")  # 0.1 is that exactly, no 0.1000
    return text.replace("-", "−")


def range_text(low: float, high: float) -> str:
    """The smallest and the largest of some values.

    >>> range_text(-1.25, 3.0), range_text(0.0, 0.0)
    ('−1.2…3', 'all 0')
    """
    return f"all {compact(low)}" if low == high else f"{compact(low)}…{compact(high)}"


def grid_texts(values: NDArray[Any], digits: int = 3) -> tuple[NDArray[Any], str]:
    """Every number of a grid with the same number of decimals, and the factor taken out of all.

    Zero is "0", so that what is nothing is told from what is rounded to it.

    Args:
        values: any shape.
        digits: significant digits of the largest one.

    Returns:
        Array of str, of the shape of ``values``; and the factor as text, empty if it is 1.

    >>> grid_texts(np.array([0.5, -0.25]))
    (array(['0.500', '−0.250'], dtype='<U6'), '')
    >>> grid_texts(np.array([2e-7, 1e-7]), digits=2)
    (array(['2.0', '1.0'], dtype='<U3'), '×10⁻⁷')
    """
    numbers = np.asarray(values, dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    largest = float(np.abs(finite).max(initial=0.0))
    exponent = math.floor(math.log10(largest)) if largest else 0
    factor = ""
    if largest < _LARGEST_PLAIN and np.array_equal(finite, np.round(finite)):
        decimals = 0
    elif _SMALLEST_PLAIN <= largest < _LARGEST_PLAIN:
        decimals = max(0, digits - 1 - exponent)
    else:
        numbers = numbers / 10.0**exponent
        factor = f"×10{str(exponent).translate(_SUPERSCRIPTS)}"
        decimals = digits - 1
    return np.array([_decimal(float(number), decimals) for number in numbers.flat]).reshape(
        numbers.shape
    ), factor


def _decimal(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return compact(value)
    if value == 0:
        return "0"
    text = f"{value:.{decimals}f}"
    # A small negative number that rounds to nothing is no "−0.00".
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")
