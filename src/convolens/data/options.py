"""How a data set is read: every option of ``load_data``, in frozen parts."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from convolens.config import check_whole, choose, did_you_mean, from_dict, to_dict
from convolens.data.correcting import Correcting
from convolens.data.geometry import check_size
from convolens.data.splitting import Splitting
from convolens.errors import ConfigError
from convolens.images import DEFAULT_LIMITS, FIT_POLICIES, ImageLimits

_Part = TypeVar("_Part")


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How the pictures are made to be of one shape."""

    size: int | tuple[int, int] | None = None
    """Side of a square, or (height, width); by :func:`convolens.data.choose_shape` if None."""
    channels: int | None = None
    """1 or 3; 1 if None and all pictures are stored as grey."""
    fit: str = "pad"
    """How a picture of other proportions is made to fit: "pad", "crop" or "stretch"."""
    limits: ImageLimits = DEFAULT_LIMITS
    """What a picture may be at most."""
    workers: int | None = None
    """Processes that read pictures; as many as there are cores if None."""

    def __post_init__(self) -> None:
        if self.size is not None:
            check_size(self.size)
        if isinstance(self.channels, bool) or self.channels not in (None, 1, 3):
            raise ConfigError(f"channels is {self.channels!r}; allowed: 1 (grey), 3 (RGB), None")
        if self.workers is not None:
            check_whole("workers", self.workers, 1, 1024)
        choose("fit policy", self.fit, dict.fromkeys(FIT_POLICIES))


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where in the source what is found."""

    images: str | None = None
    """Column of a table, or array of an ``.npz`` file, that holds the pictures; found if None."""
    labels: str | None = None
    """Likewise the labels."""
    group: str | None = None
    """Of a table, the column; of a folder, a regular expression that is searched for in each
    picture's path, whose first group (or whole match) is the group's name. Pictures of one group
    never sit on both sides of a division."""
    shape: tuple[int, ...] | None = None
    """Of flat rows: (height, width) or (height, width, channels)."""
    channels_first: bool = False
    """Whether the channels of arrays come before their height."""
    value_range: tuple[float, float] | None = None
    """The darkest and the brightest value that a pixel of an array can have."""
    class_names: tuple[str, ...] | None = None
    """Names by label."""

    def refuse_others(self, what: str, used: Collection[str]) -> None:
        """Refuse options that mean nothing to a kind of source: ignored, they would mislead.

        Raises:
            ConfigError: an option is set that is not among ``used``.
        """
        for option in fields(self):
            if option.name not in used and getattr(self, option.name) != option.default:
                allowed = f"; those that do: {', '.join(used)}" if used else ""
                raise ConfigError(f"the option {option.name} means nothing to {what}{allowed}")

    def group_pattern(self) -> "re.Pattern[str] | None":
        """``group`` as the regular expression that it is for a folder.

        Raises:
            ConfigError: it is none.
        """
        if self.group is None:
            return None
        try:
            return re.compile(self.group)
        except re.error as error:
            raise ConfigError(
                f"group is {self.group!r}, which is no regular expression: {error}; for a folder "
                r"give one that finds the group in a path, such as '(patient\d+)'"
            ) from None


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """All options together."""

    preparation: Preparation
    splitting: Splitting
    layout: Layout
    correcting: Correcting = field(default_factory=Correcting)

    def to_dict(self) -> dict[str, Any]:
        """Those that are not the usual ones, as plain JSON types; :func:`data_options` takes it."""
        parts = (self.preparation, self.splitting, self.layout)
        usual = {
            # A split file is found again from any folder.
            name: str(Path(value).resolve()) if name == "split_file" else value
            for part in parts
            for name, value in to_dict(part).items()
            if getattr(part, name) != getattr(type(part)(), name) and name != "workers"
        }
        return {**usual, **self.correcting.options()}


def data_options(options: Mapping[str, Any]) -> DataOptions:
    """Sort options into their parts and check them.

    Args:
        options: fields of :class:`Preparation`, :class:`Splitting`, :class:`Layout` and
            :class:`~convolens.data.correcting.Correcting` by name; plain JSON types will do.

    Raises:
        ConfigError: an unknown option, or a value that is not allowed.

    >>> data_options({"size": 64, "seed": 3}).to_dict()
    {'size': 64, 'seed': 3}
    """
    parts: Sequence[type[Any]] = (Preparation, Splitting, Layout, Correcting)
    known = {field.name: part for part in parts for field in fields(part)}
    for name in options:
        if name not in known:
            raise ConfigError(f"unknown option {name!r} of a data set{did_you_mean(name, known)}")

    def part(cls: type[_Part]) -> _Part:
        chosen = {name: value for name, value in options.items() if known[name] is cls}
        return from_dict(cls, chosen, source="option")

    return DataOptions(
        preparation=part(Preparation),
        splitting=part(Splitting),
        layout=part(Layout),
        correcting=part(Correcting),
    )
