"""Learning-rate schedules: a factor of the peak rate as a function of the share of the run done."""

from dataclasses import dataclass

from convolens.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Constant:
    """The peak rate throughout, as in the notes."""

    def factor(self, progress: float) -> float:  # noqa: ARG002 - the interface of a schedule
        """Always 1."""
        return 1.0


@dataclass(frozen=True, kw_only=True)
class Triangular:
    """Up in a straight line to the peak, then down in a straight line to zero.

    Source: L. N. Smith and N. Topin, "Super-Convergence", 2017.
    """

    warmup: float = 0.2
    """Share of the run in which the rate rises."""

    def __post_init__(self) -> None:
        """Refuse a warm-up that is not a share."""
        if not 0 <= self.warmup < 1:
            raise ConfigError(f"warmup is a share of the run in [0, 1); got {self.warmup}")

    def factor(self, progress: float) -> float:
        """Factor of the peak rate after ``progress`` (0..1) of the run.

        >>> [Triangular(warmup=0.5).factor(p) for p in (0.0, 0.25, 0.5, 0.75, 1.0)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
        """
        if progress < self.warmup:
            return progress / self.warmup
        return (1 - progress) / (1 - self.warmup)


Schedule = Constant | Triangular
