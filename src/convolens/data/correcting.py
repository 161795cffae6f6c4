"""Which list of corrected labels belongs to a data set: the setting."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from convolens.data.corrections import Corrections, read_corrections
from convolens.errors import ConfigError, DataError


@dataclass(frozen=True, kw_only=True)
class Correcting:
    """Whether labels are corrected, and by what.

    Raises:
        ConfigError: a digest without a list.
    """

    corrections: Path | None = None
    """A list of corrected labels, see :func:`~convolens.data.corrections.read_corrections`."""
    corrections_sha256: str | None = None
    """The digest of what it said when the data set was first read; None where that was never."""

    def __post_init__(self) -> None:
        if self.corrections is not None:
            object.__setattr__(self, "corrections", Path(self.corrections))
        elif self.corrections_sha256 is not None:
            raise ConfigError("corrections_sha256 is the digest of a list: give corrections, too")

    @cached_property
    def listed(self) -> Corrections | None:
        """The list, read once.

        Raises:
            DataError: it cannot be read, or it says something else than it did.
        """
        if self.corrections is None:
            return None
        found = read_corrections(self.corrections)
        if self.corrections_sha256 not in (None, found.digest):
            raise DataError(
                f"{self.corrections} has changed: it corrects other labels than when this data set "
                "was first read with it; bring the list of then back, or begin anew with this one"
            )
        return found

    def options(self) -> dict[str, Any]:
        """As plain JSON types, the list found again from any folder; empty where there is none."""
        if self.listed is None:
            return {}
        path = self.listed.path.resolve()
        return {"corrections": str(path), "corrections_sha256": self.listed.digest}
