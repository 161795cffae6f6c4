"""A run that is given a time instead of a number of epochs."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from convolens.errors import ConfigError
from convolens.training.state import TrainingState

SHORTEST = 1.0


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How long a run may take, from its start to its trained and judged model."""

    seconds: float
    """All of it."""
    started: float
    """``time.perf_counter()`` at its beginning, which may lie before the call: a command counts
    from the start of its process."""
    reserve: float = 0.0
    """Seconds to be left after the last step, for judging, pictures and files."""
    validating: float = 0.0
    """Of those, for the validation pictures, as expected; 0 where nobody expects anything."""
    testing: float = 0.0
    """And for the test pictures."""

    def __post_init__(self) -> None:
        """Refuse a time in which nothing can be trained."""
        if not SHORTEST <= self.seconds < float("inf"):
            raise ConfigError(
                f"a budget must be at least {SHORTEST:g} second; got {self.seconds:g} seconds"
            )

    @classmethod
    def from_now(cls, seconds: float) -> Self:
        """A budget whose time begins to run with this call."""
        return cls(seconds=seconds, started=time.perf_counter())

    def judged_in(self, seconds: float) -> Self:
        """The budget once judging the validation pictures was measured: its reserve follows."""
        if self.validating <= 0:
            return self
        judging = self.validating + self.testing
        testing = self.testing * seconds / self.validating
        # A machine that stood still while it judged is not taken for one that always does.
        wanted = max(0.0, self.reserve - judging + seconds + testing)
        reserve = min(wanted, 2 * self.reserve)
        return replace(self, reserve=reserve, validating=seconds, testing=testing)

    def left(self) -> float:
        """Seconds for steps that are left; below 0 when it is overdrawn."""
        return self.started + self.seconds - self.reserve - time.perf_counter()


class Pace(Protocol):
    """Where in its schedule a run is."""

    def share(self, state: TrainingState) -> float:
        """The share of the run (0..1) that is done in the middle of the step to come."""
        ...

    def judged(self, seconds: float) -> None:
        """Hear how long judging the validation pictures took."""
        ...

    def state_dict(self) -> Mapping[str, Any]:
        """For a checkpoint."""
        ...

    def load_state_dict(self, state: Mapping[str, Any], /) -> object:
        """Go on from a checkpoint."""
        ...


class PlannedPace:
    """Of a run whose number of steps is known."""

    def share(self, state: TrainingState) -> float:
        """By steps."""
        return min(1.0, (state.step + 0.5) / state.steps)

    def judged(self, seconds: float) -> None:
        """It has no time to keep."""

    def state_dict(self) -> dict[str, Any]:
        """It has no state."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Nothing to do."""


class BudgetPace:
    """Of a run that has a time: every step plans the rest anew, from how long steps took so far.

    What is left of the schedule is spread evenly over the steps that the time left allows. So the
    share done rises to exactly 1 with the last step, and the learning rate ends at zero, whatever
    the machine does in between. A resumed run has the time that was left at its checkpoint.
    """

    def __init__(self, budget: Budget, seconds_per_step: float) -> None:
        self.budget = budget
        self.expected = seconds_per_step
        self.done = 0.0
        self.first: tuple[float, int] | None = None
        """When the first step of this process began, and how many were done before."""
        self.longest = self.last = 0.0
        """Of the steps of this process; and when the last one began."""

    def share(self, state: TrainingState) -> float:
        """Plan the steps that are left, this one included, and take one of them."""
        now = time.perf_counter()
        if self.first is None:
            self.first = (now, state.step)
        else:
            self.longest = max(self.longest, now - self.last)
        self.last = now
        remaining = max(1, round(self.budget.left() / self._seconds_per_step(state.step)))
        state.steps = state.step + remaining
        part = (1 - self.done) / remaining
        middle = self.done + part / 2
        self.done += part
        return min(1.0, middle)

    def judged(self, seconds: float) -> None:
        """Keep back as much time for judging as it takes: it was expected from one step."""
        self.budget = self.budget.judged_in(seconds)

    def _seconds_per_step(self, step: int) -> float:
        """What was expected counts as much as ten steps, and less the more are done.

        The longest step is left out: a machine that stood still for seconds once, while only few
        steps were done, would be taken for one on which hardly any more are possible.
        """
        assert self.first is not None
        start, before = self.first
        taken, steps = self.last - start - self.longest, max(0, step - before - 1)
        return (10 * self.expected + taken) / (10 + steps)

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"done": self.done, "left": self.budget.left(), "expected": self.expected}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on from a checkpoint."""
        self.done, self.expected = state["done"], state["expected"]
        now = time.perf_counter()
        started = now + state["left"] + self.budget.reserve - self.budget.seconds
        self.budget = replace(self.budget, started=started)
