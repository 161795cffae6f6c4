"""What is said of a run in words: its start, its steps, its epochs, its end, and times."""

import math

from convolens.training.events import (
    EpochDone,
    GraphRefused,
    RunEnded,
    RunResumed,
    RunStarted,
    StepsDone,
)


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> [duration(seconds) for seconds in (0.4, 41, 200, 7500)]
    ['0 s', '41 s', '3 min 20 s', '2 h 05 min']
    """
    whole = round(finite(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(whole / 60)
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def about(seconds: float) -> str:
    """A time that is an estimate, with no more digits than one can mean.

    >>> [about(seconds) for seconds in (0.3, 8.2, 43, 95, 400, 8000)]
    ['about 1 s', 'about 8 s', 'about 45 s', 'about 95 s', 'about 7 min', 'about 2.2 h']
    """
    seconds = finite(seconds)
    if seconds < 20:
        return f"about {max(1, round(seconds))} s"
    if seconds < 120:
        return f"about {5 * round(seconds / 5)} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:,.1f} h"


def finite(number: float) -> float:
    """The number from 0 to 10^15, so that it can be written whatever was measured; NaN is 0."""
    return min(max(0.0, number), 1e15) if not math.isnan(number) else 0.0


def start_line(event: RunStarted) -> str:
    """What is trained, and what is expected of it."""
    line = (
        f"training {event.parameters:,} parameters on {event.n_train:,} pictures: "
        f"{event.epochs:g} epochs, {event.steps:,} steps of {event.batch_size}, "
        f"{event.precision} on {event.device}"
    )
    if event.hardest_share < 1:
        line += f"; after a first round, the hardest {event.hardest_share:.0%} or more"
    expected: list[str] = []
    if event.seconds_expected is not None:
        expected.append(about(event.seconds_expected))
    if event.accuracy_expected is not None:
        expected.append(f"about {event.accuracy_expected:.1%} accuracy")
    return f"{line}\nexpected: {', '.join(expected)}" if expected else line


def notices(event: RunResumed | GraphRefused) -> tuple[str, ...]:
    """What is to be known of how a run goes on."""
    if isinstance(event, GraphRefused):
        return (f"the steps are not captured as a CUDA graph: {event.reason}",)
    return (*event.notices, f"going on after step {event.step:,}")


def steps_line(event: StepsDone) -> str:
    """How far the run is, where there is no live line."""
    return (
        f"step {event.step:,} of {event.steps:,}, epoch {event.epoch}: "
        f"{finite(event.images_per_second):,.0f} images/s, loss {event.loss:.3f}, accuracy "
        f"{event.accuracy:.1%}, learning rate {event.learning_rate:.2g}, "
        f"{duration(event.seconds_left)} left"
    )


def epoch_line(event: EpochDone) -> str:
    """How an epoch was judged."""
    return (
        f"epoch {event.epoch}: training loss {event.train_loss:.4f}, accuracy "
        f"{event.train_accuracy:.2%}; validation loss {event.val_loss:.4f}, accuracy "
        f"{event.val_accuracy:.2%}{' (best)' if event.best else ''}, "
        f"after {finite(event.seconds):.1f} s"
    )


def end_line(event: RunEnded, best: EpochDone | None) -> str:
    """How the run ended, and which epoch is kept."""
    kept = f"kept epoch {event.best_epoch}"
    if best is not None and best.epoch == event.best_epoch:
        kept = f"{kept}, {best.val_accuracy:.2%} on validation"
    return f"{event.status} in {finite(event.train_seconds):.1f} s; {kept}"
