"""Optional libraries, asked for in one place so that a missing one names itself."""

from importlib import import_module
from typing import TYPE_CHECKING

from convolens.errors import ExtraMissing

if TYPE_CHECKING:
    from types import ModuleType


def require(module: str, *, extra: str) -> "ModuleType":
    """Import an optional library, or say which extra brings it.

    Args:
        module: name to import, such as ``"ray"``.
        extra: the extra of Convolens that installs it, such as ``"cluster"``.

    Returns:
        The imported module.

    Raises:
        ExtraMissing: the library is not installed.

    >>> require("json", extra="none").loads("[1]")
    [1]
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise ExtraMissing(
            f"{module} is not installed; it is part of an optional extra: "
            f'pip install "convolens[{extra}]"'
        ) from None
