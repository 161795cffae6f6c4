"""Settings: frozen dataclasses to and from dictionaries, and "did you mean".

A settings class is an ordinary frozen, keyword-only dataclass that lives beside what it configures
and validates itself where it is made. This module only carries such classes across the border of
the program: into JSON and back, with every mistake named.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from convolens.errors import ConfigError

T = TypeVar("T")


def choose(kind: str, name: str, allowed: Mapping[str, T]) -> T:
    """The entry called ``name``, or an error that lists the names and the likeliest one meant.

    Args:
        kind: what is being chosen, for the message: "recipe", "data set".
        name: what was asked for.
        allowed: name to value.

    Raises:
        ConfigError: there is no such name.

    >>> choose("recipe", "fsat", {"fast": 1, "notes": 2})
    Traceback (most recent call last):
    ...
    convolens.errors.ConfigError: unknown recipe 'fsat'; did you mean 'fast'? Allowed: fast, notes
    """
    if name in allowed:
        return allowed[name]
    raise ConfigError(f"unknown {kind} {name!r}{did_you_mean(name, allowed)}")


def check_whole(name: str, value: Any, least: int, most: int) -> None:
    """Refuse what is not a whole number of least..most, naming it."""
    # A bool is an int to Python, and NumPy's whole numbers are not: Integral knows both.
    whole = isinstance(value, Integral) and value is not True and value is not False
    if not whole or not least <= int(value) <= most:
        limit = f"of at least {least}" if most >= 2**63 - 1 else f"from {least} to {most}"
        raise ConfigError(f"{name} is {value!r}; allowed: a whole number {limit}")


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """End of a message about an unknown name: the likeliest one meant, then all of them.

    >>> did_you_mean("tset", ["train", "test"])
    "; did you mean 'test'? Allowed: train, test"
    """
    names = [str(entry) for entry in allowed]
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    guess = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{guess} Allowed: {', '.join(names)}" if close else f"; allowed: {', '.join(names)}"


def to_dict(settings: Any) -> dict[str, Any]:
    """A dataclass as plain JSON types: paths become strings, tuples lists, NumPy values Python's.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Step:
    ...     size: tuple[int, int]
    >>> to_dict(Step(size=(2, 3)))
    {'size': [2, 3]}
    """
    return {
        field.name: _plain(getattr(settings, field.name)) for field in dataclasses.fields(settings)
    }


def from_dict(cls: type[T], mapping: Mapping[str, Any], *, source: str = "settings") -> T:
    """Build a dataclass from a mapping, as read from JSON; every value is checked for its type.

    Args:
        cls: the dataclass to make.
        mapping: field name to value; fields with a default may be absent.
        source: where the mapping came from, for the message.

    Raises:
        ConfigError: an unknown or missing key, or a value of the wrong type.

    >>> @dataclasses.dataclass(frozen=True, kw_only=True)
    ... class Step:
    ...     size: int = 1
    >>> from_dict(Step, {"sizes": 2})
    Traceback (most recent call last):
    ...
    convolens.errors.ConfigError: settings: unknown key 'sizes'; did you mean 'size'? Allowed: size
    """
    known = [field.name for field in dataclasses.fields(cls)]  # pyright: ignore[reportArgumentType]
    for key in mapping:
        if key not in known:
            raise ConfigError(f"{source}: unknown key {key!r}{did_you_mean(key, known)}")
    try:
        return TypeAdapter(cls).validate_python(dict(mapping))
    except ValidationError as error:
        first = error.errors()[0]
        said = first.get("ctx", {}).get("error")
        if isinstance(said, ConfigError):  # the settings' own words are better
            raise said from None
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{source}: {where}: {first['msg'].lower()} (got {first['input']!r})"
        ) from None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_dict(value)
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, Any]", value)
        return {str(key): _plain(entry) for key, entry in entries.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in cast("Iterable[Any]", value)]
    if isinstance(value, Path):
        return str(value)
    # NumPy arrays and scalars and torch tensors turn into Python's numbers alike.
    convert = getattr(value, "tolist", None)
    return value if convert is None else convert()
