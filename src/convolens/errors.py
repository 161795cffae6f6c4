"""Every error that Convolens raises on purpose.

::

    ConvolensError            catch this one to catch them all
    ├── ImageError            a picture cannot be read or is not one (also a ValueError)
    ├── DataError             a data set is missing, damaged or inconsistent (also a ValueError)
    ├── ConfigError           an argument or a setting is not allowed (also a ValueError)
    ├── ModelError            a model is damaged, or does not fit its input (also a ValueError)
    └── ExtraMissing          an optional part is not installed (also an ImportError)

A message says what was got, what is allowed and what to do, in one line. The command line prints
it and exits with status 2.
"""


class ConvolensError(Exception):
    """Base of every error that Convolens raises on purpose."""


class ImageError(ConvolensError, ValueError):
    """A picture cannot be read, or is not a picture.

    Args:
        message: what was got, what is allowed, what to do.
        kind: why, in a word: "damaged", "not_an_image", "too_large", "too_slow", "empty_file",
            "missing_file", "unreadable", "vanished" or "not_finite".
    """

    def __init__(self, message: str, *, kind: str = "damaged") -> None:
        super().__init__(message)
        self.kind = kind


class DataError(ConvolensError, ValueError):
    """A data set is missing, damaged or inconsistent."""


class ConfigError(ConvolensError, ValueError):
    """An argument or a setting is not allowed."""


class ModelError(ConvolensError, ValueError):
    """A model on disk is damaged, or does not fit what it is given."""


class ExtraMissing(ConvolensError, ImportError):  # noqa: N818 - the name says it all
    """An optional part of Convolens is not installed."""
