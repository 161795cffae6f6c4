"""A time for a run, as a person gives it."""

import time

from convolens.errors import ConfigError
from convolens.training.budget import SHORTEST, Budget
from convolens.training.durations import parse_duration


def choose_budget(
    budget: str | float | Budget | None, name: str = "budget", *, started: float | None = None
) -> Budget | None:
    """The budget that is meant.

    Args:
        budget: a text such as "60s", "2m" or "1h", or seconds; at least 1 second.
        name: what it is called where it was given, such as "--budget", for the message.
        started: ``time.perf_counter()`` when its time began to run; by default now.

    Raises:
        ConfigError: it is something else.

    >>> choose_budget("2m").seconds
    120.0
    >>> choose_budget(0.5)
    Traceback (most recent call last):
    ...
    convolens.errors.ConfigError: budget is 0.5; allowed: at least 1 second, such as 60s, 2m or 1h
    """
    if budget is None or isinstance(budget, Budget):
        return budget
    seconds = _seconds(budget)
    if seconds is None or not SHORTEST <= seconds < float("inf"):
        raise ConfigError(
            f"{name} is {budget if seconds is not None else repr(budget)}; allowed: at least "
            f"{SHORTEST:g} second, such as 60s, 2m or 1h"
        )
    begin = time.perf_counter() if started is None else started
    return Budget(seconds=seconds, started=begin)


def refuse_both(epochs: float | None, budget: object, epochs_name: str, budget_name: str) -> None:
    """Refuse a number of epochs beside a time, naming both as they were given.

    Raises:
        ConfigError: both were given.
    """
    if epochs is not None and budget is not None:
        raise ConfigError(
            f"{epochs_name} and {budget_name} both say how long to train; give one of them"
        )


def _seconds(budget: str | float) -> float | None:
    """None where it is no length of time at all."""
    try:
        return parse_duration(budget) if isinstance(budget, str) else float(budget)
    except (ConfigError, TypeError, ValueError):
        return None
