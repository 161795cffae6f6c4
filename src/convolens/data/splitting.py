"""How a data set is divided: the settings."""

from dataclasses import dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from convolens.config import check_whole, choose, to_dict
from convolens.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Splitting:
    """How pictures are divided into train, validation and test.

    Raises:
        ConfigError: a value outside its range, or two that contradict each other.

    >>> Splitting(folds=5, fold=5)
    Traceback (most recent call last):
    ...
    convolens.errors.ConfigError: fold is 5; allowed: a whole number from 0 to 4
    """

    seed: int = 0
    """Of everything that is drawn at random, 0 to 2**64 - 1."""
    validation: str | None = None
    """"stratified" draws the validation split at random, every class in proportion; "last" holds
    out the last training pictures, as the notes do. None is "last" for a training part of at least
    50,000 pictures that is known to be shuffled, and "stratified" else."""
    validation_size: int | float | None = None
    """How many pictures, or a fraction of those that it is taken from. None is a tenth; of a
    given training part, or of what a fold leaves, at most 5,000."""
    test_size: int | float | None = None
    """Likewise for the test split. None is a tenth of a set that is not divided."""
    folds: int | None = None
    """Divide into so many folds, of which one is the test split."""
    fold: int | None = None
    """Which one, from 0."""
    sample: float = 1.0
    """Use this share of each split, every class in proportion, above 0 and up to 1."""
    split_file: str | Path | None = None
    """A file that says which picture is in which split, see
    :func:`~convolens.data.manifest.write_split_file`. It goes before the source's own splits."""
    keep_duplicates_together: bool = True
    """Whether copies of one picture stay on one side of a division."""

    def __post_init__(self) -> None:
        check_whole("seed", self.seed, 0, 2**64 - 1)
        if self.validation is not None:
            choose("validation", self.validation, {"last": 1, "stratified": 1})
        for name in ("validation_size", "test_size"):
            _check_size(name, getattr(self, name))
        if not (isinstance(self.sample, Real) and 0 < self.sample <= 1):
            raise ConfigError(f"sample is {self.sample!r}; allowed: above 0, up to 1 (all)")
        if self.split_file is not None:  # so that settings read from JSON are equal
            object.__setattr__(self, "split_file", Path(self.split_file))
        if (self.folds is None) != (self.fold is None):
            raise ConfigError(
                f"folds is {self.folds} and fold is {self.fold}; give both (how many, and which "
                "one from 0 is the test split) or neither"
            )
        if self.folds is not None:
            check_whole("folds", self.folds, 2, 2**31 - 1)
            check_whole("fold", self.fold, 0, self.folds - 1)
            other = "test_size" if self.test_size is not None else "split_file"
            if getattr(self, other) is not None:
                raise ConfigError(
                    f"folds and {other} both say what the test split is; leave one of them out"
                )

    def options(self) -> dict[str, Any]:
        """What differs from the defaults, as plain JSON types: ``Splitting(**options)`` is equal.

        >>> Splitting(seed=3, split_file=Path("mine.csv")).options()
        {'seed': 3, 'split_file': 'mine.csv'}
        """
        usual = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in to_dict(self).items() if value != usual[name]}


def _check_size(name: str, size: Any) -> None:
    count = isinstance(size, Integral) and size is not True and int(size) >= 1
    fraction = isinstance(size, float) and 0 < size < 1
    if size is not None and not count and not fraction:
        raise ConfigError(
            f"{name} is {size!r}; allowed: a whole number from 1, or a fraction between 0 and 1"
        )
